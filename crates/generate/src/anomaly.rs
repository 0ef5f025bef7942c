//! Labels: what goes wrong with the points of a plan, so that what detects it can be scored.

use model::TimestampNs;
use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// A few points are multiplied.
    Spike,
    /// A few points are divided.
    Drop,
    /// Many points are multiplied or divided.
    LevelShift,
    /// A few points of a state are 0 instead of 1, or 1 instead of 0.
    Flip,
}

/// One anomaly, a line of the file of labels:
/// `{"series":"vm_metrics,...","kind":"drop","start_ns":1752624000000000000,"end_ns":1752628500000000000,"factor":0.4}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Canonical key of the series.
    pub series: String,
    /// What goes wrong.
    pub kind: AnomalyKind,
    /// Time of the first point that is wrong, in nanoseconds.
    #[serde(rename = "start_ns", with = "nanoseconds")]
    pub start: TimestampNs,
    /// Time after the last point that is wrong: that of the next one, or the end of what was asked for.
    #[serde(rename = "end_ns", with = "nanoseconds")]
    pub end: TimestampNs,
    /// What values are multiplied with, below 1 where they are divided; the limits of the quantity hold all the same. None for a flip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
}

mod nanoseconds {
    use model::TimestampNs;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &TimestampNs, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimestampNs, D::Error> {
        i64::deserialize(deserializer).map(TimestampNs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_lines_of_json_that_are_read_back() {
        let drop = Anomaly {
            series: "m,a=b".to_owned(),
            kind: AnomalyKind::LevelShift,
            start: TimestampNs(1_752_624_000_000_000_001),
            end: TimestampNs(1_752_628_500_000_000_000),
            factor: Some(0.4),
        };
        let line = r#"{"series":"m,a=b","kind":"level_shift","start_ns":1752624000000000001,"end_ns":1752628500000000000,"factor":0.4}"#;
        assert_eq!(serde_json::to_string(&drop).unwrap(), line);
        assert_eq!(serde_json::from_str::<Anomaly>(line).unwrap(), drop);
        let flip = Anomaly { kind: AnomalyKind::Flip, factor: None, ..drop };
        let line = serde_json::to_string(&flip).unwrap();
        assert!(!line.contains("factor"));
        assert_eq!(serde_json::from_str::<Anomaly>(&line).unwrap(), flip);
    }
}
