//! Which records were read before, by any lane: their values are counted once.

use model::Seq;

/// Records, as spans: a few at most, as many as there are lanes that met gaps.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Ascending, apart from each other; first and last record.
    spans: Vec<(Seq, Seq)>,
}

impl Seen {
    /// Notes a record. True when it was not there.
    #[inline]
    pub(crate) fn insert(&mut self, seq: Seq) -> bool {
        let next = self.spans.partition_point(|(first, _)| *first <= seq);
        if let Some((_, last)) = next.checked_sub(1).and_then(|before| self.spans.get_mut(before)) {
            if seq <= *last {
                return false;
            }
            if last.next() == seq {
                *last = seq;
                self.join(next);
                return true;
            }
        }
        self.spans.insert(next, (seq, seq));
        self.join(next + 1);
        true
    }

    /// Joins the span at `index` to the one before it when nothing is between them.
    fn join(&mut self, index: usize) {
        let Some((&(_, before), &(first, last))) =
            index.checked_sub(1).and_then(|i| self.spans.get(i)).zip(self.spans.get(index))
        else {
            return;
        };
        if before.next() == first {
            self.spans.remove(index);
            if let Some(joined) = self.spans.get_mut(index - 1) {
                joined.1 = last;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn neighbours_become_one_span() {
        let mut seen = Seen::default();
        for (seq, spans) in [(5, 1), (6, 1), (9, 2), (8, 2), (7, 1), (4, 1), (1, 2)] {
            assert!(seen.insert(Seq(seq)));
            assert_eq!(seen.spans.len(), spans, "{seq}");
        }
        assert!(!seen.insert(Seq(7)));
    }

    proptest! {
        #[test]
        fn it_is_a_set(seqs in prop::collection::vec(1u64..40, 0..100)) {
            let (mut seen, mut model) = (Seen::default(), BTreeSet::new());
            for seq in seqs {
                prop_assert_eq!(seen.insert(Seq(seq)), model.insert(seq));
                prop_assert!(seen.spans.is_sorted());
            }
        }
    }
}
