//! How a column comes into the set of a window. Imports write one series after the other, each into the same windows: the windows
//! have equal sets then, which stand in memory once and go on together from column to column.

use std::sync::{Arc, Weak};

use model::ColumnId;
use roaring::RoaringBitmap;

/// Makes sets, and remembers the last change of one.
#[derive(Debug, Default)]
pub(super) struct Sets {
    empty: Arc<RoaringBitmap>,
    last: Option<Change>,
}

/// What became of a set, unless it became something else since. It keeps neither alive, and as long as it is there nothing else gets
/// the address of the set that was.
#[derive(Debug)]
struct Change {
    before: Weak<RoaringBitmap>,
    column: ColumnId,
    after: Weak<RoaringBitmap>,
}

impl Sets {
    /// A set without columns.
    pub(super) fn empty(&self) -> Arc<RoaringBitmap> {
        Arc::clone(&self.empty)
    }

    /// Adds `column`, which is not in `set`. True when there is one more set in memory now.
    pub(super) fn add(&mut self, set: &mut Arc<RoaringBitmap>, column: ColumnId) -> bool {
        if let Some(after) = self.last.as_ref().and_then(|last| last.repeated(set, column)) {
            *set = after;
            return false;
        }
        if Arc::strong_count(set) == 1 {
            Arc::make_mut(set).insert(column.0);
            return false;
        }
        let before = Arc::downgrade(set);
        Arc::make_mut(set).insert(column.0);
        self.last = Some(Change { before, column, after: Arc::downgrade(set) });
        true
    }
}

impl Change {
    /// What becomes of `set` with `column`, if that is the same change.
    fn repeated(&self, set: &Arc<RoaringBitmap>, column: ColumnId) -> Option<Arc<RoaringBitmap>> {
        let is_same = self.column == column && self.before.as_ptr() == Arc::as_ptr(set);
        if is_same { self.after.upgrade() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(set: &RoaringBitmap) -> Vec<u32> {
        set.iter().collect()
    }

    #[test]
    fn windows_that_get_one_column_after_the_other_have_one_set() {
        let mut sets = Sets::default();
        let mut windows = vec![sets.empty(); 5];
        for column in [7, 3, 9] {
            let made =
                windows.iter_mut().map(|set| sets.add(set, ColumnId(column))).filter(|is_copied| *is_copied).count();
            assert_eq!(made, 1);
        }
        assert!(windows.iter().all(|set| Arc::ptr_eq(set, &windows[0]) && ids(set) == [3, 7, 9]));
    }

    #[test]
    fn a_set_that_went_on_is_not_taken_for_what_it_was() {
        let mut sets = Sets::default();
        let (mut a, mut b, mut c) = (sets.empty(), sets.empty(), sets.empty());
        assert!(sets.add(&mut a, ColumnId(1)));
        assert!(!sets.add(&mut a, ColumnId(2)), "nobody else has it");
        assert!(sets.add(&mut b, ColumnId(1)));
        assert!(sets.add(&mut c, ColumnId(5)));
        assert_eq!([&a, &b, &c].map(|set| ids(set)), [vec![1, 2], vec![1], vec![5]]);
        assert!(sets.empty().is_empty());
    }

    #[test]
    fn what_somebody_else_holds_does_not_change() {
        let mut sets = Sets::default();
        let mut set = sets.empty();
        sets.add(&mut set, ColumnId(1));
        let held = Arc::clone(&set);
        assert!(sets.add(&mut set, ColumnId(2)));
        assert_eq!((ids(&held), ids(&set)), (vec![1], vec![1, 2]));
    }
}
