//! Windows, found by asking whether two milliseconds lie in the same one: so it does not matter how a plan has come to them.

/// Neighbouring windows of one width, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: i64,
    pub(super) width: i64,
    /// How many, at least 1.
    pub(super) count: i64,
}

impl Run {
    /// One window from `start` to `last`, both included.
    pub(super) fn one(start: i64, last: i64) -> Self {
        Self { start, width: last - start + 1, count: 1 }
    }

    /// The last millisecond inside.
    pub(super) fn last(self) -> i64 {
        self.start + self.width * self.count - 1
    }

    /// First and last millisecond of a window.
    pub(super) fn window(self, number: i64) -> (i64, i64) {
        let start = self.start + self.width * number;
        (start, start + self.width - 1)
    }
}

/// The windows from `at` on, not beyond `end`, that are as wide as the first one; at most `most`. `same` says whether all from one
/// millisecond to another is in one window.
pub(super) fn next_run(at: i64, end: i64, most: i64, same: &dyn Fn(i64, i64) -> bool) -> Run {
    let mut run = Run::one(at, last_of_window(at, end, same));
    while run.count < most {
        let (start, last) = run.window(run.count);
        let is_window = last <= end && same(start, last) && !same(start - 1, start);
        if !is_window || (last < end && same(last, last + 1)) {
            break;
        }
        run.count += 1;
    }
    run
}

/// The last millisecond up to `end` in the window of `at`.
fn last_of_window(at: i64, end: i64, same: &dyn Fn(i64, i64) -> bool) -> i64 {
    let (mut inside, mut step) = (at, 1i64);
    while inside < end && same(at, inside.saturating_add(step).min(end)) {
        inside = inside.saturating_add(step).min(end);
        step = step.saturating_mul(2);
    }
    let mut outside = inside.saturating_add(step).min(end.saturating_add(1));
    while outside - inside > 1 {
        let middle = inside + (outside - inside) / 2;
        if same(at, middle) { inside = middle } else { outside = middle }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(starts: &[i64], from: i64, end: i64, most: i64) -> Vec<(i64, i64, i64)> {
        let window = |ms: i64| starts.iter().filter(|start| **start <= ms).count();
        let (mut at, mut found) = (from, Vec::new());
        while at <= end {
            let run = next_run(at, end, most, &|a, b| window(a) == window(b));
            found.push((run.start, run.width, run.count));
            at = run.last() + 1;
        }
        found
    }

    #[test]
    fn windows_of_one_width_are_found_together_and_those_cut_by_the_range_apart() {
        let hours: Vec<i64> = (0..100).map(|n| n * 3600).collect();
        assert_eq!(runs(&hours, 7200 + 5, 36_000 + 9, 100), [(7205, 3595, 1), (10_800, 3600, 7), (36_000, 10, 1)]);
        assert_eq!(runs(&hours, 0, 3600 * 5 - 1, 2), [(0, 3600, 2), (7200, 3600, 2), (14_400, 3600, 1)]);
        assert_eq!(runs(&hours, 10, 10, 5), [(10, 1, 1)]);
    }

    #[test]
    fn months_are_found_by_their_lengths() {
        let days = [0, 31, 59, 90, 120, 151, 181, 212, 243];
        let widths: Vec<_> = runs(&days, 0, 242, 100).iter().map(|run| (run.1, run.2)).collect();
        assert_eq!(widths, [(31, 1), (28, 1), (31, 1), (30, 1), (31, 1), (30, 1), (31, 2)]);
    }

    #[test]
    fn everything_may_be_one_window() {
        assert_eq!(next_run(1, i64::MAX / 1_000_000, 10, &|_, _| true), Run::one(1, i64::MAX / 1_000_000));
    }
}
