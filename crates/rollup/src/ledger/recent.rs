//! Remembers which columns were marked in the window that values fall into at the moment: nearly all of them are written again and
//! again, and asking a sorted set takes ten times as long.

use model::{ColumnId, TimestampNs};

/// The columns of one window, those of low identifiers at least.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Start of the window.
    window: Option<TimestampNs>,
    /// What stands in `stamps` for a column that is marked in it.
    stamp: u32,
    stamps: Vec<u32>,
    max_columns: usize,
}

impl Recent {
    /// Takes at most `max_bytes`.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_columns: max_bytes / size_of::<u32>(), ..Self::default() }
    }

    /// Values of the window that starts at `start` follow.
    pub(super) fn enter(&mut self, start: TimestampNs) {
        if self.window == Some(start) {
            return;
        }
        self.window = Some(start);
        if self.stamp == u32::MAX {
            self.stamps.fill(0);
            self.stamp = 0;
        }
        self.stamp += 1;
    }

    /// Marks may have been taken out of the window.
    pub(super) fn forget(&mut self) {
        self.window = None;
    }

    /// True unless this was said of the column since the window was entered. May be true in vain.
    #[inline]
    pub(super) fn is_new(&mut self, column: ColumnId) -> bool {
        match self.stamps.get_mut(column.index()) {
            Some(stamp) => std::mem::replace(stamp, self.stamp) != self.stamp,
            None => self.is_beyond(column),
        }
    }

    /// Makes room for a column, where it is allowed.
    #[cold]
    fn is_beyond(&mut self, column: ColumnId) -> bool {
        if column.index() < self.max_columns {
            let columns = (column.index() + 1).next_power_of_two().min(self.max_columns);
            self.stamps.reserve_exact(columns - self.stamps.len());
            self.stamps.resize(columns, 0);
            if let Some(stamp) = self.stamps.get_mut(column.index()) {
                *stamp = self.stamp;
            }
        }
        true
    }

    pub(super) fn bytes(&self) -> usize {
        self.stamps.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: TimestampNs = TimestampNs(1);
    const B: TimestampNs = TimestampNs(2);

    #[test]
    fn a_column_is_new_once_in_a_window_and_again_after_another_or_when_marks_were_taken_out() {
        let mut recent = Recent::new(4 * 8);
        let mut is_new = |window, column| {
            recent.enter(window);
            recent.is_new(ColumnId(column))
        };
        assert!(is_new(A, 3) && !is_new(A, 3) && is_new(A, 2));
        assert!(is_new(B, 3) && is_new(A, 3));
        assert!(is_new(A, 8) && is_new(A, 8), "beyond what is remembered");
        recent.forget();
        recent.enter(A);
        assert!(recent.is_new(ColumnId(3)));
        assert!(recent.bytes() <= 4 * 8);
    }

    #[test]
    fn stamps_may_run_out() {
        let mut recent = Recent { stamp: u32::MAX - 1, ..Recent::new(64) };
        recent.enter(A);
        assert!(recent.is_new(ColumnId(0)));
        recent.enter(B);
        assert!(recent.is_new(ColumnId(0)) && !recent.is_new(ColumnId(0)) && recent.is_new(ColumnId(1)));
    }
}
