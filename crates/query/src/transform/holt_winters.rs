//! `holt_winters`: forecast by damped trend and, on demand, multiplicative seasons, fitted to the points.
//!
//! Model and starting values are InfluxDB's: level, trend and one factor a place in the season, smoothed by alpha, beta and gamma
//! and damped by phi; all of them are fitted by [`super::nelder_mead`] from a grid of guesses, least squared error first.

use model::TimestampNs;

use super::nelder_mead::{Minimum, minimise};
use super::{Sample, computed};
use crate::aggregate::Point;
use crate::result::Cell;

/// Weight of the first value in the first guesses.
const FIRST_WEIGHT: f64 = 0.5;
/// The fit ends when the squared errors at the corners of the simplex differ by less.
const EPSILON: f64 = 1e-4;
/// Guesses of each of alpha, beta, gamma and phi.
const GUESSES: [f64; 2] = [0.3, 0.7];
/// Longest sequence that is fitted, points that are missing in it included; the fit takes time for each.
const MAX_LENGTH: i128 = 100_000;

/// Parameters before the factors of the season: alpha, beta, gamma, phi, level, trend.
const PARAMETERS: usize = 6;

/// What is to be forecast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Points to forecast.
    pub(super) horizon: usize,
    /// Points a season; below 2: no season.
    pub(super) season: usize,
    /// Nanoseconds from one point to the next, above 0.
    pub(super) interval_ns: i64,
    /// The fitted values of the past come, too.
    pub(super) with_fit: bool,
}

/// The forecast; nothing where there are too few points or newer ones come first.
pub(super) fn forecast(samples: &[Sample], wanted: Wanted) -> Vec<Point> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Vec::new() };
    if samples.len() < 2 || wanted.season >= 2 && samples.len() < wanted.season || wanted.horizon == 0 {
        return Vec::new();
    }
    let Some(past) = evenly_spaced(samples, wanted.interval_ns) else { return Vec::new() };
    let model = Model { past, season: if wanted.season < 2 { 0 } else { wanted.season } };
    let Some(mut parameters) = model.fit() else { return Vec::new() };
    let values = model.run(wanted.horizon, &mut parameters);
    let (skipped, from, offset) = if wanted.with_fit { (0, first.time, 0) } else { (model.past.len(), last.time, 1) };
    let at = |index: usize| from.saturating_add(wanted.interval_ns.saturating_mul((index + offset) as i64));
    let values = values.into_iter().skip(skipped).enumerate();
    values.filter(|(_, value)| !value.is_nan()).map(|(i, value)| computed(at(i), Cell::Float(value))).collect()
}

/// One value an interval, NaN where there is none; the first of several counts.
fn evenly_spaced(samples: &[Sample], interval_ns: i64) -> Option<Vec<f64>> {
    let (first, last) = (samples.first()?, samples.last()?);
    let place = |time| rounded(time, interval_ns) - rounded(first.time, interval_ns);
    if !(1..MAX_LENGTH).contains(&place(last.time)) {
        return None;
    }
    let mut values = Vec::new();
    for sample in samples {
        let index = usize::try_from(place(sample.time)).unwrap_or(0);
        if index >= values.len() {
            values.resize(index, f64::NAN);
            values.push(sample.value.float());
        }
    }
    Some(values)
}

/// Number of the interval whose start is nearest.
fn rounded(time: TimestampNs, interval_ns: i64) -> i128 {
    let (time, interval) = (i128::from(time.0), i128::from(interval_ns));
    time / interval + i128::from(time % interval > interval / 2)
}

struct Model {
    past: Vec<f64>,
    /// 0: none.
    season: usize,
}

impl Model {
    /// The best parameters; `None` where the past is shorter than what is needed.
    fn fit(&self) -> Option<Vec<f64>> {
        let mut start = self.first_guess()?;
        let mut best: Option<Minimum> = None;
        for guess in 0..GUESSES.len().pow(4) {
            // Alpha changes slowest, phi fastest.
            for (bit, parameter) in start.iter_mut().take(4).enumerate() {
                *parameter = GUESSES.get(guess >> (3 - bit) & 1).copied()?;
            }
            let found = minimise(&mut |parameters| self.squared_error(parameters), &start, EPSILON);
            if best.as_ref().is_none_or(|best| found.value < best.value) {
                best = Some(found);
            }
        }
        best.map(|best| best.at)
    }

    fn first_guess(&self) -> Option<Vec<f64>> {
        let mut start = vec![0.0; 4];
        if self.season == 0 {
            let (first, second) = (*self.past.first()?, *self.past.get(1)?);
            let trend = if second.is_nan() { 0.0 } else { FIRST_WEIGHT * (second - first) };
            start.extend([FIRST_WEIGHT * first, trend]);
            return Some(start);
        }
        let m = self.season as f64;
        let year = self.past.get(..self.season)?;
        let level = year.iter().filter(|y| !y.is_nan()).map(|y| y / m).sum::<f64>();
        let next = self.past.iter().skip(self.season);
        let rises = year.iter().zip(next).map(|(y, next)| (next - y) / (m * m));
        start.extend([level, rises.filter(|rise| !rise.is_nan()).sum()]);
        start.extend(year.iter().map(|y| if y.is_nan() { 0.0 } else { y / level }));
        Some(start)
    }

    /// The fitted past and `horizon` values more. Brings the parameters inside their bounds and leaves the last season in them.
    fn run(&self, horizon: usize, parameters: &mut [f64]) -> Vec<f64> {
        let Some((fixed, seasons)) = parameters.split_first_chunk_mut::<PARAMETERS>() else { return Vec::new() };
        fixed.iter_mut().take(4).for_each(constrain);
        let [alpha, beta, gamma, phi, mut level, mut trend] = *fixed;
        let mut value = self.past.first().copied().unwrap_or(f64::NAN);
        let mut damping = phi;
        let mut out = vec![value];
        let m = self.season;
        for t in 1..self.past.len() + horizon {
            // The ring of seasonal factors moves on by one with each value written, and so does the place read from.
            let place = |offset: usize| (2 * t + m - 2 + offset) % m.max(1);
            let factor = |seasons: &[f64], at| if m == 0 { 1.0 } else { seasons.get(at).copied().unwrap_or(1.0) };
            let (now, ahead) = (factor(seasons, place(0)), factor(seasons, place(t.checked_rem(m).unwrap_or(0))));
            let expected = level + phi * trend;
            let new_level = alpha * (value / now) + (1.0 - alpha) * expected;
            let new_trend = beta * (new_level - level) + (1.0 - beta) * phi * trend;
            let new_factor = gamma * (value / expected) + (1.0 - gamma) * now;
            value = (new_level + damping * new_trend) * ahead;
            (level, trend) = (new_level, new_trend);
            damping += phi.powf(t as f64);
            if let Some(place) = seasons.get_mut(place(0)) {
                *place = new_factor;
            }
            out.push(value);
        }
        out
    }

    fn squared_error(&self, parameters: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for (fitted, actual) in self.run(0, parameters).into_iter().zip(&self.past).filter(|(_, y)| !y.is_nan()) {
            if fitted.is_nan() {
                return f64::INFINITY;
            }
            sum += (fitted - actual) * (fitted - actual);
        }
        sum
    }
}

/// Into 0 to 1; NaN stays.
fn constrain(parameter: &mut f64) {
    *parameter = parameter.clamp(0.0, 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::Number;

    /// Nights of tourists in Australia, a quarter a value (Hyndman and Athanasopoulos, Forecasting: principles and practice).
    const TOURISTS: [f64; 48] = [
        30.052513, 19.148496, 25.317692, 27.591437, 32.076456, 23.487961, 28.47594, 35.123753, 36.838485, 25.007017,
        30.72223, 28.693759, 36.640986, 23.824609, 29.311683, 31.770309, 35.177877, 19.775244, 29.60175, 34.538842,
        41.273599, 26.655862, 28.279859, 35.191153, 41.727458, 24.04185, 32.328103, 37.328708, 46.213153, 29.346326,
        36.48291, 42.977719, 48.901525, 31.180221, 37.717881, 40.420211, 51.206863, 31.887228, 40.978263, 43.772491,
        55.558567, 33.850915, 42.076383, 45.642292, 59.76678, 35.191877, 44.319737, 47.913736,
    ];

    fn samples(values: &[f64]) -> Vec<Sample> {
        let point = |(i, &v): (usize, &f64)| Sample { time: TimestampNs(i as i64 + 1), value: Number::Float(v) };
        values.iter().enumerate().map(point).collect()
    }

    fn wanted(horizon: usize, season: usize) -> Wanted {
        Wanted { horizon, season, interval_ns: 1, with_fit: false }
    }

    #[test]
    fn a_season_is_forecast_as_influxdb_does() {
        let expected = [
            51.850_641_321_378_53,
            43.260_552_823_152_73,
            41.827_258_044_814_464,
            54.399_035_459_174_9,
            54.623_344_727_708_03,
            45.571_556_936_252_09,
            44.060_512_402_522_63,
            57.300_298_707_594_33,
            57.535_915_135_191_72,
            47.999_008_139_396_096,
        ];
        let points = forecast(&samples(&TOURISTS), wanted(10, 4));
        assert_eq!(points.first().map(|point| point.time), Some(TimestampNs(49)));
        let values: Vec<_> = points.into_iter().map(|point| point.cell).collect();
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(expected) {
            let Cell::Float(value) = value else { panic!("{value:?}") };
            assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
        }
    }
}
