//! The events of a part of history made anew, node by node: what is missing is written, what is not produced any more is deleted. Doing
//! it twice changes nothing.

mod judged;
mod run;
mod wanted;

use ::events::MEASUREMENT;
use engine::Engine;
use model::{ColumnId, TimeRange, TimestampNs};
use pipeline::{Intake, IntakeError, Target};

use super::Eventing;
use super::columns::Node;
use super::outbox::Points;
use super::stored::series;
use run::Run;
use wanted::Wanted;

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Times of the events.
    pub(crate) range: TimeRange,
    /// Samples from so long before are looked at first, in nanoseconds, so that it is known where each metric stands.
    pub(crate) lookback_ns: i64,
    /// Patterns of node ids; none for all.
    pub(crate) nodes: Vec<String>,
    /// Nothing is written or deleted; it is only counted.
    pub(crate) dry: bool,
    /// Now, which decides what retention policies keep.
    pub(crate) now: TimestampNs,
}

/// What was done, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Nodes with watched metrics.
    pub(crate) nodes: u64,
    /// Their watched metrics.
    pub(crate) columns: u64,
    /// Samples looked at, those before the start included.
    pub(crate) samples: u64,
    /// Events in the range.
    pub(crate) events: u64,
    /// Events that were not stored, or said something else.
    pub(crate) written: u64,
    /// Events that were stored already.
    pub(crate) unchanged: u64,
    /// Stored events that are not produced any more.
    pub(crate) removed: u64,
    /// Parts of the store that are damaged and were left out.
    pub(crate) damaged: Vec<String>,
    /// The service stopped before the end.
    pub(crate) is_cut_short: bool,
}

/// Where history is, and where events go.
pub(crate) struct History<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) intake: &'a Intake,
    pub(crate) target: Target,
    /// False once it is time to stop.
    pub(crate) goes_on: &'a dyn Fn() -> bool,
}

impl Eventing {
    /// Makes the events of a range anew. Metrics without samples are left alone, and so is what is before a metric's first sample; of metrics that
    /// have samples and are not watched any more there are no events, so those that they had go.
    ///
    /// # Errors
    /// The journal did not take events or deletions; what was done before stays, and doing it again completes it.
    pub(crate) fn generate(&self, order: &Order, history: History<'_>) -> Result<Report, IntakeError> {
        let order = &self.within_retention(order);
        let points = Points::new(history.intake.clone(), history.target.clone());
        let wanted = Wanted::new(&order.nodes);
        let nodes = self.columns.by_node().into_iter().filter(|(node, _)| wanted.holds(node));
        let nodes: Vec<(Node, Vec<ColumnId>)> = nodes.collect();
        let mut run =
            Run { eventing: self, order, history, points, pending: 0, gone: Vec::new(), report: Report::default() };
        run.nodes(&nodes, &mut series(&self.columns))?;
        Ok(run.report)
    }

    /// Without times whose events would not be kept.
    fn within_retention(&self, order: &Order) -> Order {
        let bucket = self.columns.bucket_of(MEASUREMENT);
        let policy = bucket.and_then(|bucket| self.columns.catalog.policy_of(bucket));
        let cutoff = policy.and_then(|policy| policy.cutoff(order.now)).unwrap_or(TimestampNs::MIN);
        let range = TimeRange::new(order.range.start.max(cutoff), order.range.end.max(cutoff));
        Order { range, ..order.clone() }
    }
}
