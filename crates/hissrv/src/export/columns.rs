//! Columns with times of their own, joined to rows.

use formats::Column;
use model::{FieldValue, TimestampNs, Values};

use super::rows::Held;

/// A row that a column has no value for.
const NONE: u32 = u32::MAX;

/// Rows of a series: all times at which some column has a value.
pub(super) struct Joined {
    /// Times of the rows, ascending.
    pub(super) times: Vec<TimestampNs>,
    /// The columns, in their order.
    pub(super) columns: Vec<Aligned>,
    /// Floats among them that are no numbers.
    pub(super) not_finite: u64,
}

/// A column's values by rows.
pub(super) struct Aligned {
    values: Values,
    /// For each row the index of its value; `None`: the row's own.
    places: Option<Vec<u32>>,
}

impl Joined {
    pub(super) fn new(held: Vec<Held>) -> Self {
        let not_finite = held.iter().map(Held::not_finite).sum();
        let longest = held.iter().max_by_key(|points| points.times.len());
        let mut times = longest.map_or_else(Vec::new, |points| points.times.clone());
        if held.iter().any(|points| points.times != times) {
            times = held.iter().flat_map(|points| &points.times).copied().collect();
            times.sort_unstable();
            times.dedup();
        }
        let columns = held.into_iter().map(|points| Aligned::new(points, &times)).collect();
        Self { times, columns, not_finite }
    }
}

impl Aligned {
    fn new(points: Held, times: &[TimestampNs]) -> Self {
        let Held { times: own, values } = points;
        if own.len() == times.len() {
            return Self { values, places: None };
        }
        let mut rest = own.iter().zip(0u32..).peekable();
        let place = |time: &TimestampNs| rest.next_if(|(own, _)| *own == time).map_or(NONE, |(_, at)| at);
        Self { values, places: Some(times.iter().map(place).collect()) }
    }
}

impl Column for Aligned {
    fn get(&self, row: usize) -> Option<FieldValue<'_>> {
        let Some(places) = &self.places else { return self.values.get(row) };
        let at = places.get(row).filter(|at| **at != NONE)?;
        self.values.get(*at as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(points: &[(i64, f64)]) -> Held {
        let times = points.iter().map(|(time, _)| TimestampNs(*time)).collect();
        Held { times, values: Values::Float(points.iter().map(|(_, value)| *value).collect()) }
    }

    fn rows(joined: &Joined) -> Vec<(i64, Vec<Option<FieldValue<'_>>>)> {
        let row = |(at, time): (usize, &TimestampNs)| (time.0, joined.columns.iter().map(|c| c.get(at)).collect());
        joined.times.iter().enumerate().map(row).collect()
    }

    #[test]
    fn columns_with_other_times_leave_gaps() {
        let value = |v| Some(FieldValue::Float(v));
        let joined = Joined::new(vec![held(&[(1, 1.0), (3, 3.0)]), held(&[]), held(&[(2, f64::NAN), (3, 4.0)])]);
        let expected = [(1, vec![value(1.0), None, None]), (3, vec![value(3.0), None, value(4.0)])];
        assert_eq!([rows(&joined)[0].clone(), rows(&joined)[2].clone()], expected);
        assert_eq!((joined.times.len(), joined.not_finite), (3, 1));
    }

    #[test]
    fn columns_with_the_same_times_are_taken_as_they_are() {
        let joined = Joined::new(vec![held(&[(1, 1.0), (2, 2.0)]), held(&[(1, 5.0), (2, 6.0)])]);
        assert!(joined.columns.iter().all(|column| column.places.is_none()));
        assert_eq!(rows(&joined)[1].1, [Some(FieldValue::Float(2.0)), Some(FieldValue::Float(6.0))]);
        assert!(Joined::new(Vec::new()).times.is_empty());
    }
}
