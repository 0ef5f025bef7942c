//! Two tasks with windows of different length, and a model of what is dirty in a handful of their windows.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use model::{ByteSize, ColumnId, TimeRange, TimestampNs, WindowNs};
use query::execute::Grid;
use query::plan::Windowing;
use roaring::RoaringBitmap;
use rollup::ledger::{Columns, Ledger, LedgerLimits, Marked, OpenReport, Order, TaskNumber, TaskSpec, What};
use vfs::FaultFs;

pub(crate) const DIR: &str = "ledger";
pub(crate) const FILES: [&str; 2] = ["ledger/ledger.1", "ledger/ledger.2"];
pub(crate) const A: TaskNumber = TaskNumber(0);
pub(crate) const B: TaskNumber = TaskNumber(1);
pub(crate) const COLUMNS: u32 = 6;
pub(crate) const PLENTY: LedgerLimits = LedgerLimits { max_memory: ByteSize(1 << 20) };

pub(crate) fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(TimestampNs(start), TimestampNs(end))
}

pub(crate) fn columns(ids: &[u32]) -> RoaringBitmap {
    ids.iter().copied().collect()
}

pub(crate) fn some(ids: &[u32]) -> Columns {
    columns(ids).into()
}

fn fixed(width: i64, offset_ns: i64) -> Grid {
    Grid::new(&Windowing::Fixed { width: WindowNs::new(width).unwrap(), offset_ns }, None).unwrap()
}

pub(crate) fn grid(task: TaskNumber) -> Grid {
    if task == A { fixed(10, 0) } else { fixed(25, 3) }
}

pub(crate) fn spec(name: &str, fingerprint: &str, task: TaskNumber) -> TaskSpec {
    TaskSpec { name: name.to_owned(), fingerprint: fingerprint.to_owned(), grid: grid(task) }
}

pub(crate) fn try_open(fs: &FaultFs, limits: LedgerLimits) -> Option<(Ledger, OpenReport)> {
    let tasks = vec![spec("a", "1", A), spec("b", "1", B)];
    Ledger::open(Arc::new(fs.clone()), Path::new(DIR), tasks, limits).ok()
}

pub(crate) fn open(fs: &FaultFs) -> (Ledger, OpenReport) {
    try_open(fs, PLENTY).unwrap()
}

/// A ledger in which nothing is dirty.
pub(crate) fn open_clean(fs: &FaultFs) -> Ledger {
    let (ledger, _) = open(fs);
    clean(&ledger);
    ledger
}

/// Everything that is dirty is done.
pub(crate) fn clean(ledger: &Ledger) {
    for task in [A, B] {
        while let Some(work) = ledger.take(task, TimestampNs::MAX, Order::OldestFirst, 1000) {
            ledger.done(work);
        }
        assert_eq!(ledger.oldest(task), None);
    }
}

pub(crate) fn mark(ledger: &Ledger, task: TaskNumber, values: &[(u32, i64)]) {
    ledger.mark(task, values.iter().map(|(column, time)| (ColumnId(*column), TimestampNs(*time))));
}

/// A task, the number of one of the windows looked at, a column.
pub(crate) type Pair = (TaskNumber, usize, u32);

/// The windows that are looked at, of each task: some that follow each other, some far away, and those at both ends of time.
#[derive(Debug)]
pub(crate) struct Universe {
    instants: Vec<TimestampNs>,
    windows: [Vec<TimeRange>; 2],
}

impl Universe {
    pub(crate) fn new() -> Self {
        let near = (-5..20).map(|n| n * 10);
        let instants = [i64::MIN, -1_000_000].into_iter().chain(near).chain([1_000_000, i64::MAX - 1]);
        let instants: Vec<TimestampNs> = instants.map(TimestampNs).collect();
        let windows = [A, B].map(|task| {
            let mut windows: Vec<TimeRange> = instants.iter().map(|time| grid(task).containing(*time)).collect();
            windows.dedup();
            windows
        });
        Self { instants, windows }
    }

    /// An instant in one of the windows.
    pub(crate) fn instant(&self, n: usize) -> TimestampNs {
        self.instants[n % self.instants.len()]
    }

    pub(crate) fn windows(&self, task: TaskNumber) -> &[TimeRange] {
        &self.windows[task.0]
    }

    /// Windows that meet `range`, for these columns.
    pub(crate) fn meeting(&self, task: TaskNumber, range: TimeRange, columns: &Columns) -> BTreeSet<Pair> {
        let windows = self.windows(task).iter().enumerate();
        let met = windows.filter(|(_, w)| !range.is_empty() && w.start < range.end && range.start < w.end);
        let columns: Vec<u32> = (0..COLUMNS).filter(|column| columns.contains(ColumnId(*column))).collect();
        met.flat_map(|(n, _)| columns.iter().map(move |column| (task, n, *column))).collect()
    }

    pub(crate) fn everything(&self) -> BTreeSet<Pair> {
        [A, B].into_iter().flat_map(|task| self.meeting(task, TimeRange::ALL, &Columns::All)).collect()
    }

    pub(crate) fn of_work(&self, task: TaskNumber, what: &What) -> BTreeSet<Pair> {
        what.marked().iter().flat_map(|Marked { range, columns }| self.meeting(task, *range, columns)).collect()
    }

    /// What the ledger says, asked for all of time.
    pub(crate) fn dirty(&self, ledger: &Ledger) -> BTreeSet<Pair> {
        let mut found = BTreeSet::new();
        for task in [A, B] {
            for column in 0..COLUMNS {
                let stretches = ledger.dirty(task, ColumnId(column), TimeRange::ALL);
                assert!(stretches.is_sorted_by(|a, b| a.end < b.start), "{stretches:?}");
                let windows = self.windows(task).iter().enumerate();
                let within = |w: &TimeRange| stretches.iter().any(|s| s.start <= w.start && w.end <= s.end);
                found.extend(windows.filter(|(_, w)| within(w)).map(|(n, _)| (task, n, column)));
            }
        }
        found
    }

    /// What the ledger says, asked for a little inside each window.
    pub(crate) fn dirty_one_by_one(&self, ledger: &Ledger) -> BTreeSet<Pair> {
        let is_dirty = |&(task, n, column): &Pair| {
            let window = self.windows(task)[n];
            let inside = TimeRange::new(window.start, window.start.saturating_add(1));
            let stretches = ledger.dirty(task, ColumnId(column), inside);
            assert!(stretches.is_empty() || stretches == [window], "{stretches:?}");
            !stretches.is_empty()
        };
        self.everything().into_iter().filter(is_dirty).collect()
    }
}
