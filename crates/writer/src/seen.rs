//! Which records the lane of live values has read: their values were counted then, and not once more by the other lane.

use model::Seq;

/// Records, as spans: a few at most, one for each time the lane moved ahead.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Ascending, apart from each other; first and last record.
    spans: Vec<(Seq, Seq)>,
}

impl Seen {
    /// Notes a record behind all others.
    pub(crate) fn push(&mut self, seq: Seq) {
        match self.spans.last_mut().filter(|(_, last)| last.next() == seq) {
            Some((_, last)) => *last = seq,
            None => self.spans.push((seq, seq)),
        }
    }

    /// True for a record that was noted.
    pub(crate) fn contains(&self, seq: Seq) -> bool {
        let next = self.spans.partition_point(|(first, _)| *first <= seq);
        next.checked_sub(1).and_then(|before| self.spans.get(before)).is_some_and(|(_, last)| seq <= *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_noted_as_spans() {
        let mut seen = Seen::default();
        [3, 4, 5, 9, 12, 13].into_iter().for_each(|seq| seen.push(Seq(seq)));
        assert_eq!(seen.spans.len(), 3);
        let found: Vec<u64> = (0..20).filter(|seq| seen.contains(Seq(*seq))).collect();
        assert_eq!(found, [3, 4, 5, 9, 12, 13]);
    }
}
