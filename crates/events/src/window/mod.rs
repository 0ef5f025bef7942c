//! The last samples of a metric, and where their middle and spread are: mean and standard deviation in O(1) a sample, or median and MAD with a
//! sorted copy (a search and a short move of memory a sample).

mod mean;
mod median;

use crate::config::Method;

use mean::Moments;
use median::Sorted;

/// Middle and spread of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) center: f64,
    /// Standard deviation, or what stands for it.
    pub(crate) scale: f64,
}

/// Up to `size` values; the oldest is replaced when it is full.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    size: usize,
    /// In the order of coming as long as it is not full, then a ring.
    ring: Vec<f64>,
    /// Where the next value goes; the oldest value when full.
    next: usize,
    statistics: Statistics,
}

#[derive(Debug, Clone, PartialEq)]
enum Statistics {
    Mean(Moments),
    Median(Sorted),
}

impl Window {
    pub(crate) fn new(size: usize, method: Method) -> Self {
        let statistics = match method {
            Method::Zscore => Statistics::Mean(Moments::default()),
            Method::Robust => Statistics::Median(Sorted::default()),
        };
        Self { size, ring: Vec::new(), next: 0, statistics }
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    pub(crate) fn clear(&mut self) {
        self.ring.clear();
        self.next = 0;
        match &mut self.statistics {
            Statistics::Mean(moments) => *moments = Moments::default(),
            Statistics::Median(sorted) => sorted.clear(),
        }
    }

    /// Adds a finite value, in place of the oldest when the window is full.
    pub(crate) fn push(&mut self, value: f64) {
        // Of the two zeros only the positive one: they are equal, but would be shown as two.
        let value = value + 0.0;
        if let Some(oldest) = self.ring.get_mut(self.next) {
            let oldest = std::mem::replace(oldest, value);
            match &mut self.statistics {
                Statistics::Mean(moments) => moments.replace(oldest, value, self.ring.len()),
                Statistics::Median(sorted) => sorted.replace(oldest, value),
            }
        } else {
            self.grow(value);
        }
        self.next += 1;
        if self.next >= self.size {
            self.next = 0;
            self.refresh();
        }
    }

    fn grow(&mut self, value: f64) {
        if self.ring.is_empty() {
            self.ring.reserve_exact(self.size);
        }
        self.ring.push(value);
        match &mut self.statistics {
            Statistics::Mean(moments) => moments.add(value, self.ring.len()),
            Statistics::Median(sorted) => sorted.insert(value, self.size),
        }
    }

    /// Computes sums anew once a round, so that rounding errors do not pile up.
    fn refresh(&mut self) {
        if let Statistics::Mean(moments) = &mut self.statistics {
            *moments = Moments::of(&self.ring);
        }
    }

    /// Of a window with values.
    pub(crate) fn spread(&self) -> Spread {
        match &self.statistics {
            Statistics::Mean(moments) => moments.spread(self.ring.len()),
            Statistics::Median(sorted) => sorted.spread(),
        }
    }

    /// What is to be kept in order to go on exactly here.
    pub(crate) fn parts(&self) -> Parts<'_> {
        let (mean, squares) = match &self.statistics {
            Statistics::Mean(moments) => moments.parts(),
            Statistics::Median(_) => (0.0, 0.0),
        };
        Parts { ring: &self.ring, next: self.next, mean, squares }
    }

    /// A window from its parts; `None` when they are of no window of this size.
    pub(crate) fn restore(size: usize, method: Method, parts: &Parts<'_>) -> Option<Self> {
        let is_full = parts.ring.len() == size;
        let fits = if is_full { parts.next < size } else { parts.ring.len() < size && parts.next == parts.ring.len() };
        if !fits || parts.ring.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let mut window = Self::new(size, method);
        if !parts.ring.is_empty() {
            window.ring.reserve_exact(size);
        }
        window.ring.extend_from_slice(parts.ring);
        window.next = parts.next;
        match &mut window.statistics {
            Statistics::Mean(moments) => *moments = Moments::from_parts(parts.mean, parts.squares),
            Statistics::Median(sorted) => *sorted = Sorted::of(parts.ring, size),
        }
        Some(window)
    }
}

/// What a window is kept as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Parts<'a> {
    pub(crate) ring: &'a [f64],
    pub(crate) next: usize,
    pub(crate) mean: f64,
    pub(crate) squares: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(values: &[f64], method: Method) -> Spread {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = |sorted: &[f64]| (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0;
        let n = values.len() as f64;
        match method {
            Method::Zscore => {
                let center = values.iter().sum::<f64>() / n;
                let squares: f64 = values.iter().map(|v| (v - center).powi(2)).sum();
                Spread { center, scale: if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 } }
            }
            Method::Robust => {
                let center = middle(&sorted);
                let mut distances: Vec<f64> = values.iter().map(|v| (v - center).abs()).collect();
                distances.sort_by(f64::total_cmp);
                Spread { center, scale: 1.4826 * distances[distances.len() / 2] }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn middle_and_spread_are_those_of_the_last_values(
            values in proptest::collection::vec(prop_oneof![-1e3f64..1e3, Just(7.0), Just(-0.0)], 1..90),
            size in 1usize..40,
            robust in any::<bool>(),
        ) {
            let method = if robust { Method::Robust } else { Method::Zscore };
            let mut window = Window::new(size, method);
            for (n, value) in values.iter().enumerate() {
                window.push(*value);
                let expected = naive(&values[(n + 1).saturating_sub(size)..=n], method);
                let found = window.spread();
                prop_assert!((found.center - expected.center).abs() < 1e-9, "{found:?} {expected:?}");
                prop_assert!((found.scale - expected.scale).abs() < 1e-4, "{found:?} {expected:?}");
                let again = Window::restore(size, method, &window.parts());
                prop_assert_eq!(again.as_ref(), Some(&window));
            }
        }
    }

    #[test]
    fn a_sum_too_large_for_a_float_is_forgotten_with_its_values() {
        let mut window = Window::new(8, Method::Zscore);
        for value in [1e308, -1e308, 1e308, 5.0, 5.0, 5.0] {
            window.push(value);
        }
        for _ in 0..16 {
            window.push(5.0);
        }
        assert_eq!(window.spread(), Spread { center: 5.0, scale: 0.0 });
    }

    #[test]
    fn parts_of_no_window_are_refused() {
        let restore =
            |ring: &[f64], next| Window::restore(3, Method::Robust, &Parts { ring, next, mean: 0.0, squares: 0.0 });
        assert!(restore(&[1.0, 2.0], 2).is_some());
        assert!(restore(&[1.0, 2.0, 3.0], 1).is_some());
        assert!(restore(&[1.0, 2.0], 1).is_none());
        assert!(restore(&[1.0, 2.0, 3.0], 3).is_none());
        assert!(restore(&[0.0; 4], 0).is_none());
        assert!(restore(&[f64::NAN], 1).is_none());
    }
}
