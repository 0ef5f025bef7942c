//! Median and median absolute deviation (MAD) of a sliding window. Up to half of the values may be outliers without moving them much; see
//! Leys et al., Detecting outliers: Do not use standard deviation around the mean, use absolute deviation around the median (2013).

use super::Spread;

/// Makes the MAD of normally distributed values their standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// The values of a window in ascending order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Sorted(Vec<f64>);

impl Sorted {
    pub(super) fn of(values: &[f64], size: usize) -> Self {
        let mut sorted = Vec::with_capacity(if values.is_empty() { 0 } else { size });
        sorted.extend_from_slice(values);
        sorted.sort_unstable_by(f64::total_cmp);
        Self(sorted)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn insert(&mut self, value: f64, size: usize) {
        if self.0.is_empty() {
            self.0.reserve_exact(size);
        }
        self.0.insert(self.position(value), value);
    }

    /// Only what stands between the two values moves.
    pub(super) fn replace(&mut self, oldest: f64, value: f64) {
        let from = self.position(oldest);
        let to = self.position(value);
        if from < to {
            let to = to - 1;
            self.0.copy_within(from + 1..=to, from);
            self.put(to, value);
        } else {
            self.0.copy_within(to..from, to + 1);
            self.put(from.min(to), value);
        }
    }

    fn put(&mut self, at: usize, value: f64) {
        if let Some(slot) = self.0.get_mut(at) {
            *slot = value;
        }
    }

    /// Where the first value stands that is not before this one.
    fn position(&self, value: f64) -> usize {
        self.0.partition_point(|other| other.total_cmp(&value).is_lt())
    }

    pub(super) fn spread(&self) -> Spread {
        let len = self.0.len();
        let at = |index: usize| self.0.get(index).copied().unwrap_or_default();
        let center = f64::midpoint(at(len.saturating_sub(1) / 2), at(len / 2));
        Spread { center, scale: MAD_TO_DEVIATION * self.distance(center, len / 2) }
    }

    /// The distance from the median `center` that `nth` others are below or at: values on its left by falling, on its right by rising index are two
    /// sequences of rising distances, of which the first `nth + 1` are found by a binary search for how many come from the left.
    fn distance(&self, center: f64, nth: usize) -> f64 {
        let (left, right) = self.0.split_at(self.0.len() / 2);
        let on_left = |index: usize| left.len().checked_sub(index + 1).and_then(|i| left.get(i)).map(|v| center - v);
        let on_right = |index: usize| right.get(index).map(|v| v - center);
        let wanted = nth + 1;
        let (mut few, mut many) = (wanted.saturating_sub(right.len()), wanted.min(left.len()));
        while few < many {
            let from_left = usize::midpoint(few, many);
            let last_right = on_right(wanted - from_left - 1);
            if on_left(from_left) < last_right { few = from_left + 1 } else { many = from_left }
        }
        let last = |count: usize, distance: &dyn Fn(usize) -> Option<f64>| count.checked_sub(1).and_then(distance);
        let (left, right) = (last(few, &on_left), last(wanted - few, &on_right));
        left.unwrap_or(0.0).max(right.unwrap_or(0.0))
    }
}
