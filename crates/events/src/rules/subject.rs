//! What a series is about, as its names alone tell: the node and the metric, whether rules watch it or not.

use std::borrow::Cow;

use model::key::SeriesKey;

/// End of the measurements of IT nodes, behind the type in lower case.
const METRICS: &str = "_metrics";
/// Measurements of EMS points, and their type where the tag `type` is missing.
pub(super) const POINTS: [(&str, &str); 4] =
    [("measurement", "m"), ("signal", "s"), ("control", "c"), ("adjustment", "a")];
/// Type of node that EMS points are of.
pub(super) const EMS: &str = "EMS";

/// A node's metric, or an EMS point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The node; of EMS points channel, type and data point, as in `1001:m:10001`.
    pub node_id: String,
    /// Type of the node in upper case; of EMS points `EMS`.
    pub node_type: String,
    /// The metric; `None` for EMS points, where rules tell the kind of quantity.
    pub metric: Option<String>,
}

impl Subject {
    /// The field that is watched.
    pub const FIELD: &str = "value";

    /// What a column is about; `None` where no rule could watch it.
    pub fn of(series: &SeriesKey<'_>, field: &str) -> Option<Self> {
        if field != Self::FIELD {
            return None;
        }
        let measurement = series.measurement();
        match measurement.strip_suffix(METRICS) {
            Some(of_type) => of_node(series, of_type),
            None => of_point(series, &measurement),
        }
    }
}

fn of_node(series: &SeriesKey<'_>, of_type: &str) -> Option<Subject> {
    Some(Subject {
        node_id: series.tag("node_id")?.into_owned(),
        node_type: series.tag("node_type").unwrap_or(of_type.into()).to_uppercase(),
        metric: Some(series.tag("metric").map(Cow::into_owned)?),
    })
}

fn of_point(series: &SeriesKey<'_>, measurement: &str) -> Option<Subject> {
    let (_, usual_type) = POINTS.iter().find(|(name, _)| *name == measurement)?;
    let (channel, point) = (series.tag("channel")?, series.tag("point")?);
    let point_type = series.tag("type").unwrap_or((*usual_type).into());
    Some(Subject { node_id: format!("{channel}:{point_type}:{point}"), node_type: EMS.to_owned(), metric: None })
}
