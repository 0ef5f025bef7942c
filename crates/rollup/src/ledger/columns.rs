//! Sets of columns as marks hold them. A set may stand in many marks at once and is copied only when one of them changes.

use std::sync::Arc;

use model::ColumnId;
use roaring::RoaringBitmap;

/// Which columns a mark is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Columns {
    /// Every column, whether it exists yet or not.
    All,
    /// These, by identifier.
    Some(Arc<RoaringBitmap>),
}

impl Columns {
    /// True when `column` is one of them.
    pub fn contains(&self, column: ColumnId) -> bool {
        match self {
            Self::All => true,
            Self::Some(set) => set.contains(column.0),
        }
    }

    /// How many they are; `None` for all.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::All => None,
            Self::Some(set) => Some(set.len()),
        }
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Some(set) if set.is_empty())
    }

    /// Adds the columns of `other`.
    pub(super) fn add(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::All, _) => {}
            (_, Self::All) => *self = Self::All,
            (Self::Some(a), Self::Some(b)) if Arc::ptr_eq(a, b) => {}
            (Self::Some(a), Self::Some(b)) => *Arc::make_mut(a) |= &**b,
        }
    }

    /// True when some column is in both.
    pub(super) fn share_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Some(a), Self::Some(b)) => !a.is_disjoint(b),
            (one, Self::All) | (Self::All, one) => !one.is_empty(),
        }
    }

    /// True when at least half of the larger set is in both.
    pub(super) fn resemble(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            (Self::Some(a), Self::Some(b)) => Arc::ptr_eq(a, b) || 2 * a.intersection_len(b) >= a.len().max(b.len()),
            _ => false,
        }
    }

    /// Takes the first `count` columns out; `None`, and no change, when there are no more than that, or they are all.
    pub(super) fn split_off(&mut self, count: u64) -> Option<Self> {
        let Self::Some(set) = self else { return None };
        if set.len() <= count {
            return None;
        }
        let first: RoaringBitmap = set.iter().take(usize::try_from(count).unwrap_or(usize::MAX)).collect();
        Arc::make_mut(set).remove_smallest(count);
        Some(first.into())
    }
}

impl From<RoaringBitmap> for Columns {
    fn from(set: RoaringBitmap) -> Self {
        Self::Some(Arc::new(set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(ids: &[u32]) -> Columns {
        ids.iter().copied().collect::<RoaringBitmap>().into()
    }

    #[test]
    fn a_set_that_is_shared_is_copied_when_one_of_its_owners_changes() {
        let mut a = some(&[1, 2]);
        let b = a.clone();
        a.add(&some(&[3]));
        assert_eq!((a, b), (some(&[1, 2, 3]), some(&[1, 2])));
    }

    #[test]
    fn all_takes_everything_in_and_shares_with_whatever_is_not_empty() {
        let mut a = some(&[1]);
        a.add(&Columns::All);
        assert_eq!(a, Columns::All);
        assert!(a.share_with(&some(&[7])) && !a.share_with(&some(&[])));
        assert!(some(&[1, 7]).share_with(&some(&[7])) && !some(&[1]).share_with(&some(&[7])));
    }

    #[test]
    fn sets_resemble_each_other_when_half_of_the_larger_is_common() {
        assert!(some(&[1, 2]).resemble(&some(&[1, 3])));
        assert!(!some(&[1, 2, 3]).resemble(&some(&[1, 4])));
        assert!(!some(&[1]).resemble(&Columns::All));
    }

    #[test]
    fn the_first_columns_are_split_off_where_there_are_more() {
        let mut set = some(&[1, 5, 9]);
        assert_eq!(set.split_off(3), None);
        assert_eq!(set.split_off(2), Some(some(&[1, 5])));
        assert_eq!(set, some(&[9]));
        assert_eq!(Columns::All.split_off(1), None);
    }

    #[test]
    fn a_set_may_be_split_anywhere_whatever_it_is_made_of() {
        let dense: RoaringBitmap = (0..150_000).filter(|id| id % 3 > 0).collect();
        let mut runs: RoaringBitmap = (10..90_000).chain(90_005..140_000).collect();
        runs.optimize();
        for whole in [dense, runs] {
            for count in [1, 4_097, 60_000, 66_000, whole.len() - 1] {
                let mut rest = Columns::from(whole.clone());
                let Some(Columns::Some(first)) = rest.split_off(count) else { panic!("not split at {count}") };
                let Columns::Some(rest) = rest else { panic!("the rest is all") };
                assert_eq!((first.len(), rest.len()), (count, whole.len() - count));
                assert!(first.max() < rest.min() && &*first | &*rest == whole);
            }
        }
    }
}
