//! How points become a summary: one by one, so that the result does not depend on how a run was cut into pieces.
//!
//! Whatever is added up is compensated (Neumaier 1974): the result is that of a sum of about 106 bits, rounded once. The squared
//! distances from the mean are Welford's (1962).

use model::TimestampNs;

use super::Summary;
use super::summary::{rise, seconds_between};

/// A summary in the making. The points of one series are added oldest first; the same points give the same bits, wherever pieces
/// of them begin and end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summing {
    /// Whatever is compared or taken over; the rest of it is below.
    known: Summary,
    sum: Compensated,
    mean: f64,
    squares: f64,
    step_area: Compensated,
    line_area: Compensated,
    increase: Compensated,
}

impl Summing {
    /// Adds a point, which is later than all before.
    pub fn add(&mut self, time: TimestampNs, value: f64) {
        if self.known.count == 0 {
            self.begin(time, value);
        } else {
            self.go_on(time, value);
        }
        self.known.count += 1;
        self.known.last = value;
        self.known.last_time = time;
        self.sum.add(value);
        let apart = value - self.mean;
        self.mean += apart / self.known.count as f64;
        self.squares += apart * (value - self.mean);
    }

    fn begin(&mut self, time: TimestampNs, value: f64) {
        let (first, min, max) = (value, value, value);
        let (first_time, min_time, max_time) = (time, time, time);
        self.known = Summary { first, min, max, first_time, min_time, max_time, ..Summary::default() };
    }

    fn go_on(&mut self, time: TimestampNs, value: f64) {
        let known = &mut self.known;
        if value < known.min {
            (known.min, known.min_time) = (value, time);
        }
        if value > known.max {
            (known.max, known.max_time) = (value, time);
        }
        let stood = seconds_between(known.last_time, time);
        self.step_area.add(known.last * stood);
        self.line_area.add(known.last.midpoint(value) * stood);
        self.increase.add(rise(known.last, value));
    }

    /// The summary of the points so far; `None` where there are none.
    pub fn finish(&self) -> Option<Summary> {
        (self.known.count > 0).then(|| Summary {
            sum: self.sum.total(),
            squares: self.squares,
            step_area: self.step_area.total(),
            line_area: self.line_area.total(),
            increase: self.increase.total(),
            ..self.known
        })
    }
}

/// A sum and what rounding has taken from it.
#[derive(Debug, Clone, Copy, Default)]
struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        let (larger, smaller) = if self.sum.abs() >= value.abs() { (self.sum, value) } else { (value, self.sum) };
        self.lost += (larger - sum) + smaller;
        self.sum = sum;
    }

    /// What was lost means nothing where the sum has left the floats.
    fn total(self) -> f64 {
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sum_keeps_the_digits_that_plain_addition_loses() {
        let times: Vec<_> = (0..4).map(TimestampNs).collect();
        assert_eq!(Summary::of_points(&times, [1.0, 1e100, 1.0, -1e100]).unwrap().sum, 2.0);
        assert_eq!(Summary::of_points(&times, [1e308, 1e308, 1.0, 1.0]).unwrap().sum, f64::INFINITY);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_same_points_give_the_same_bits_in_whatever_pieces(
            values in prop::collection::vec(-1e9f64..1e9, 1..60),
            piece in 1usize..60,
        ) {
            let times: Vec<_> = (0..values.len() as i64).map(|i| TimestampNs(i * 700_000_001)).collect();
            let mut pieces = Summing::default();
            for (times, values) in times.chunks(piece).zip(values.chunks(piece)) {
                times.iter().zip(values).for_each(|(&time, &value)| pieces.add(time, value));
            }
            let (pieces, whole) = (pieces.finish().unwrap(), Summary::of_points(&times, values.iter().copied()).unwrap());
            prop_assert_eq!(format!("{pieces:?}"), format!("{whole:?}"));
        }
    }
}
