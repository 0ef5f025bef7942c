//! `mode distinct_count`: how often values occur. They hold each value they have seen once, against the query's memory limit.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::{FieldType, TimeRange, TimestampNs};

use super::{Accumulator, AggregateFunction, Picked, Run, State, ValueKey, Wants, compare};
use crate::result::Cell;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Census::Mode), Box::new(Census::DistinctCount)]
}

/// Counts of equal values.
#[derive(Clone, Copy)]
enum Census {
    Mode,
    DistinctCount,
}

impl AggregateFunction for Census {
    fn name(&self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::DistinctCount => "distinct_count",
        }
    }

    fn accepts(&self, _kind: FieldType) -> bool {
        true
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        match self {
            Self::Mode => kind,
            Self::DistinctCount => FieldType::Integer,
        }
    }

    fn of_nothing(&self) -> Cell {
        match self {
            Self::Mode => Cell::Null,
            Self::DistinctCount => Cell::Integer(0),
        }
    }

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        Box::new(CensusState { seen: HashMap::new(), text_bytes: 0, kind, wanted: *self })
    }
}

struct CensusState {
    seen: HashMap<ValueKey, Sightings>,
    text_bytes: usize,
    kind: FieldType,
    wanted: Census,
}

/// All points of one value.
struct Sightings {
    count: u64,
    first: TimestampNs,
    last: TimestampNs,
    value: Cell,
}

impl Sightings {
    fn once(value: Cell, time: TimestampNs) -> Self {
        Self { count: 1, first: time, last: time, value }
    }

    fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl CensusState {
    fn see(&mut self, key: ValueKey, sightings: Sightings) {
        match self.seen.entry(key) {
            Entry::Occupied(mut seen) => seen.get_mut().join(&sightings),
            Entry::Vacant(new) => {
                self.text_bytes += 2 * new.key().text_len();
                new.insert(sightings);
            }
        }
    }
}

impl State for CensusState {
    fn add(&mut self, run: &Run<'_>) {
        for (index, &time) in run.times.iter().enumerate() {
            let Some(value) = run.values.get(index) else { return };
            match self.seen.get_mut(&ValueKey::of(value)) {
                Some(seen) => seen.join(&Sightings::once(Cell::Null, time)),
                None => self.see(ValueKey::of(value), Sightings::once(value.into(), time)),
            }
        }
    }

    fn bytes(&self) -> usize {
        self.seen.capacity() * size_of::<(ValueKey, Sightings)>() + self.text_bytes
    }

    fn merge(&mut self, other: Self) {
        for (key, sightings) in other.seen {
            self.see(key, sightings);
        }
    }

    fn finish(self) -> Picked {
        Picked::value(match self.wanted {
            Census::DistinctCount => Cell::Integer(self.seen.len() as i64),
            Census::Mode => most_frequent(self.seen.into_values().collect(), self.kind),
        })
    }
}

/// The most frequent value, by the rule that InfluxDB's loop over the sorted points comes to: runs of equal values replace the best one
/// so far when they are longer, or as long and began no later than it ended; single points replace nothing.
fn most_frequent(mut seen: Vec<Sightings>, kind: FieldType) -> Cell {
    seen.sort_unstable_by(|a, b| compare(&a.value, &b.value));
    seen.into_iter()
        .reduce(|best, run| if replaces(&run, &best, kind) { run } else { best })
        .map_or(Cell::Null, |best| best.value)
}

fn replaces(run: &Sightings, best: &Sightings, kind: FieldType) -> bool {
    match run.count.cmp(&best.count) {
        Ordering::Greater => true,
        Ordering::Less => false,
        // Here the later of two runs is that of `true`.
        Ordering::Equal if kind == FieldType::Boolean => true,
        Ordering::Equal => run.count > 1 && run.first <= best.last,
    }
}

#[cfg(test)]
mod tests {
    use model::{Strings, Values};

    use super::*;
    use crate::aggregate::tests::value;

    fn texts(texts: &[&str]) -> Values {
        let mut column = Strings::default();
        texts.iter().for_each(|text| column.push(text));
        Values::String(column)
    }

    #[test]
    fn the_mode_is_the_most_frequent_and_of_all_distinct_values_the_smallest() {
        assert_eq!(value("mode", &[], &Values::Integer(vec![3, 1, 3, 2])), Cell::Integer(3));
        assert_eq!(value("mode", &[], &Values::Float(vec![3.0, 1.0, 2.0])), Cell::Float(1.0));
    }

    #[test]
    fn of_equally_frequent_values_a_larger_one_wins_when_it_began_before_the_smaller_ended() {
        assert_eq!(value("mode", &[], &texts(&["b", "a", "a", "b", "c"])), Cell::String("b".to_owned()));
        assert_eq!(value("mode", &[], &texts(&["a", "b", "a", "b", "c"])), Cell::String("b".to_owned()));
        assert_eq!(value("mode", &[], &texts(&["a", "a", "b", "b", "c"])), Cell::String("a".to_owned()));
    }

    #[test]
    fn of_booleans_true_wins_a_tie() {
        assert_eq!(value("mode", &[], &Values::Boolean(vec![true, false])), Cell::Boolean(true));
        assert_eq!(value("mode", &[], &Values::Boolean(vec![true, false, false])), Cell::Boolean(false));
    }

    #[test]
    fn distinct_values_are_counted() {
        assert_eq!(value("distinct_count", &[], &texts(&["b", "a", "a", "b", "c"])), Cell::Integer(3));
        assert_eq!(value("distinct_count", &[], &Values::Float(vec![0.0, -0.0])), Cell::Integer(1));
    }
}
