//! What is unusual about a sample, compared with the window before it.
//!
//! A sample beyond `sigma` deviations from the window's middle is an anomaly, told once until samples are usual again. What goes into a window of
//! means is cut at that bound (winsorised), so that an anomaly neither hides the next one nor becomes the new normal at once.
//!
//! Change points are found by the two-sided cumulative sum of Page (Continuous Inspection Schemes, Biometrika 41, 1954): deviations beyond a
//! slack of half a standard deviation add up, those of the other direction take away, and past a threshold the metric has moved; the window
//! begins anew then. Deviations are cut at `sigma` here as well, so that a few wild samples are no change.

use crate::config::Anomalies;
use crate::window::{Parts, Spread, Window};

/// What a deviation must exceed to add to a cumulative sum, in deviations: half of the smallest jump that is looked for.
const SLACK: f64 = 0.5;
/// Part of the window that must be there before samples are judged.
const WARM_UP_PART: usize = 3;
/// Deviations are shown up to here: those of a window without any spread are infinite.
const MOST_DEVIATIONS: f64 = 999.0;

/// Something unusual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Finding {
    /// This sample, and perhaps those after it.
    Unusual {
        /// Middle of the window.
        center: f64,
        /// Deviations from it, negative below.
        deviations: f64,
        /// The last value that would have been usual.
        bound: f64,
    },
    /// The metric has moved from this middle for good.
    Moved {
        /// Middle of the window.
        center: f64,
        /// True when it is lower than before.
        is_lower: bool,
    },
}

/// Judges the samples of one metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judge {
    window: Window,
    /// Cumulative sums.
    above: f64,
    below: f64,
    /// The last sample was unusual.
    is_unusual: bool,
}

impl Judge {
    pub(crate) fn new(settings: &Anomalies) -> Self {
        Self { window: Window::new(settings.window, settings.method), above: 0.0, below: 0.0, is_unusual: false }
    }

    /// Compares a finite value with those before it, and takes it among them.
    #[inline]
    pub(crate) fn look(&mut self, settings: &Anomalies, value: f64) -> Option<Finding> {
        if self.window.len() < settings.window / WARM_UP_PART {
            self.window.push(value);
            return None;
        }
        let Spread { center, scale } = self.window.spread();
        let scale = scale.max(settings.min_change * center.abs() / settings.sigma);
        let deviations = deviations(value - center, scale);
        let clipped = deviations.clamp(-settings.sigma, settings.sigma);
        let was_unusual = std::mem::replace(&mut self.is_unusual, deviations.abs() > settings.sigma);
        self.above = (self.above + clipped - SLACK).max(0.0);
        self.below = (self.below - clipped - SLACK).max(0.0);
        if self.above.max(self.below) > settings.change_threshold {
            return self.moved(settings, value, center);
        }
        // NOTE: not for deviations within the bound: center + deviations * scale would change their last bits.
        let within = if self.is_unusual { center + clipped * scale } else { value };
        self.window.push(if within.is_finite() { within } else { value });
        (self.is_unusual && !was_unusual).then(|| Finding::Unusual {
            center,
            deviations: deviations.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS),
            bound: center + clipped * scale,
        })
    }

    fn moved(&mut self, settings: &Anomalies, value: f64, center: f64) -> Option<Finding> {
        let is_lower = self.below > self.above;
        self.window.clear();
        self.window.push(value);
        (self.above, self.below, self.is_unusual) = (0.0, 0.0, false);
        settings.change_points.then_some(Finding::Moved { center, is_lower })
    }

    /// What is to be kept in order to go on exactly here.
    pub(crate) fn parts(&self) -> JudgeParts<'_> {
        JudgeParts { window: self.window.parts(), above: self.above, below: self.below, is_unusual: self.is_unusual }
    }

    /// A judge from its parts; `None` when they are of none with these settings.
    pub(crate) fn restore(settings: &Anomalies, parts: &JudgeParts<'_>) -> Option<Self> {
        let window = Window::restore(settings.window, settings.method, &parts.window)?;
        Some(Self { window, above: parts.above, below: parts.below, is_unusual: parts.is_unusual })
    }
}

/// What a judge is kept as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JudgeParts<'a> {
    pub(crate) window: Parts<'a>,
    pub(crate) above: f64,
    pub(crate) below: f64,
    pub(crate) is_unusual: bool,
}

/// `distance` in units of `scale`; 0 when it cannot be told, since the window's values are beyond what sums can hold.
fn deviations(distance: f64, scale: f64) -> f64 {
    let deviations = if distance == 0.0 { 0.0 } else { distance / scale };
    if deviations.is_nan() { 0.0 } else { deviations }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Method;

    const ZSCORE: Anomalies = Anomalies {
        enabled: true,
        method: Method::Zscore,
        window: 60,
        sigma: 2.5,
        min_change: 0.05,
        change_points: true,
        change_threshold: 20.0,
        quiet: model::HumanDuration(std::time::Duration::ZERO),
    };
    const ROBUST: Anomalies = Anomalies { method: Method::Robust, ..ZSCORE };

    /// Steady around 50, at most 3 away from it.
    fn steady(n: usize) -> f64 {
        50.0 + [0.0, 2.0, -1.0, 3.0, -2.0, 1.0, -3.0][n % 7]
    }

    /// What is found, and at which sample.
    fn findings(settings: &Anomalies, values: impl IntoIterator<Item = f64>) -> Vec<(usize, Finding)> {
        let mut judge = Judge::new(settings);
        values.into_iter().enumerate().filter_map(|(n, value)| Some((n, judge.look(settings, value)?))).collect()
    }

    fn with_spike(n: usize) -> f64 {
        if (100..105).contains(&n) { 80.0 } else { steady(n) }
    }

    #[test]
    fn a_spike_is_told_once_by_both_methods() {
        for settings in [ZSCORE, ROBUST] {
            let found = findings(&settings, (0..200).map(with_spike));
            let [(100, Finding::Unusual { center, deviations, bound })] = found.as_slice() else { panic!("{found:?}") };
            assert!((48.0..52.0).contains(center), "{center}");
            assert!((5.0..20.0).contains(deviations), "{deviations}");
            assert!((54.0..60.0).contains(bound), "{bound}");
        }
    }

    #[test]
    fn a_drop_is_told_with_its_sign() {
        let found = findings(&ZSCORE, (0..120).map(|n| if n == 110 { 20.0 } else { steady(n) }));
        assert!(
            matches!(found.as_slice(), [(110, Finding::Unusual { deviations, .. })] if *deviations < -2.5),
            "{found:?}"
        );
    }

    #[test]
    fn the_sample_is_not_in_the_window_that_judges_it() {
        // Ten equal values have no spread: had 9 been among them, it would be at most (n - 1) / sqrt(n) = 3.0 deviations away.
        let settings = Anomalies { window: 30, sigma: 3.1, ..ZSCORE };
        let found = findings(&settings, [5.0; 10].into_iter().chain([9.0]));
        assert!(
            matches!(found.as_slice(), [(10, Finding::Unusual { bound, .. })] if (*bound - 5.25).abs() < 1e-9),
            "{found:?}"
        );
    }

    #[test]
    fn the_bound_itself_is_usual() {
        let settings = Anomalies { window: 30, min_change: 0.25, ..ZSCORE };
        let at = |value| findings(&settings, [4.0; 10].into_iter().chain([value])).len();
        assert_eq!([at(5.0), at(5.01), at(3.0), at(2.99)], [0, 1, 0, 1]);
    }

    #[test]
    fn a_jump_that_stays_is_told_as_anomaly_and_then_as_change() {
        for settings in [ZSCORE, ROBUST] {
            let found = findings(&settings, (0..300).map(|n| steady(n) + if n < 100 { 0.0 } else { 20.0 }));
            let kinds: Vec<_> = found.iter().map(|(n, f)| (*n, matches!(f, Finding::Moved { .. }))).collect();
            assert_eq!(kinds.first(), Some(&(100, false)), "{found:?}");
            assert!(matches!(kinds.get(1), Some((109 | 110, true))), "{found:?}");
            assert_eq!(kinds.len(), 2, "{found:?}");
        }
    }

    #[test]
    fn a_shift_within_the_bound_is_found_as_a_change() {
        // The standard deviation is 2, what the MAD makes of it 2.97.
        for (settings, shift) in [(ZSCORE, 5.0), (ROBUST, 7.0)] {
            let settings = Anomalies { sigma: 5.0, ..settings };
            let found = findings(&settings, (0..200).map(|n| steady(n) - if n < 100 { 0.0 } else { shift }));
            let [(at, Finding::Moved { is_lower: true, .. })] = found.as_slice() else { panic!("{found:?}") };
            assert!((105..130).contains(at), "{at}");
        }
    }

    #[test]
    fn without_change_points_the_window_moves_on_silently() {
        let settings = Anomalies { change_points: false, ..ZSCORE };
        let found = findings(&settings, (0..300).map(|n| steady(n) + if n < 100 { 0.0 } else { 20.0 }));
        assert!(matches!(found.as_slice(), [(100, Finding::Unusual { .. })]), "{found:?}");
    }

    #[test]
    fn outliers_in_the_window_do_not_blind_the_robust_method() {
        // Every fifth value is wild. That makes the standard deviation so large that 68 seems usual.
        let wild = |n: usize| if n % 5 == 4 && n < 100 { 90.0 } else { steady(n) };
        let values = |n: usize| if n == 103 { 68.0 } else { wild(n) };
        let is_found = |settings: &Anomalies| {
            let settings = Anomalies { change_threshold: 10_000.0, ..*settings };
            findings(&settings, (0..110).map(values)).iter().any(|(n, _)| *n == 103)
        };
        assert!(is_found(&ROBUST));
        assert!(!is_found(&ZSCORE));
    }

    #[test]
    fn the_trembling_of_a_steady_value_is_no_anomaly() {
        for settings in [ZSCORE, ROBUST] {
            assert_eq!(findings(&settings, (0..200).map(|n| if n % 40 == 39 { 230.1 } else { 230.0 })), []);
        }
    }

    #[test]
    fn a_constant_that_becomes_another_one_is_taken_up_also_from_zero() {
        for settings in [ZSCORE, ROBUST] {
            let found = findings(&settings, (0..200).map(|n| if n < 100 { 0.0 } else { 1e-3 }));
            assert!(
                matches!(
                    found.as_slice(),
                    [(100, Finding::Unusual { deviations: 999.0, .. }), (110, Finding::Moved { .. })]
                ),
                "{found:?}"
            );
        }
    }

    #[test]
    fn values_beyond_what_sums_can_hold_do_no_lasting_harm() {
        let wild = |n: usize| [1e308, -1e308, f64::MAX, f64::MIN][n % 4];
        let values = (0..100).map(wild).chain((0..400).map(|n| if n == 390 { 90.0 } else { steady(n) }));
        let found = findings(&ZSCORE, values);
        assert!(found.iter().any(|(n, f)| *n == 490 && matches!(f, Finding::Unusual { .. })), "{found:?}");
    }
}
