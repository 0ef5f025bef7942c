//! From when on there are samples that tell whether an event should be there.

use std::collections::HashMap;

use ::events::Source;
use model::TimestampNs;

use crate::node::eventing::stored::Series;

/// From when on a node's metrics have samples, whether they are watched or not.
#[derive(Default)]
pub(super) struct Judged {
    by_metric: HashMap<String, TimestampNs>,
    /// Of EMS points, whose metric is what rules say of the same samples.
    of_any: Option<TimestampNs>,
}

impl Judged {
    pub(super) fn note(&mut self, metric: Option<&str>, first: TimestampNs) {
        let Some(metric) = metric else {
            self.of_any = Some(self.of_any.map_or(first, |known| known.min(first)));
            return;
        };
        let known = self.by_metric.entry(metric.to_owned()).or_insert(first);
        *known = first.min(*known);
    }

    /// Whether an event that was not produced should not be there. Invented ones come with any metric of the node.
    pub(super) fn covers(&self, series: &Series, time: TimestampNs) -> bool {
        let first = match series.source {
            Source::Event => self.by_metric.values().chain(&self.of_any).min(),
            _ => self.by_metric.get(&series.metric).or(self.of_any.as_ref()),
        };
        first.is_some_and(|first| time >= *first)
    }
}
