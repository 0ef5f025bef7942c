//! The events of a part of history made anew, node by node: what is missing is written, what is not produced any more is deleted. Doing
//! it twice changes nothing.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::time::Duration;

use ::events::{Detector, Event, MEASUREMENT, Source, Watch};
use engine::{Engine, Piece, ScanCache};
use model::{ColumnId, TimeRange, TimestampNs, Values};
use pipeline::{Intake, IntakeError, Target};

use super::Eventing;
use super::columns::{About, Node};
use super::outbox::Points;
use super::stored::{ByNode, Deletion, Series, Standing, Stored, series};

/// Events of a batch.
const BATCH: usize = 2_000;
/// Tries of a batch that the journal has no room for, and the pause between two.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// Samples are read on so long past the end at least, for status and invented events before it that come from them.
const READ_ON_NS: i64 = 2 * 3600 * 1_000_000_000;

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
        let (report, cache) = (Report::default(), ScanCache::default());
        let wanted = Wanted::new(&order.nodes);
        let mut run = Run { eventing: self, order, wanted, history, points, pending: 0, report, cache };
        let (by_node, mut stored) = (self.columns.by_node(), series(&self.columns));
        for (node, columns) in by_node {
            if !(run.history.goes_on)() {
                run.report.is_cut_short = true;
                break;
            }
            if run.wanted.holds(&node) {
                run.node(&node, &columns, &mut stored)?;
            }
        }
        run.flush()?;
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

struct Run<'a> {
    eventing: &'a Eventing,
    order: &'a Order,
    wanted: Wanted<'a>,
    history: History<'a>,
    points: Points,
    /// Events in `points`.
    pending: usize,
    report: Report,
    cache: ScanCache,
}

/// Nodes by patterns; of ids without wildcards there may be many.
struct Wanted<'a> {
    ids: HashSet<&'a str>,
    patterns: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn new(nodes: &'a [String]) -> Self {
        let (patterns, ids): (Vec<&str>, Vec<&str>) =
            nodes.iter().map(String::as_str).partition(|node| node.contains(['*', '?', '[', '\\']));
        Self { ids: ids.into_iter().collect(), patterns }
    }

    fn holds(&self, (node_id, _): &Node) -> bool {
        let fits = |pattern: &&str| model::glob::matches(pattern.as_bytes(), node_id.as_bytes());
        let are_all = self.ids.is_empty() && self.patterns.is_empty();
        are_all || self.ids.contains(node_id.as_str()) || self.patterns.iter().any(fits)
    }
}

/// From when on a node's metrics have samples, whether they are watched or not.
#[derive(Default)]
struct Judged {
    by_metric: HashMap<String, TimestampNs>,
    /// Of EMS points, whose metric is what rules say of the same samples.
    of_any: Option<TimestampNs>,
}

impl Judged {
    fn note(&mut self, metric: Option<&str>, first: TimestampNs) {
        let Some(metric) = metric else {
            self.of_any = Some(self.of_any.map_or(first, |known| known.min(first)));
            return;
        };
        let known = self.by_metric.entry(metric.to_owned()).or_insert(first);
        *known = first.min(*known);
    }

    /// Whether an event that was not produced should not be there. Invented ones come with any metric of the node.
    fn covers(&self, series: &Series, time: TimestampNs) -> bool {
        let first = match series.source {
            Source::Event => self.by_metric.values().chain(&self.of_any).min(),
            _ => self.by_metric.get(&series.metric).or(self.of_any.as_ref()),
        };
        first.is_some_and(|first| time >= *first)
    }
}

impl Run<'_> {
    fn node(&mut self, node: &Node, columns: &[ColumnId], stored: &mut ByNode) -> Result<(), IntakeError> {
        let (eventing, engine) = (self.eventing, self.history.engine);
        let names = &eventing.columns;
        let series = stored.remove(node).unwrap_or_default();
        let abouts: Vec<(ColumnId, About)> =
            columns.iter().filter_map(|column| Some((*column, names.about(*column)?))).collect();
        let is_watched = abouts.iter().any(|(_, about)| about.watch.is_some());
        if !is_watched && series.is_empty() {
            return Ok(());
        }
        // IMPORTANT: events first: one that the live lane writes meanwhile is then not taken for one without a sample.
        let mut stored = Stored::read(names, engine, node, series, self.order.range);
        self.report.nodes += u64::from(is_watched);
        let mut judged = Judged::default();
        for (column, About { subject, watch }) in &abouts {
            let first = match watch {
                Some(watch) => self.column(*column, watch, &mut stored)?,
                None => self.first_sample(*column),
            };
            if let Some(first) = first {
                judged.note(subject.metric.as_deref(), first);
            }
        }
        if self.report.is_cut_short {
            return Ok(());
        }
        let stale = stored.stale(names, |series, time| judged.covers(series, time));
        stale.iter().try_for_each(|deletion| self.delete(deletion))
    }

    /// The time of a column's first sample, of those that events are made of. What is not watched any more has none.
    fn first_sample(&mut self, column: ColumnId) -> Option<TimestampNs> {
        let scanned = TimeRange::new(self.start_of(column), self.order.range.end);
        let mut first = None;
        let mut look = |piece: Piece<'_>| match piece {
            Piece::Points { times, .. } if !times.is_empty() => {
                first = times.first().copied();
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        };
        self.history.engine.scan(column, scanned, &mut self.cache, &|_, _| false, &mut look);
        first
    }

    /// Makes the events of a watched column. Gives the time of its first sample.
    fn column(
        &mut self,
        column: ColumnId,
        watch: &Watch,
        stored: &mut Stored,
    ) -> Result<Option<TimestampNs>, IntakeError> {
        /// What the detector knows the column by.
        const KEY: u32 = 0;
        self.report.columns += 1;
        let (range, engine) = (self.order.range, self.history.engine);
        let read_on = READ_ON_NS.max(self.eventing.status_interval_ns);
        let scanned = TimeRange::new(self.start_of(column), range.end.saturating_add(read_on));
        let mut detector = Detector::new(&self.eventing.rules);
        detector.add(KEY, watch.clone());
        let (mut found, mut outcome, mut cache) = (Vec::new(), Ok(()), std::mem::take(&mut self.cache));
        let mut first = None;
        let mut look = |piece: Piece<'_>| {
            let Piece::Points { times, values } = piece else { return ControlFlow::Continue(()) };
            first = first.or(times.first().copied());
            with_floats(values, |values| detector.feed(KEY, times, values, &mut found));
            outcome =
                found.drain(..).filter(|event| range.contains(event.time)).try_for_each(|e| self.event(&e, stored));
            self.report.is_cut_short |= !(self.history.goes_on)();
            if outcome.is_err() || self.report.is_cut_short {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let report = engine.scan(column, scanned, &mut cache, &|_, _| false, &mut look);
        self.cache = cache;
        self.report.samples += detector.stats().samples;
        self.report.damaged.extend(report.damaged);
        if let (Some(lane), Some(standpoint)) = (&self.eventing.lane, detector.take(KEY))
            && outcome.is_ok()
            && !self.report.is_cut_short
            && !self.order.dry
        {
            lane.hand_over(column, standpoint);
        }
        outcome.map(|()| first)
    }

    /// Where reading begins: `lookback` before the range, or further back where the window would not be full, but not before what the
    /// retention policy keeps.
    fn start_of(&mut self, column: ColumnId) -> TimestampNs {
        let from = self.order.range.start;
        let mut runs = Vec::new();
        self.history.engine.extents(column, TimeRange::new(TimestampNs::MIN, from), &mut self.cache, &mut runs);
        runs.sort_by_key(|run| std::cmp::Reverse(run.last));
        // Twice as many as needed: what was overwritten may be counted twice.
        let wanted = 2 * self.eventing.rules.window() as u64;
        let mut count = 0;
        let mut start = from.saturating_add(self.order.lookback_ns.saturating_neg());
        for run in runs {
            if count >= wanted {
                break;
            }
            count += run.count;
            start = start.min(run.first);
        }
        start.max(self.kept_since(column))
    }

    fn kept_since(&self, column: ColumnId) -> TimestampNs {
        let catalog = &self.eventing.columns.catalog;
        let bucket = catalog.read().column_info(column).map(|info| info.bucket);
        let policy = bucket.and_then(|bucket| catalog.policy_of(bucket));
        policy.and_then(|policy| policy.cutoff(self.order.now)).unwrap_or(TimestampNs::MIN)
    }

    fn event(&mut self, event: &Event, stored: &mut Stored) -> Result<(), IntakeError> {
        self.report.events += 1;
        match stored.compare(event) {
            Standing::Same => {
                self.report.unchanged += 1;
                return Ok(());
            }
            // A field that it has not any more would stay.
            Standing::Other { has_more: true } => {
                if let Some(deletion) = stored.deletion_of(&self.eventing.columns, event) {
                    self.delete(&deletion)?;
                }
            }
            Standing::Other { has_more: false } | Standing::Missing => {}
        }
        self.report.written += 1;
        if self.order.dry {
            return Ok(());
        }
        self.points.push(event);
        self.pending += 1;
        if self.pending >= BATCH { self.flush() } else { Ok(()) }
    }

    fn delete(&mut self, deletion: &Deletion) -> Result<(), IntakeError> {
        self.report.removed += deletion.events;
        if self.order.dry {
            return Ok(());
        }
        // IMPORTANT: in this order: what waits may be in the range.
        self.flush()?;
        patiently(|| self.history.intake.delete(&deletion.columns, deletion.range).map(|_| ()))
    }

    fn flush(&mut self) -> Result<(), IntakeError> {
        self.pending = 0;
        patiently(|| self.points.write())
    }
}

/// Tries again while the journal has no room.
fn patiently(mut attempt: impl FnMut() -> Result<(), IntakeError>) -> Result<(), IntakeError> {
    let mut tries = 1;
    loop {
        match attempt() {
            Err(e) if e.is_retryable() && tries < TRIES => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
        tries += 1;
    }
}

/// Numbers as floats; others are no samples.
fn with_floats(values: &Values, feed: impl FnOnce(&[f64])) {
    match values {
        Values::Float(values) => feed(values),
        Values::Integer(values) => feed(&values.iter().map(|value| *value as f64).collect::<Vec<_>>()),
        Values::Unsigned(values) => feed(&values.iter().map(|value| *value as f64).collect::<Vec<_>>()),
        Values::Boolean(_) | Values::String(_) => {}
    }
}
