//! What became of the values. Every value read from the journal has exactly one fate, or is still on its way; a value that has to
//! be sent once more keeps the fate it had.

use std::ops::AddAssign;

use serde::Serialize;

/// Fates, in values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Fates {
    /// The store has them.
    pub stored: u64,
    /// Left out: the store has no type for them, or their names were dropped.
    pub filtered: u64,
    /// Left out: older than what their retention policy keeps.
    pub expired: u64,
    /// The store refuses them for good; they are in the dead letters.
    pub dead: u64,
    /// As `dead`, but gone: the space for dead letters was used up.
    pub lost_dead: u64,
    /// Given up because a person said so.
    pub skipped: u64,
    /// Read by the lane of live values for the other one, which did not find them in the journal any more.
    pub lost_later: u64,
}

impl Fates {
    /// Values that have a fate.
    pub fn sum(&self) -> u64 {
        self.stored + self.filtered + self.expired + self.dead + self.lost_dead + self.skipped + self.lost_later
    }
}

impl AddAssign for Fates {
    fn add_assign(&mut self, other: Self) {
        self.stored += other.stored;
        self.filtered += other.filtered;
        self.expired += other.expired;
        self.dead += other.dead;
        self.lost_dead += other.lost_dead;
        self.skipped += other.skipped;
        self.lost_later += other.lost_later;
    }
}

/// The books of one store.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Values of records, counted when they were read for the first time.
    pub(crate) taken: u64,
    /// What became of them.
    pub(crate) fates: Fates,
    /// Values that had a fate and were sent once more.
    pub(crate) resent: u64,
    /// Values that the fresh lane has counted and left to the other one, which has not read them yet.
    pub(crate) owed: u64,
    /// Records were lost that some of those may have been in: how many are lost is known when the lanes join.
    pub(crate) owed_in_doubt: bool,
    /// Values that were lost in the journal before they could be read, where their number is known.
    pub(crate) lost: u64,
    /// Values given up before they were read, as the journal counts them.
    pub(crate) unread: u64,
    /// Times the books did not balance.
    pub(crate) mismatches: u64,
}

impl Account {
    /// The lanes have become one: nothing is owed any more.
    pub(crate) fn joined(&mut self) {
        if std::mem::take(&mut self.owed_in_doubt) {
            self.fates.lost_later += std::mem::take(&mut self.owed);
        }
    }

    /// Compares the books with the values found on their way; true when they agree.
    pub(crate) fn balance(&mut self, on_their_way: u64) -> bool {
        let agree = self.owed_in_doubt || self.taken == self.fates.sum() + on_their_way + self.owed;
        self.mismatches += u64::from(!agree);
        agree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_balance_when_every_value_has_a_fate_or_is_on_its_way() {
        let mut account = Account { taken: 10, owed: 2, ..Account::default() };
        account.fates += Fates { stored: 3, filtered: 1, expired: 1, dead: 1, ..Fates::default() };
        assert!(account.balance(2));
        assert!(!account.balance(3));
        assert_eq!(account.mismatches, 1);
    }

    #[test]
    fn what_was_left_to_the_other_lane_and_then_lost_is_known_when_the_lanes_join() {
        let mut account = Account { taken: 10, owed: 10, ..Account::default() };
        account.owed_in_doubt = true;
        assert!(account.balance(3));
        account.owed -= 4;
        account.fates.stored += 4;
        account.joined();
        assert_eq!((account.fates.lost_later, account.owed), (6, 0));
        assert!(account.balance(0));
    }
}
