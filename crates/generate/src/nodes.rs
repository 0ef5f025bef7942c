//! IT nodes and their metrics. A series is `vm_metrics,metric=cpu_usage,node_id=vm-0001,node_type=VM` with the fields `value` and `unit`.
//! In normal operation metrics stay below (success rates: above) the usual warning thresholds; anomalies cross them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::quantity::{Faults, Quantity, Shape, Volatility};

/// Type of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeType {
    /// A virtual machine.
    Vm,
    /// A host of virtual machines.
    Host,
    /// A network element.
    Ne,
    /// A storage unit.
    Tru,
    /// A group of hosts.
    HostGroup,
}

/// Not a type of nodes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type of nodes: expected VM, HOST, NE, TRU or HOSTGROUP")]
pub struct NodeTypeError(String);

impl NodeType {
    /// Every type, in the order in which nodes are listed.
    pub const ALL: [Self; 5] = [Self::Vm, Self::Host, Self::Ne, Self::Tru, Self::HostGroup];

    /// The value of the tag `node_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vm => "VM",
            Self::Host => "HOST",
            Self::Ne => "NE",
            Self::Tru => "TRU",
            Self::HostGroup => "HOSTGROUP",
        }
    }

    /// What the ids of its nodes begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Host => "host",
            Self::Ne => "ne",
            Self::Tru => "tru",
            Self::HostGroup => "hostgroup",
        }
    }

    /// The measurement of its metrics.
    pub const fn measurement(self) -> &'static str {
        match self {
            Self::Vm => "vm_metrics",
            Self::Host => "host_metrics",
            Self::Ne => "ne_metrics",
            Self::Tru => "tru_metrics",
            Self::HostGroup => "hostgroup_metrics",
        }
    }

    /// Its metrics.
    pub const fn metrics(self) -> &'static [Quantity] {
        match self {
            Self::Vm => &VM,
            Self::Host => &HOST,
            Self::Ne => &NE,
            Self::Tru => &TRU,
            Self::HostGroup => &HOST_GROUP,
        }
    }
}

impl fmt::Display for NodeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NodeType {
    type Err = NodeTypeError;

    /// In any case.
    fn from_str(text: &str) -> Result<Self, NodeTypeError> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| NodeTypeError(text.to_owned()))
    }
}

/// How many nodes of each type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeOptions {
    /// Virtual machines. Default 50.
    pub vm: u32,
    /// Hosts. Default 20.
    pub host: u32,
    /// Network elements. Default 15.
    pub ne: u32,
    /// Storage units. Default 10.
    pub tru: u32,
    /// Groups of hosts. Default 5.
    pub hostgroup: u32,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self::share_out(100)
    }
}

impl NodeOptions {
    /// No nodes.
    pub const NONE: Self = Self { vm: 0, host: 0, ne: 0, tru: 0, hostgroup: 0 };

    /// So many nodes altogether: 20 % hosts, 15 % network elements, 10 % storage units, 5 % groups, and the rest virtual machines.
    pub const fn share_out(total: u32) -> Self {
        let (host, ne, tru, hostgroup) = (total / 5, total / 20 * 3 + total % 20 * 3 / 20, total / 10, total / 20);
        Self { vm: total - host - ne - tru - hostgroup, host, ne, tru, hostgroup }
    }

    /// The number of nodes of a type.
    pub const fn count(&self, kind: NodeType) -> u32 {
        match kind {
            NodeType::Vm => self.vm,
            NodeType::Host => self.host,
            NodeType::Ne => self.ne,
            NodeType::Tru => self.tru,
            NodeType::HostGroup => self.hostgroup,
        }
    }

    /// The number of series of all of them.
    pub(crate) fn series(&self) -> u64 {
        NodeType::ALL.iter().map(|kind| u64::from(self.count(*kind)) * kind.metrics().len() as u64).sum()
    }

    /// All nodes, type by type.
    pub(crate) fn nodes(self) -> impl Iterator<Item = Node> {
        let of_type = move |kind: NodeType| (1..=self.count(kind)).map(move |number| Node::new(kind, number));
        NodeType::ALL.into_iter().flat_map(of_type)
    }
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name, the tag `node_id`: `vm-0001`.
    pub id: Arc<str>,
    /// Its type.
    pub kind: NodeType,
}

impl Node {
    fn new(kind: NodeType, number: u32) -> Self {
        Self { id: format!("{}-{number:04}", kind.prefix()).into(), kind }
    }
}

const fn metric(
    name: &'static str,
    unit: &'static str,
    range: std::ops::RangeInclusive<u32>,
    volatility: Volatility,
) -> Quantity {
    Quantity {
        name,
        unit,
        min: *range.start() as f64,
        max: *range.end() as f64,
        base: 0.0,
        spread: 0.1,
        volatility,
        shape: Shape::Load,
        swing: 0.0,
        precision: 100.0,
        faults: Faults::Factors,
    }
}

impl Quantity {
    const fn around(self, base: f64, swing: f64) -> Self {
        Self { base, swing, ..self }
    }

    /// For ratios: more digits, and bases that are less apart, so that they stay below 1.
    const fn ratio(self) -> Self {
        Self { spread: 0.05, precision: 10_000.0, ..self }
    }
}

static VM: [Quantity; 4] = [
    metric("cpu_usage", "%", 0..=100, Volatility::Medium).around(45.0, 0.6),
    metric("memory_usage", "%", 0..=100, Volatility::Low).around(60.0, 0.2),
    metric("disk_io", "IOPS", 0..=10_000, Volatility::High).around(2_000.0, 0.8),
    metric("network_throughput", "Mbps", 0..=10_000, Volatility::High).around(1_800.0, 0.8),
];
static HOST: [Quantity; 4] = [
    metric("cpu_usage", "%", 0..=100, Volatility::Medium).around(40.0, 0.6),
    metric("memory_usage", "%", 0..=100, Volatility::Low).around(55.0, 0.2),
    metric("disk_usage", "%", 0..=100, Volatility::Low).around(55.0, 0.02),
    metric("temperature", "°C", 20..=90, Volatility::Low).around(42.0, 0.3),
];
static NE: [Quantity; 4] = [
    metric("load", "%", 0..=100, Volatility::Medium).around(40.0, 0.6),
    metric("response_time", "ms", 0..=1_000, Volatility::High).around(120.0, 0.6),
    Quantity { spread: 0.005, ..metric("success_rate", "%", 0..=100, Volatility::Low).around(94.3, -0.01) },
    metric("resource_usage", "%", 0..=100, Volatility::Medium).around(45.0, 0.5),
];
static TRU: [Quantity; 4] = [
    metric("usage", "%", 0..=100, Volatility::Low).around(55.0, 0.04),
    metric("iops", "IOPS", 0..=50_000, Volatility::High).around(12_000.0, 0.8),
    metric("latency", "ms", 0..=100, Volatility::Medium).around(15.0, 0.5),
    metric("read_write_ratio", "ratio", 0..=1, Volatility::Medium).around(0.6, 0.1).ratio(),
];
static HOST_GROUP: [Quantity; 3] = [
    metric("aggregate_cpu", "%", 0..=100, Volatility::Medium).around(42.0, 0.6),
    metric("aggregate_memory", "%", 0..=100, Volatility::Low).around(58.0, 0.2),
    metric("load_balance", "ratio", 0..=1, Volatility::Medium).around(0.78, -0.1).ratio(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_values_stay_inside_the_range() {
        for quantity in NodeType::ALL.iter().flat_map(|kind| kind.metrics()) {
            let noise = quantity.volatility.share();
            let highest = quantity.base * (1.0 + quantity.spread) * (1.0 + quantity.swing.abs() / 2.0 + noise);
            let lowest = quantity.base * (1.0 - quantity.spread) * (1.0 - quantity.swing.abs() / 2.0 - noise);
            assert!(quantity.min < lowest && highest <= quantity.max, "{}: {lowest} to {highest}", quantity.name);
        }
    }

    #[test]
    fn every_type_has_its_metrics() {
        let names = |kind: NodeType| kind.metrics().iter().map(|metric| metric.name).collect::<Vec<_>>().join(" ");
        assert_eq!(names(NodeType::Vm), "cpu_usage memory_usage disk_io network_throughput");
        assert_eq!(names(NodeType::Host), "cpu_usage memory_usage disk_usage temperature");
        assert_eq!(names(NodeType::Ne), "load response_time success_rate resource_usage");
        assert_eq!(names(NodeType::Tru), "usage iops latency read_write_ratio");
        assert_eq!(names(NodeType::HostGroup), "aggregate_cpu aggregate_memory load_balance");
    }

    #[test]
    fn nodes_are_shared_out_without_a_rest() {
        assert_eq!(NodeOptions::default(), NodeOptions { vm: 50, host: 20, ne: 15, tru: 10, hostgroup: 5 });
        for total in [0, 1, 7, 39, 1_000, u32::MAX] {
            let options = NodeOptions::share_out(total);
            assert_eq!(NodeType::ALL.iter().map(|kind| u64::from(options.count(*kind))).sum::<u64>(), u64::from(total));
        }
    }

    #[test]
    fn types_are_read_in_any_case() {
        assert_eq!("hostgroup".parse(), Ok(NodeType::HostGroup));
        assert!("PC".parse::<NodeType>().unwrap_err().to_string().contains("VM, HOST, NE, TRU or HOSTGROUP"));
    }
}
