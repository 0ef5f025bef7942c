//! Nodes done together, partition by partition: a file tells by one index what it has of all its columns, and reading that takes long, so it
//! is not done for each column anew.

use std::ops::ControlFlow;
use std::time::Duration;

use ::events::{Detector, Event};
use engine::{Piece, ScanCache};
use model::{ColumnId, TimeRange, TimestampNs, Values};
use pipeline::IntakeError;

use super::judged::Judged;
use super::{History, Order, Report};
use crate::node::eventing::Eventing;
use crate::node::eventing::columns::{About, Node};
use crate::node::eventing::outbox::Points;
use crate::node::eventing::stored::{ByNode, Deletion, Standing, Stored};

/// Columns of nodes that are done together, about: what detectors know of them and their events are in memory.
const COLUMNS_AT_ONCE: usize = 256;
/// What a column's own detector knows it by.
const KEY: u32 = 0;
/// Events of a batch.
const BATCH: usize = 2_000;
/// Tries of a batch that the journal has no room for, and the pause between two.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// Samples are read on so long past the end at least, for status and invented events before it that come from them.
const READ_ON_NS: i64 = 2 * 3600 * 1_000_000_000;

/// One order being carried out.
pub(super) struct Run<'a> {
    pub(super) eventing: &'a Eventing,
    pub(super) order: &'a Order,
    pub(super) history: History<'a>,
    pub(super) points: Points,
    /// Events in `points`.
    pub(super) pending: usize,
    /// What goes before these are written: points that have fields which the events in `points` have not.
    pub(super) gone: Vec<Deletion>,
    pub(super) report: Report,
}

/// A node, and how far it is.
struct Member<'n> {
    node: &'n Node,
    columns: Vec<Watched>,
    stored: Stored,
}

/// A column of a node.
struct Watched {
    column: ColumnId,
    about: About,
    /// What makes its events, if it is watched.
    detector: Option<Detector>,
    /// Samples before are not looked at.
    start: TimestampNs,
    /// How many there are, about, from there to the start of the range.
    before: u64,
    /// The time of the first sample that was looked at.
    first: Option<TimestampNs>,
}

impl Run<'_> {
    /// Makes the events of nodes with their columns; `series` are those of the events that are stored.
    pub(super) fn nodes(&mut self, nodes: &[(Node, Vec<ColumnId>)], series: &mut ByNode) -> Result<(), IntakeError> {
        let mut rest = nodes;
        while !rest.is_empty() {
            let (some, others) = rest.split_at(at_once(rest));
            rest = others;
            let members = some.iter().filter_map(|(node, columns)| self.member(node, columns, series)).collect();
            self.together(members)?;
            if self.report.is_cut_short {
                break;
            }
        }
        self.flush()
    }

    /// A node, unless there is nothing to be done for it.
    fn member<'n>(&mut self, node: &'n Node, columns: &[ColumnId], series: &mut ByNode) -> Option<Member<'n>> {
        let columns: Vec<Watched> = columns.iter().filter_map(|column| self.watched(*column)).collect();
        let stored = Stored::new(series.remove(node).unwrap_or_default());
        let watched = columns.iter().filter(|column| column.detector.is_some()).count() as u64;
        self.report.columns += watched;
        self.report.nodes += u64::from(watched > 0);
        (watched > 0 || !stored.has_no_series()).then_some(Member { node, columns, stored })
    }

    fn watched(&self, column: ColumnId) -> Option<Watched> {
        let about = self.eventing.columns.about(column)?;
        let detector = about.watch.as_ref().map(|watch| {
            let mut detector = Detector::new(&self.eventing.rules);
            detector.add(KEY, watch.clone());
            detector
        });
        Some(Watched { column, about, detector, start: TimestampNs::MIN, before: 0, first: None })
    }

    fn together(&mut self, mut members: Vec<Member<'_>>) -> Result<(), IntakeError> {
        self.find_starts(&mut members);
        let starts = members.iter().flat_map(|member| member.columns.iter().map(|watched| watched.start));
        let start = starts.min().unwrap_or(TimestampNs::MAX).min(self.order.range.start);
        let read_on = READ_ON_NS.max(self.eventing.status_interval_ns);
        for window in self.windows(TimeRange::new(start, self.order.range.end.saturating_add(read_on))) {
            self.window(&mut members, window)?;
            if self.report.is_cut_short {
                return Ok(());
            }
        }
        members.into_iter().try_for_each(|member| self.finish(member))
    }

    /// The parts of a range that are in files of their own.
    fn windows(&self, range: TimeRange) -> Vec<TimeRange> {
        let mut cuts: Vec<TimestampNs> = self.history.engine.partitions().iter().map(|part| part.range.start).collect();
        cuts.retain(|cut| range.start < *cut && *cut < range.end);
        cuts.extend([range.start, range.end]);
        cuts.sort_unstable();
        cuts.dedup();
        cuts.windows(2).filter_map(|ends| Some(TimeRange::new(*ends.first()?, *ends.last()?))).collect()
    }

    /// Finds where reading begins: `lookback` before the range, or further back where the window would not be full, but not before what the
    /// retention policy keeps.
    fn find_starts(&self, members: &mut [Member<'_>]) {
        let from = self.order.range.start;
        // Twice as many as needed: what was overwritten may be counted twice.
        let wanted = 2 * self.eventing.rules.window() as u64;
        let mut all: Vec<&mut Watched> = members.iter_mut().flat_map(|member| &mut member.columns).collect();
        for watched in &mut all {
            watched.start = from.saturating_add(self.order.lookback_ns.saturating_neg());
        }
        let columns: Vec<ColumnId> = all.iter().map(|watched| watched.column).collect();
        for window in self.windows(TimeRange::new(TimestampNs::MIN, from)).into_iter().rev() {
            let mut cache = ScanCache::of(columns.iter().copied());
            for watched in all.iter_mut().filter(|watched| watched.before < wanted) {
                self.look_back(watched, window, wanted, &mut cache);
            }
            if all.iter().all(|watched| watched.before >= wanted) {
                break;
            }
        }
        for watched in all {
            watched.start = watched.start.max(self.kept_since(watched.column));
        }
    }

    /// Takes in runs of samples that end in a window, the newest first, until there are so many.
    fn look_back(&self, watched: &mut Watched, window: TimeRange, wanted: u64, cache: &mut ScanCache) {
        let mut runs = Vec::new();
        self.history.engine.extents(watched.column, window, cache, &mut runs);
        runs.retain(|run| window.contains(run.last));
        runs.sort_by_key(|run| std::cmp::Reverse(run.last));
        for run in runs {
            if watched.before >= wanted {
                break;
            }
            watched.before += run.count;
            watched.start = watched.start.min(run.first);
        }
    }

    /// Reads a window of all members.
    fn window(&mut self, members: &mut [Member<'_>], window: TimeRange) -> Result<(), IntakeError> {
        let read = members.iter().flat_map(|member| {
            let own = member.columns.iter().map(|watched| watched.column);
            own.chain(member.stored.columns(&self.eventing.columns))
        });
        let mut cache = ScanCache::of(read);
        let (start, end) = (window.start.max(self.order.range.start), window.end.min(self.order.range.end));
        for member in members {
            // IMPORTANT: events first: one that the live lane writes meanwhile is then not taken for one without a sample. They are not later
            // than the samples that they come from.
            if start < end {
                let (columns, engine) = (&self.eventing.columns, self.history.engine);
                member.stored.read(columns, engine, member.node, TimeRange::new(start, end), &mut cache);
            }
            for key in 0..member.columns.len() {
                self.samples(member, key, window, &mut cache)?;
                if self.report.is_cut_short {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Reads a window of a column: makes its events where it is watched, else only finds its first sample.
    fn samples(
        &mut self,
        member: &mut Member<'_>,
        key: usize,
        window: TimeRange,
        cache: &mut ScanCache,
    ) -> Result<(), IntakeError> {
        let Member { columns, stored, .. } = member;
        let Some(Watched { column, detector, start, first, .. }) = columns.get_mut(key) else { return Ok(()) };
        let range = TimeRange::new(window.start.max(*start), window.end);
        if range.is_empty() || (detector.is_none() && first.is_some()) {
            return Ok(());
        }
        let (order, engine, mut found, mut outcome) = (self.order, self.history.engine, Vec::new(), Ok(()));
        let mut look = |piece: Piece<'_>| {
            let Piece::Points { times, values } = piece else { return ControlFlow::Continue(()) };
            *first = first.or(times.first().copied());
            let Some(detector) = detector.as_mut() else { return ControlFlow::Break(()) };
            with_floats(values, |values| detector.feed(KEY, times, values, &mut found));
            outcome = found
                .drain(..)
                .filter(|event| order.range.contains(event.time))
                .try_for_each(|e| self.event(&e, stored));
            self.report.is_cut_short |= !(self.history.goes_on)();
            if outcome.is_err() || self.report.is_cut_short {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let report = engine.scan(*column, range, cache, &|_, _| false, &mut look);
        for damaged in report.damaged {
            if !self.report.damaged.contains(&damaged) {
                self.report.damaged.push(damaged);
            }
        }
        outcome
    }

    /// All of a node was read: what should not be there goes, and the lane goes on from there.
    fn finish(&mut self, member: Member<'_>) -> Result<(), IntakeError> {
        let mut judged = Judged::default();
        for Watched { column, about, detector, first, .. } in member.columns {
            if let Some(first) = first {
                judged.note(about.subject.metric.as_deref(), first);
            }
            let Some(mut detector) = detector else { continue };
            self.report.samples += detector.stats().samples;
            if let Some(lane) = self.eventing.lane.as_ref().filter(|_| !self.order.dry)
                && let Some(standpoint) = detector.take(KEY)
            {
                lane.hand_over(column, standpoint);
            }
        }
        let stale = member.stored.stale(&self.eventing.columns, |series, time| judged.covers(series, time));
        self.delete_all(&stale)
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
            Standing::Other { has_more: true } if !self.order.dry => {
                self.gone.extend(stored.deletion_of(&self.eventing.columns, event));
            }
            Standing::Other { .. } | Standing::Missing => {}
        }
        self.report.written += 1;
        if self.order.dry {
            return Ok(());
        }
        self.points.push(event);
        self.pending += 1;
        if self.pending >= BATCH { self.flush() } else { Ok(()) }
    }

    fn delete_all(&mut self, deletions: &[Deletion]) -> Result<(), IntakeError> {
        self.report.removed += deletions.iter().map(|deletion| deletion.events).sum::<u64>();
        if self.order.dry || deletions.is_empty() {
            return Ok(());
        }
        // IMPORTANT: in this order: what waits may be in the ranges.
        self.flush()?;
        self.remove(deletions)
    }

    fn remove(&self, deletions: &[Deletion]) -> Result<(), IntakeError> {
        let all: Vec<_> = deletions.iter().map(Deletion::of_columns).collect();
        let (intake, mut done) = (self.history.intake, 0);
        patiently(|| {
            intake.delete_all(all.get(done..).unwrap_or_default()).map_err(|undeleted| {
                done += undeleted.done;
                undeleted.source
            })
        })
    }

    /// Writes what waits, behind what goes for it: no two of these events are one, so each deletion is of what was stored before.
    fn flush(&mut self) -> Result<(), IntakeError> {
        let gone = std::mem::take(&mut self.gone);
        self.remove(&gone)?;
        self.pending = 0;
        patiently(|| self.points.write())
    }
}

/// How many of some nodes are done together, at least one.
fn at_once(nodes: &[(Node, Vec<ColumnId>)]) -> usize {
    let mut columns = 0;
    let fits = |(_, of_node): &&(Node, Vec<ColumnId>)| {
        let fits = columns < COLUMNS_AT_ONCE;
        columns += of_node.len();
        fits
    };
    nodes.iter().take_while(fits).count()
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
