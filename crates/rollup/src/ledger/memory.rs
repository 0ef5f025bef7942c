//! Keeps the marks of a task within their budget: past it they become coarser, which is more work later, never less.
//!
//! First equal sets of columns that follow each other become one (nothing is lost by that), then windows are marked for all columns,
//! those with the most columns first, then windows become long stretches, at last with what lies between them.

use std::mem::take;
use std::sync::Arc;

use model::TimestampNs;
use roaring::RoaringBitmap;

use super::marks::{Marks, Window};
use super::ranges::hull;
use super::{Columns, Marked};

/// A mark without its columns, and its share of the tree it is in.
const MARK_BYTES: usize = 2 * (size_of::<TimestampNs>() + size_of::<Window>());
/// A set of columns without its containers.
const SET_BYTES: usize = size_of::<RoaringBitmap>() + 2 * size_of::<usize>();
/// A container of a set without its content.
const CONTAINER_BYTES: usize = 40;
/// Content of a container that has a bit for each column.
const BITSET_BYTES: usize = 8192;
/// A column that is added to a set, at most: it may be the first of its container.
const COLUMN_BYTES: usize = 48;
/// More stretches than this are not left when windows are joined: each is looked at often.
const MAX_JOINED: usize = 512;

/// What the marks of a task may take, and what they take at most as far as is known without counting.
#[derive(Debug, Default)]
pub(super) struct Meter {
    budget: usize,
    /// The next time to count; above the budget only when the marks could not be made as small as it wants.
    limit: usize,
    at_most: usize,
    /// How often marks became coarser.
    pub(super) coarsened: u64,
}

impl Meter {
    pub(super) fn new(budget: usize) -> Self {
        Self { budget, limit: budget, at_most: 0, coarsened: 0 }
    }

    pub(super) fn add_mark(&mut self, columns: &Columns) {
        self.at_most += MARK_BYTES + bytes_of(columns);
    }

    /// A column came into a set, which was `copied` for that.
    pub(super) fn add_column(&mut self, copied: Option<&RoaringBitmap>) {
        self.at_most += COLUMN_BYTES + copied.map_or(0, bytes_of_set);
    }
}

impl Marks {
    /// Bytes in use, counted.
    pub(super) fn bytes(&self) -> usize {
        let mut last = None;
        let each = self.iter().map(|(_, columns)| {
            let is_shared = last.is_some_and(|last| are_one(last, columns));
            last = Some(columns);
            MARK_BYTES + if is_shared { 0 } else { bytes_of(columns) }
        });
        self.recent.bytes() + each.sum::<usize>()
    }

    /// Makes marks smaller when they may take more than they should.
    pub(super) fn squeeze_when_full(&mut self) {
        if self.meter.at_most > self.meter.limit {
            self.squeeze(self.meter.budget / 4 * 3);
            self.meter.at_most = self.bytes();
            self.meter.limit = self.meter.budget.max(self.meter.at_most / 4 * 5);
        }
    }

    fn squeeze(&mut self, goal: usize) {
        if self.bytes() > goal {
            self.share_columns();
        }
        if self.bytes() <= goal {
            return;
        }
        self.meter.coarsened += 1;
        self.version += 1;
        while self.bytes() > goal && self.forget_columns() {}
        if self.bytes() > goal {
            self.join_windows((goal / 2 / MARK_BYTES).clamp(1, MAX_JOINED));
        }
    }

    /// Keeps equal sets of windows that follow each other once, and runs of columns as such.
    fn share_columns(&mut self) {
        let mut last: Option<Arc<RoaringBitmap>> = None;
        for window in self.windows.values_mut() {
            let Columns::Some(set) = &mut window.columns else { continue };
            match &last {
                Some(last) if Arc::ptr_eq(last, set) => continue,
                Some(last) if **last == **set => *set = Arc::clone(last),
                _ => _ = Arc::make_mut(set).optimize(),
            }
            last = Some(Arc::clone(set));
        }
    }

    /// Marks half of the windows that say which columns for all of them: those with the most. Stretches come after windows, since
    /// there it costs more. False when there is none.
    fn forget_columns(&mut self) -> bool {
        let mut lens: Vec<u64> = self.windows.values().filter_map(|window| window.columns.len()).collect();
        if lens.is_empty() {
            return self.ranges.forget_columns();
        }
        let middle = lens.len() / 2;
        let (_, median, _) = lens.select_nth_unstable(middle);
        let median = *median;
        for window in self.windows.values_mut().filter(|window| window.columns.len() >= Some(median)) {
            window.columns = Columns::All;
        }
        true
    }

    /// Makes at most `max_stretches` of all windows and stretches: those that touch are joined, then several at a time.
    fn join_windows(&mut self, max_stretches: usize) {
        let windows = take(&mut self.windows).into_iter();
        let windows = windows.map(|(start, window)| model::TimeRange::new(start, window.end));
        let stretches = take(&mut self.ranges);
        let stretches = stretches.iter().map(|mark| mark.range);
        let merged = super::marks::merge(windows.chain(stretches).collect());
        let at_a_time = merged.len().div_ceil(max_stretches).max(1);
        for chunk in merged.chunks(at_a_time) {
            if let Some(range) = chunk.iter().copied().reduce(hull) {
                self.ranges.add(Marked { range, columns: Columns::All });
            }
        }
    }
}

fn bytes_of(columns: &Columns) -> usize {
    match columns {
        Columns::All => 0,
        Columns::Some(set) => bytes_of_set(set),
    }
}

fn bytes_of_set(set: &RoaringBitmap) -> usize {
    let content = set.statistics();
    // NOTE: the statistics count twice what lists take, and the bits of bitsets for bytes.
    let lists = (content.n_bytes_array_containers / 2 + content.n_bytes_run_containers) as usize;
    let bitsets = content.n_bitset_containers as usize * BITSET_BYTES;
    SET_BYTES + content.n_containers as usize * CONTAINER_BYTES + lists + bitsets
}

/// True when both are the same set in memory.
fn are_one(a: &Columns, b: &Columns) -> bool {
    matches!((a, b), (Columns::Some(a), Columns::Some(b)) if Arc::ptr_eq(a, b))
}
