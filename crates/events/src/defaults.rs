//! Built-in rules: the node types of the IT side and the kinds of EMS points.

use crate::config::{Bounds, PointMatch};

/// A metric as built in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Builtin {
    pub(crate) metric: &'static str,
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
    pub(crate) unit: &'static str,
    /// Values that are too high.
    pub(crate) high: Bounds,
    /// Values that are too low.
    pub(crate) low: Bounds,
    pub(crate) has_anomalies: bool,
}

const NONE: Bounds = Bounds { warning: None, error: None, critical: None, recovery: None };

const fn three(warning: f64, error: f64, recovery: f64) -> Bounds {
    Bounds { warning: Some(warning), error: Some(error), critical: None, recovery: Some(recovery) }
}

const fn four(warning: f64, error: f64, critical: f64, recovery: f64) -> Bounds {
    Bounds { warning: Some(warning), error: Some(error), critical: Some(critical), recovery: Some(recovery) }
}

/// A metric without thresholds.
const fn plain(metric: &'static str, en: &'static str, zh: &'static str, unit: &'static str) -> Builtin {
    Builtin { metric, en, zh, unit, high: NONE, low: NONE, has_anomalies: true }
}

impl Builtin {
    const fn high(mut self, bounds: Bounds) -> Self {
        self.high = bounds;
        self
    }

    const fn low(mut self, bounds: Bounds) -> Self {
        self.low = bounds;
        self
    }

    const fn without_anomalies(mut self) -> Self {
        self.has_anomalies = false;
        self
    }

    /// True when low values, and only they, are the bad ones.
    pub(crate) const fn is_inverse(&self) -> bool {
        self.high.warning.is_none() && self.low.warning.is_some()
    }
}

/// Node types and their metrics. Where the first system's sample (VM's CPU and memory, the host's CPU and temperature) names levels they
/// are its; recovery thresholds and everything else are those of the import's table.
pub(crate) const NODE_TYPES: &[(&str, &[Builtin])] = &[
    (
        "VM",
        &[
            plain("cpu_usage", "CPU usage", "CPU使用率", "%").high(four(80.0, 90.0, 98.0, 70.0)),
            plain("memory_usage", "Memory usage", "内存使用率", "%").high(four(85.0, 95.0, 99.0, 75.0)),
            plain("disk_io", "Disk I/O", "磁盘IO", "IOPS").high(three(7000.0, 9000.0, 5000.0)),
            plain("network_throughput", "Network throughput", "网络吞吐量", "Mbps").high(three(7000.0, 9000.0, 5000.0)),
        ],
    ),
    (
        "HOST",
        &[
            plain("cpu_usage", "CPU usage", "CPU使用率", "%").high(four(85.0, 95.0, 98.0, 60.0)),
            plain("memory_usage", "Memory usage", "内存使用率", "%").high(three(80.0, 90.0, 70.0)),
            plain("disk_usage", "Disk usage", "磁盘使用率", "%").high(three(80.0, 90.0, 70.0)),
            plain("temperature", "Temperature", "温度", "°C").high(four(70.0, 80.0, 90.0, 60.0)),
        ],
    ),
    (
        "NE",
        &[
            plain("load", "Load", "负载", "%").high(three(75.0, 90.0, 65.0)),
            plain("response_time", "Response time", "响应时间", "ms").high(three(500.0, 800.0, 300.0)),
            plain("success_rate", "Success rate", "成功率", "%").low(three(50.0, 30.0, 70.0)),
            plain("resource_usage", "Resource usage", "资源使用率", "%"),
        ],
    ),
    (
        "TRU",
        &[
            plain("usage", "Storage usage", "存储使用率", "%").high(three(80.0, 95.0, 70.0)),
            plain("iops", "I/O operations", "IO操作数", "IOPS"),
            plain("latency", "Latency", "延迟", "ms").high(three(50.0, 80.0, 30.0)),
            plain("read_write_ratio", "Read/write ratio", "读写比", ""),
        ],
    ),
    (
        "HOSTGROUP",
        &[
            plain("aggregate_cpu", "CPU usage of the group", "集群CPU使用率", "%").high(three(75.0, 90.0, 65.0)),
            plain("aggregate_memory", "Memory usage of the group", "集群内存使用率", "%").high(three(80.0, 90.0, 70.0)),
            plain("load_balance", "Load balance", "负载均衡度", ""),
        ],
    ),
];

/// Kinds of EMS points. Voltage is that of a 230 V grid (10 and 15 %, as EN 50160 has it); current and power depend on the plant, so they have
/// anomalies only; a link is up at 1.
pub(crate) const KINDS: &[Builtin] = &[
    plain("voltage", "Voltage", "电压", "V").high(three(253.0, 264.5, 248.0)).low(three(207.0, 195.5, 212.0)),
    plain("current", "Current", "电流", "A"),
    plain("power", "Power", "功率", "kW"),
    plain("soc", "State of charge", "荷电状态", "%").low(four(20.0, 10.0, 5.0, 25.0)),
    plain("temperature", "Temperature", "温度", "°C").high(four(50.0, 60.0, 70.0, 45.0)),
    plain("comms", "Communication", "通信状态", "").low(three(0.5, 0.5, 0.5)).without_anomalies(),
    plain("analog", "Value", "数值", ""),
];

/// The kind of points that are not watched.
pub(crate) const UNWATCHED: &str = "none";

/// Measurement, pattern of the data point, kind. Most points have numbers for names, which say nothing, and are for the configuration.
const MATCHES: &[(&str, &str, &str)] = &[
    ("measurement", "*voltage*", "voltage"),
    ("measurement", "*current*", "current"),
    ("measurement", "*power*", "power"),
    ("measurement", "soc", "soc"),
    ("measurement", "*_soc", "soc"),
    ("measurement", "soc_*", "soc"),
    ("measurement", "*temperature*", "temperature"),
    ("measurement", "*_temp", "temperature"),
    ("signal", "*comm*", "comms"),
    ("signal", "*online*", "comms"),
];

/// The built-in matches, which come after those of the configuration.
pub(crate) fn matches() -> impl Iterator<Item = PointMatch> {
    MATCHES.iter().map(|&(measurement, point, kind)| PointMatch {
        measurement: measurement.into(),
        channel: "*".into(),
        point: point.into(),
        kind: kind.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(owner: &str, metric: &str) -> Builtin {
        let (_, metrics) = NODE_TYPES.iter().find(|(name, _)| *name == owner).unwrap();
        *metrics.iter().find(|b| b.metric == metric).unwrap()
    }

    #[test]
    fn the_table_of_node_types_is_complete() {
        // Type, metric, unit, warning / error / critical / recovery, low is bad; nothing where there are no levels.
        let table = [
            ("VM", "cpu_usage", "%", Some((80.0, 90.0, Some(98.0), 70.0)), false),
            ("VM", "memory_usage", "%", Some((85.0, 95.0, Some(99.0), 75.0)), false),
            ("VM", "disk_io", "IOPS", Some((7000.0, 9000.0, None, 5000.0)), false),
            ("VM", "network_throughput", "Mbps", Some((7000.0, 9000.0, None, 5000.0)), false),
            ("HOST", "cpu_usage", "%", Some((85.0, 95.0, Some(98.0), 60.0)), false),
            ("HOST", "memory_usage", "%", Some((80.0, 90.0, None, 70.0)), false),
            ("HOST", "disk_usage", "%", Some((80.0, 90.0, None, 70.0)), false),
            ("HOST", "temperature", "°C", Some((70.0, 80.0, Some(90.0), 60.0)), false),
            ("NE", "load", "%", Some((75.0, 90.0, None, 65.0)), false),
            ("NE", "response_time", "ms", Some((500.0, 800.0, None, 300.0)), false),
            ("NE", "success_rate", "%", Some((50.0, 30.0, None, 70.0)), true),
            ("NE", "resource_usage", "%", None, false),
            ("TRU", "usage", "%", Some((80.0, 95.0, None, 70.0)), false),
            ("TRU", "iops", "IOPS", None, false),
            ("TRU", "latency", "ms", Some((50.0, 80.0, None, 30.0)), false),
            ("TRU", "read_write_ratio", "", None, false),
            ("HOSTGROUP", "aggregate_cpu", "%", Some((75.0, 90.0, None, 65.0)), false),
            ("HOSTGROUP", "aggregate_memory", "%", Some((80.0, 90.0, None, 70.0)), false),
            ("HOSTGROUP", "load_balance", "", None, false),
        ];
        for (owner, metric, unit, levels, is_inverse) in table {
            let row = row(owner, metric);
            let expected = levels.map_or(NONE, |(warning, error, critical, recovery)| Bounds {
                warning: Some(warning),
                error: Some(error),
                critical,
                recovery: Some(recovery),
            });
            let (given, other) = if is_inverse { (row.low, row.high) } else { (row.high, row.low) };
            assert_eq!((row.unit, given, other), (unit, expected, NONE), "{owner} {metric}");
            assert_eq!(row.is_inverse(), is_inverse);
        }
        assert_eq!(NODE_TYPES.iter().map(|(_, metrics)| metrics.len()).sum::<usize>(), table.len());
    }

    #[test]
    fn built_in_matches_name_built_in_kinds() {
        assert!(matches().all(|m| KINDS.iter().any(|kind| kind.metric == m.kind)));
    }
}
