//! Letters counted, also by reason. Bounded: reasons beyond the first ones are counted together.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::ByteSize;

use super::letter::Parsed;

/// Most reasons told apart.
const REASONS_MAX: usize = 20;
/// Longest text of a reason, in characters; what is behind is not told apart.
const REASON_MAX: usize = 200;

/// What is kept of dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Letters.
    pub letters: u64,
    /// Space they take.
    pub bytes: ByteSize,
    /// Lines that cannot be read.
    pub damaged: u64,
    /// Letters that were not kept for want of space since the start of the service. Always 0 in what [`super::survey`] finds.
    pub lost: u64,
    /// The most frequent reasons, at most 20, most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// Letters with any other reason.
    pub other_reasons: u64,
}

/// How many letters have a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// Its first 200 characters.
    pub reason: String,
    /// Letters.
    pub letters: u64,
}

/// Counts of some letters, those of a file for instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    letters: u64,
    damaged: u64,
    reasons: BTreeMap<String, u64>,
    other: u64,
}

impl Tally {
    pub(super) fn add(&mut self, reason: &str) {
        let end = reason.char_indices().nth(REASON_MAX).map_or(reason.len(), |(at, _)| at);
        self.count(reason.get(..end).unwrap_or(reason), 1);
    }

    pub(super) fn add_line(&mut self, line: &Parsed) {
        match line {
            Parsed::Letter(letter) => self.add(&letter.reason),
            Parsed::Damaged(_) => self.add_damaged(),
            Parsed::Blank => {}
        }
    }

    pub(super) fn add_damaged(&mut self) {
        self.damaged += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.damaged += other.damaged;
        self.letters += other.other;
        self.other += other.other;
        for (reason, letters) in &other.reasons {
            self.count(reason, *letters);
        }
    }

    pub(super) fn letters(&self) -> u64 {
        self.letters
    }

    /// True when there is nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.letters == 0 && self.damaged == 0
    }

    fn count(&mut self, reason: &str, letters: u64) {
        self.letters += letters;
        if let Some(count) = self.reasons.get_mut(reason) {
            *count += letters;
        } else if self.reasons.len() < REASONS_MAX {
            self.reasons.insert(reason.to_owned(), letters);
        } else {
            self.other += letters;
        }
    }
}

impl Stats {
    /// Those of several files, which take so much space.
    pub(super) fn of<'a>(tallies: impl Iterator<Item = &'a Tally>, bytes: ByteSize) -> Self {
        let mut stats = Self { bytes, ..Self::default() };
        let mut by_reason = BTreeMap::<&str, u64>::new();
        for tally in tallies {
            stats.letters += tally.letters;
            stats.damaged += tally.damaged;
            tally.reasons.iter().for_each(|(reason, letters)| *by_reason.entry(reason).or_default() += letters);
        }
        let reasons = by_reason.into_iter().map(|(reason, letters)| ReasonCount { reason: reason.to_owned(), letters });
        stats.reasons = reasons.collect();
        stats.reasons.sort_by_key(|count| Reverse(count.letters));
        stats.reasons.truncate(REASONS_MAX);
        stats.other_reasons = stats.letters - stats.reasons.iter().map(|count| count.letters).sum::<u64>();
        stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_by_reason_most_frequent_first() {
        let (mut one, mut two) = (Tally::default(), Tally::default());
        ["a", "b", "a"].iter().for_each(|reason| one.add(reason));
        ["b", "b", "c"].iter().for_each(|reason| two.add(reason));
        two.add_damaged();
        let stats = Stats::of([&one, &two].into_iter(), ByteSize(70));
        let reasons: Vec<_> = stats.reasons.iter().map(|count| (count.reason.as_str(), count.letters)).collect();
        assert_eq!(reasons, [("b", 3), ("a", 2), ("c", 1)]);
        assert_eq!((stats.letters, stats.damaged, stats.other_reasons, stats.bytes), (6, 1, 0, ByteSize(70)));
    }

    #[test]
    fn reasons_are_bounded_in_number_and_length() {
        let (mut one, mut two) = (Tally::default(), Tally::default());
        (0..100).for_each(|n| one.add(&format!("{}{n}", "é".repeat(REASON_MAX - 2))));
        (0..100).for_each(|n| two.add(&format!("{}{n}", "x".repeat(REASON_MAX))));
        two.merge(&one);
        assert_eq!(
            (one.letters(), two.letters(), one.reasons.len(), two.reasons.len()),
            (100, 200, REASONS_MAX, REASONS_MAX)
        );
        let stats = Stats::of([&one, &two].into_iter(), ByteSize(0));
        assert_eq!((stats.letters, stats.reasons.len()), (300, REASONS_MAX));
        assert_eq!(stats.reasons[0], ReasonCount { reason: "x".repeat(REASON_MAX), letters: 100 });
        assert_eq!(stats.other_reasons + stats.reasons.iter().map(|count| count.letters).sum::<u64>(), 300);
    }
}
