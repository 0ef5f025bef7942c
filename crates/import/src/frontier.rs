//! How far a file is done: pieces are stored in any order, what counts is the place before which all are.

use std::collections::BTreeMap;

use crate::checkpoint::Done;
use crate::counters::Tally;
use crate::rejects::Refused;

/// How far one file is done. Pieces have numbers from 0 on, without gaps.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    /// Pieces before this are done.
    next: u64,
    /// The place behind them; `None`: nothing is done.
    done: Option<Done>,
    /// Done, but not all before them are.
    ahead: BTreeMap<u64, Piece>,
}

/// A piece that is done.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The place behind it.
    pub(crate) end: Done,
    /// What became of its records.
    pub(crate) tally: Tally,
    /// Its records that were not stored, in order.
    pub(crate) refused: Vec<Refused>,
}

/// What came of the pieces that the frontier has passed.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    pub(crate) tally: Tally,
    pub(crate) refused: Vec<Refused>,
}

impl Frontier {
    /// The frontier of a file of which so much was done before.
    pub(crate) fn at(done: Option<Done>) -> Self {
        Self { done, ..Self::default() }
    }

    /// A piece is done. Gives what came of all that are now done without a gap, in their order.
    pub(crate) fn finish(&mut self, number: u64, piece: Piece) -> Passed {
        self.ahead.insert(number, piece);
        let mut passed = Passed::default();
        while let Some(piece) = self.ahead.remove(&self.next) {
            self.next += 1;
            self.done = Some(piece.end);
            passed.tally.add(&piece.tally);
            passed.refused.extend(piece.refused);
        }
        passed
    }

    /// Pieces passed.
    pub(crate) const fn count(&self) -> u64 {
        self.next
    }

    pub(crate) const fn done(&self) -> Option<Done> {
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(number: u64) -> Piece {
        let refused = vec![Refused { line: number, reason: String::new(), text: Vec::new(), count: 1 }];
        Piece { end: Done { offset: 10 * (number + 1), line: number + 2 }, tally: Tally::default(), refused }
    }

    #[test]
    fn what_is_done_ends_at_the_first_gap_and_rejects_come_in_order() {
        let mut frontier = Frontier::default();
        let lines = |passed: Passed| passed.refused.iter().map(|r| r.line).collect::<Vec<_>>();
        assert_eq!(lines(frontier.finish(1, piece(1))), [0u64; 0]);
        assert_eq!(frontier.done(), None);
        assert_eq!(lines(frontier.finish(0, piece(0))), [0, 1]);
        assert_eq!(frontier.done(), Some(Done { offset: 20, line: 3 }));
        assert_eq!(lines(frontier.finish(3, piece(3))), [0u64; 0]);
        assert_eq!(lines(frontier.finish(2, piece(2))), [2, 3]);
    }
}
