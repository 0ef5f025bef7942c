//! Reading one column: runs of points from files and from memory, put in the order of time, the newest write winning.

mod cache;
mod chunks;
mod extents;
mod kept;
mod presence;

use std::cmp::Reverse;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use model::{ColumnId, FieldType, FieldValue, Seq, TimeRange, TimestampNs, Values};

pub(crate) use cache::IndexCache;
pub use cache::ScanCache;
pub use extents::Extent;
pub(crate) use extents::extents;
pub(crate) use kept::KeptStretches;
pub(crate) use presence::has_values;

use crate::block::{BlockError, ChunkMeta, Footer, TimesMeta};
use crate::files::LiveFile;
use crate::points::Points;
use crate::state::Shared;
use crate::tombstones::Deleted;

/// A part of a column. Pieces of one scan do not overlap and come oldest first.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Points, ascending by time, without repetition.
    Points {
        /// Their times.
        times: &'a [TimestampNs],
        /// As many values.
        values: &'a Values,
    },
    /// The statistics of a whole chunk of a numeric column.
    Summary(ChunkSummary),
}

/// Statistics of a run of points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChunkSummary {
    /// Number of points, at least 1.
    pub count: u64,
    /// Time of the first point.
    pub first_time: TimestampNs,
    /// Time of the last point.
    pub last_time: TimestampNs,
    /// Sum of the values.
    pub sum: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Value of the first point.
    pub first: f64,
    /// Value of the last point.
    pub last: f64,
}

/// What a scan met besides points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Parts that are damaged and were left out: one sentence each, naming file and offset.
    pub damaged: Vec<String>,
}

/// A stretch of a column that is in one place.
struct Run {
    first: TimestampNs,
    last: TimestampNs,
    /// Later ones win.
    order: usize,
    last_seq: Seq,
    place: Place,
}

enum Place {
    Memory(Points),
    Chunk { file: Arc<LiveFile>, chunk: ChunkMeta, times: TimesMeta },
}

/// One scan under way.
struct Scan<'a> {
    shared: &'a Shared,
    column: ColumnId,
    kind: FieldType,
    range: TimeRange,
    deleted: Deleted,
    report: ScanReport,
}

/// See [`crate::Engine::scan`].
pub(crate) fn scan(
    shared: &Shared,
    column: ColumnId,
    range: TimeRange,
    cache: &mut ScanCache,
    summary_suffices: &dyn Fn(TimestampNs, TimestampNs) -> bool,
    visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
) -> ScanReport {
    let Some((mut scan, places)) = Scan::begin(shared, column, range) else { return ScanReport::default() };
    let mut runs = places.memory;
    for (order, file) in &places.files {
        scan.add_file(*order, file, cache, &mut runs);
    }
    runs.sort_by_key(|run| (run.first, run.order));
    let mut rest = runs.into_iter().peekable();
    while let Some(run) = rest.next() {
        let mut last = run.last;
        let mut cluster = vec![run];
        while let Some(next) = rest.next_if(|next| next.first <= last) {
            last = last.max(next.last);
            cluster.push(next);
        }
        if scan.hand_out(cluster, cache, summary_suffices, visit).is_break() {
            break;
        }
    }
    scan.report
}

/// See [`crate::Engine::latest`].
pub(crate) fn latest(
    shared: &Shared,
    column: ColumnId,
    range: TimeRange,
    cache: &mut ScanCache,
    visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
) -> ScanReport {
    let Some((mut scan, mut places)) = Scan::begin(shared, column, range) else { return ScanReport::default() };
    let mut newest = None;
    scan.find_newest(places.memory, cache, &mut newest);
    // Newest files first, so that most of a long history is not even looked at.
    places.files.sort_by_key(|(_, file)| Reverse(file.block.footer.max_time));
    for (order, file) in &places.files {
        if newest.as_ref().is_some_and(|n: &Newest| n.time > file.block.footer.max_time) {
            break;
        }
        let mut runs = Vec::new();
        scan.add_file(*order, file, cache, &mut runs);
        scan.find_newest(runs, cache, &mut newest);
    }
    if let Some(newest) = newest
        && let Some(value) = newest.points.values.get(newest.points.times.len() - 1)
    {
        visit(newest.time, value);
    }
    scan.report
}

/// Where points of a column may be, as of one moment.
struct Places {
    /// Files by age of their newest record: later ones win.
    files: Vec<(usize, Arc<LiveFile>)>,
    memory: Vec<Run>,
}

/// The newest point found so far: the last of `points`.
struct Newest {
    time: TimestampNs,
    order: usize,
    points: Points,
}

impl<'a> Scan<'a> {
    /// Everything that may hold points of the column; `None` when the column does not exist.
    fn begin(shared: &'a Shared, column: ColumnId, range: TimeRange) -> Option<(Self, Places)> {
        let info = *shared.catalog.read().column_info(column)?;
        let state = shared.read_state();
        let active: Vec<Points> = state.active.read(info.bucket, column, range).collect();
        let (frozen, files, applied) = (state.frozen.clone(), state.files.of_bucket(info.bucket), state.applied);
        let heads = frozen.iter().map(|head| &**head).chain([&state.active]);
        let deleted = Deleted::of(column, heads.map(|h| &h.tombstones).chain([&*state.files.tombstones]));
        drop(state);
        let frozen_points = frozen.iter().flat_map(|h| h.read(info.bucket, column, range).map(|p| (h.last_seq, p)));
        let memory = frozen_points.chain(active.into_iter().map(|p| (applied, p))).enumerate();
        let memory = memory.filter_map(|(i, (seq, points))| Run::in_memory(files.len() + i, seq, points)).collect();
        let may_hold = |f: &Footer| range.meets(f.min_time, f.max_time);
        let files = files.iter().cloned().enumerate().filter(|(_, f)| may_hold(&f.block.footer)).collect();
        let scan = Self { shared, column, kind: info.kind, range, deleted, report: ScanReport::default() };
        Some((scan, Places { files, memory }))
    }

    /// Replaces `newest` when one of `runs` has a newer point, or the same written later.
    fn find_newest(&mut self, mut runs: Vec<Run>, cache: &mut ScanCache, newest: &mut Option<Newest>) {
        runs.sort_by_key(|run| Reverse((run.last, run.order)));
        for run in runs {
            if newest.as_ref().is_some_and(|n| n.time > run.last) {
                return;
            }
            let order = run.order;
            let Some(points) = self.load(run, cache) else { continue };
            let Some(&time) = points.times.last() else { continue };
            if newest.as_ref().is_none_or(|n| (n.time, n.order) < (time, order)) {
                *newest = Some(Newest { time, order, points });
            }
        }
    }

    fn add_file(&mut self, order: usize, file: &Arc<LiveFile>, cache: &mut ScanCache, runs: &mut Vec<Run>) {
        let index = match cache.index(&self.shared.indexes, &file.block, self.column) {
            Ok(index) => index,
            Err(e) => return self.damaged(&e),
        };
        if index.column(self.column).is_some_and(|c| c.kind != self.kind) {
            let what = format!("column {} is of another type than its field", self.column);
            return self.damaged(&file.block.damaged(file.block.footer.index_offset, what));
        }
        let meeting = index.chunks_of(self.column).filter(|(_, t)| self.range.meets(t.first, t.last));
        runs.extend(meeting.map(|(chunk, times)| Run {
            first: times.first,
            last: times.last,
            order,
            last_seq: file.block.footer.last_seq,
            place: Place::Chunk { file: Arc::clone(file), chunk: *chunk, times: *times },
        }));
    }

    /// Hands out runs that overlap each other, as one piece.
    fn hand_out(
        &mut self,
        mut cluster: Vec<Run>,
        cache: &mut ScanCache,
        summary_suffices: &dyn Fn(TimestampNs, TimestampNs) -> bool,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if let [only] = cluster.as_slice()
            && let Some(summary) = self.summary(only)
            && summary_suffices(summary.first_time, summary.last_time)
        {
            return visit(Piece::Summary(summary));
        }
        if let [only] = cluster.as_slice()
            && !self.is_deleted_from(only)
            && let Place::Chunk { file, chunk, times } = &only.place
        {
            return self.hand_out_chunk(file, chunk, times, cache, visit);
        }
        cluster.sort_by_key(|run| run.order);
        let loaded = cluster.into_iter().filter_map(|run| self.load(run, cache)).collect();
        match Points::merge(loaded).filter(|points| !points.times.is_empty()) {
            Some(points) => visit(Piece::Points { times: &points.times, values: &points.values }),
            None => ControlFlow::Continue(()),
        }
    }

    /// Goes on without what is damaged.
    fn pass_over(&mut self, e: &BlockError) -> ControlFlow<()> {
        self.damaged(e);
        ControlFlow::Continue(())
    }

    /// Whether something was deleted from a run after it was written.
    fn is_deleted_from(&self, run: &Run) -> bool {
        self.deleted.meets(run.first, run.last, run.last_seq)
    }

    /// The statistics of a run, when they stand for exactly what would be read.
    fn summary(&self, run: &Run) -> Option<ChunkSummary> {
        let Place::Chunk { chunk, times, .. } = &run.place else { return None };
        let s = chunk.summary.filter(|_| !self.is_deleted_from(run) && self.range.covers(run.first, run.last))?;
        let (count, first_time, last_time) = (u64::from(times.count), run.first, run.last);
        Some(ChunkSummary {
            count,
            first_time,
            last_time,
            sum: s.sum,
            min: s.min,
            max: s.max,
            first: s.first,
            last: s.last,
        })
    }

    /// The points of a run inside the range that are not deleted; `None` when it is damaged.
    fn load(&mut self, run: Run, cache: &mut ScanCache) -> Option<Points> {
        let points = match run.place {
            Place::Memory(points) => points,
            Place::Chunk { file, chunk, times } => match chunks::read(&file, &chunk, &times, self.kind, cache) {
                Ok(points) => points.clip(self.range),
                Err(e) => {
                    self.damaged(&e);
                    return None;
                }
            },
        };
        Some(self.deleted.mask(points, run.last_seq)).filter(|p| !p.times.is_empty())
    }

    fn damaged(&mut self, e: &BlockError) {
        self.shared.counters.damaged_reads.fetch_add(1, Relaxed);
        self.report.damaged.push(e.to_string());
    }
}

impl Run {
    fn in_memory(order: usize, last_seq: Seq, points: Points) -> Option<Self> {
        let (first, last) = (*points.times.first()?, *points.times.last()?);
        Some(Self { first, last, order, last_seq, place: Place::Memory(points) })
    }
}
