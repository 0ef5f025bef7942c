//! Records that the lane passes over: those of an import whose events are made of history once all is stored. What the journal held before is
//! looked at as ever.
//!
//! Until then their events are owed, and the saved state says so: it stands before them, and tells how far they were passed over.

use model::Seq;

/// What becomes of records that are written from the start of the lane on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FromNow {
    /// The lane looks at them.
    Watched,
    /// It passes over them, until it is told that their events were made of history.
    PassedOver,
}

/// Which records are passed over.
#[derive(Debug, Default)]
pub(super) struct Passing {
    /// Those behind this one; `None`: nothing is passed over.
    after: Option<Seq>,
    /// The last one, once the events of all are made.
    until: Option<Seq>,
}

impl Passing {
    /// All behind this one, until [`Passing::end`].
    pub(super) fn after(after: Seq) -> Self {
        Self { after: Some(after), until: None }
    }

    /// The events of all up to here are made. True when that is news.
    pub(super) fn end(&mut self, until: Seq) -> bool {
        let is_news = self.after.is_some() && self.until.is_none();
        if is_news {
            self.until = Some(until);
        }
        is_news
    }

    /// Whether a record is passed over.
    pub(super) fn holds(&self, seq: Seq) -> bool {
        self.after.is_some_and(|after| seq > after) && self.until.is_none_or(|until| seq <= until)
    }

    /// Of the records up to `read`, those up to here owe no events any more.
    pub(super) fn settled(&self, read: Seq) -> Seq {
        match (self.after, self.until) {
            (None, _) => read,
            (Some(_), Some(until)) if read >= until => read,
            (Some(after), _) => read.min(after),
        }
    }

    /// Whether events of records up to `read` are owed.
    pub(super) fn owes(&self, read: Seq) -> bool {
        self.settled(read) < read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_before_is_looked_at_and_what_comes_is_owed_until_the_end() {
        let mut passing = Passing::after(Seq(10));
        assert_eq!([10, 11, 99].map(|seq| passing.holds(Seq(seq))), [false, true, true]);
        assert_eq!([7, 10, 30].map(|read| passing.settled(Seq(read))), [7, 10, 10].map(Seq));
        assert!(!passing.owes(Seq(10)) && passing.owes(Seq(11)));
        assert!(passing.end(Seq(30)) && !passing.end(Seq(40)));
        assert_eq!([10, 11, 30, 31].map(|seq| passing.holds(Seq(seq))), [false, true, true, false]);
        assert_eq!([7, 29, 30, 31].map(|read| passing.settled(Seq(read))), [7, 10, 30, 31].map(Seq));
    }

    #[test]
    fn without_an_import_everything_is_looked_at() {
        let mut passing = Passing::default();
        assert!(!passing.end(Seq(5)) && !passing.holds(Seq(6)) && !passing.owes(Seq(6)));
    }
}
