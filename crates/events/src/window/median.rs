//! Median and median absolute deviation (MAD) of a sliding window. Up to half of the values may be outliers without moving them much; see
//! Leys et al., Detecting outliers: Do not use standard deviation around the mean, use absolute deviation around the median (2013).

use super::Spread;

/// Makes the MAD of normally distributed values their standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// Values in a line of the processor's cache. To find a place, one of each line is looked at: the processor fetches them all at once, while a binary
/// search waits for one before it knows the next. With 100 000 windows, which no cache holds, that is what takes longest.
const LINE: usize = 8;

/// The values of a window in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sorted {
    values: Vec<f64>,
    /// Of these values; found while they are at hand.
    spread: Spread,
}

impl Default for Sorted {
    fn default() -> Self {
        Self { values: Vec::new(), spread: Spread { center: 0.0, scale: 0.0 } }
    }
}

impl Sorted {
    pub(super) fn of(values: &[f64], size: usize) -> Self {
        let mut sorted = Self::default();
        if !values.is_empty() {
            sorted.values.reserve_exact(size);
        }
        sorted.values.extend_from_slice(values);
        sorted.values.sort_unstable_by(f64::total_cmp);
        sorted.refresh();
        sorted
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.refresh();
    }

    pub(super) fn insert(&mut self, value: f64, size: usize) {
        if self.values.is_empty() {
            self.values.reserve_exact(size);
        }
        self.values.insert(self.position(value), value);
        self.refresh();
    }

    /// Only what stands between the two values moves.
    pub(super) fn replace(&mut self, oldest: f64, value: f64) {
        let (from, to) = (self.position(oldest), self.position(value));
        if from < to {
            let to = to - 1;
            self.values.copy_within(from + 1..=to, from);
            self.put(to, value);
        } else {
            self.values.copy_within(to..from, to + 1);
            self.put(from.min(to), value);
        }
        self.refresh();
    }

    fn put(&mut self, at: usize, value: f64) {
        if let Some(slot) = self.values.get_mut(at) {
            *slot = value;
        }
    }

    /// How many are less than a value.
    fn position(&self, value: f64) -> usize {
        let lines = self.values.chunks_exact(LINE);
        let before = LINE * lines.filter(|line| line.last().is_some_and(|last| *last < value)).count();
        before + self.values.iter().skip(before).take(LINE).filter(|other| **other < value).count()
    }

    pub(super) fn spread(&self) -> Spread {
        self.spread
    }

    fn refresh(&mut self) {
        let len = self.values.len();
        let at = |index: usize| self.values.get(index).copied().unwrap_or_default();
        let center = f64::midpoint(at(len.saturating_sub(1) / 2), at(len / 2));
        self.spread = Spread { center, scale: MAD_TO_DEVIATION * self.distance(center, len / 2) };
    }

    /// The distance from the median `center` that `nth` others are below or at: values on its left by falling, on its right by rising index are two
    /// sequences of rising distances, of which the first `nth + 1` are found by a binary search for how many come from the left.
    fn distance(&self, center: f64, nth: usize) -> f64 {
        let (left, right) = self.values.split_at(self.values.len() / 2);
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
