//! When something goes wrong with a series. Time is cut into blocks, and whether, where and how something happens in a block is one random
//! number: so any instant can be asked for on its own. A run never leaves its block.

use crate::anomaly::AnomalyKind;
use crate::options::AnomalyOptions;
use crate::quantity::{Faults, SMALLEST_FACTOR};
use crate::random::{Purpose, Stream, pick};
use crate::series::Series;

/// Points of a block that holds at most one spike, drop or flip.
const SHORT_BLOCK: i64 = 16;
/// Shortest run of them, how many lengths there are, and the mean.
const SHORT_MIN: i64 = 3;
const SHORT_LENGTHS: u32 = 5;
const SHORT_MEAN: f64 = 5.0;
/// Points of a block that holds at most one level shift; a whole number of the others.
const SHIFT_BLOCK: i64 = 256;
const SHIFT_MIN: i64 = 64;
const SHIFT_LENGTHS: u32 = 64;
const SHIFT_MEAN: f64 = 95.5;
/// What values are multiplied with or divided by.
const FACTORS: [f64; 3] = [SMALLEST_FACTOR, 2.5, 4.0];

const _: () = assert!(SHIFT_BLOCK % SHORT_BLOCK == 0);

/// Points that follow each other and are wrong in the same way. Ticks count steps since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    pub(crate) kind: AnomalyKind,
    pub(crate) first: i64,
    pub(crate) len: i64,
    /// What values are multiplied with; below 1 where they are divided. None: a state is the other one.
    pub(crate) factor: Option<f64>,
}

impl Run {
    fn holds(&self, tick: i64) -> bool {
        (self.first..self.first + self.len).contains(&tick)
    }

    fn meets(&self, other: &Self) -> bool {
        self.first < other.first + other.len && other.first < self.first + self.len
    }

    /// The value that `normal` becomes.
    pub(crate) fn apply(&self, normal: f64) -> f64 {
        match self.factor {
            Some(factor) => normal * factor,
            None => 1.0 - normal,
        }
    }
}

/// How often runs happen, as limits of 32-bit random numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    short: u32,
    shift: u32,
}

impl Schedule {
    pub(crate) fn new(options: AnomalyOptions) -> Self {
        let limit = |share: f64, block: i64, mean: f64| (share * block as f64 / mean * f64::from(u32::MAX)) as u32;
        Self {
            short: limit(options.probability, SHORT_BLOCK, SHORT_MEAN),
            shift: limit(options.level_shifts, SHIFT_BLOCK, SHIFT_MEAN),
        }
    }

    /// The run that a tick is part of.
    pub(crate) fn at(self, series: &Series, tick: i64) -> Option<Run> {
        if series.quantity().faults == Faults::None {
            return None;
        }
        let shift = self.shift_in(series, tick.div_euclid(SHIFT_BLOCK));
        let run = shift.filter(|shift| shift.holds(tick)).or_else(|| {
            let short = self.short_in(series, tick.div_euclid(SHORT_BLOCK)).filter(|short| short.holds(tick))?;
            // What a shift would cut does not happen, so that every label is true from end to end.
            Some(short).filter(|short| !shift.is_some_and(|shift| shift.meets(short)))
        });
        debug_assert!(run.is_none_or(|run| run.holds(tick)), "a run holds the tick it was found for");
        run
    }

    /// All runs that have ticks of `first..=last`, in order.
    pub(crate) fn between(self, series: &Series, first: i64, last: i64) -> impl Iterator<Item = Run> {
        let happens = series.quantity().faults != Faults::None && (self.short, self.shift) != (0, 0);
        let blocks = happens.then(|| first.div_euclid(SHIFT_BLOCK)..=last.div_euclid(SHIFT_BLOCK));
        let inside = move |run: &Run| run.first <= last && first < run.first + run.len;
        blocks.into_iter().flatten().flat_map(move |block| self.in_block(series, block)).filter(inside)
    }

    fn in_block(self, series: &Series, block: i64) -> Vec<Run> {
        let shift = self.shift_in(series, block);
        let parts = SHIFT_BLOCK / SHORT_BLOCK;
        let shorts = (block * parts..(block + 1) * parts).filter_map(|part| self.short_in(series, part));
        let mut runs: Vec<_> = shorts.filter(|short| !shift.is_some_and(|shift| shift.meets(short))).collect();
        runs.extend(shift);
        runs.sort_unstable_by_key(|run| run.first);
        runs
    }

    fn short_in(self, series: &Series, block: i64) -> Option<Run> {
        let draw = Draw::of(series.random.branch(Purpose::Anomaly), block, self.short)?;
        let len = SHORT_MIN + i64::from(pick(draw.length, SHORT_LENGTHS));
        let first = block * SHORT_BLOCK + i64::from(pick(draw.place, (SHORT_BLOCK - len + 1) as u32));
        let (kind, factor) = match (series.quantity().faults, draw.factor(series)) {
            (Faults::Flips, _) => (AnomalyKind::Flip, None),
            (_, factor) if factor > 1.0 => (AnomalyKind::Spike, Some(factor)),
            (_, factor) => (AnomalyKind::Drop, Some(factor)),
        };
        Some(Run { kind, first, len, factor })
    }

    fn shift_in(self, series: &Series, block: i64) -> Option<Run> {
        if self.shift == 0 || series.quantity().faults != Faults::Factors {
            return None;
        }
        let draw = Draw::of(series.random.branch(Purpose::Shift), block, self.shift)?;
        let len = SHIFT_MIN + i64::from(pick(draw.length, SHIFT_LENGTHS));
        let first = block * SHIFT_BLOCK + i64::from(pick(draw.place, (SHIFT_BLOCK - len + 1) as u32));
        Some(Run { kind: AnomalyKind::LevelShift, first, len, factor: Some(draw.factor(series)) })
    }
}

/// What the random number of a block says where something happens.
struct Draw {
    length: u8,
    place: u8,
    which: u8,
    up: bool,
}

impl Draw {
    /// None where nothing happens.
    fn of(stream: Stream, block: i64, limit: u32) -> Option<Self> {
        let [a, b, c, d, length, place, which, direction] = stream.at(block).to_le_bytes();
        let happens = u32::from_le_bytes([a, b, c, d]) < limit;
        happens.then_some(Self { length, place, which, up: direction & 1 == 1 })
    }

    /// Upwards only where it can be seen: a rate of 95 % cannot double.
    fn factor(&self, series: &Series) -> f64 {
        let factor = FACTORS.get(pick(self.which, 3) as usize).copied().unwrap_or(SMALLEST_FACTOR);
        if self.up && series.quantity().has_room_above() { factor } else { 1.0 / factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::NodeOptions;
    use crate::series::of_nodes;

    fn all_series() -> Vec<Series> {
        of_nodes(NodeOptions { vm: 1, host: 1, ne: 1, tru: 1, hostgroup: 1 }, 3)
    }

    #[test]
    fn runs_are_the_same_tick_by_tick_and_as_a_list() {
        let schedule = Schedule::new(AnomalyOptions { probability: 0.2, level_shifts: 0.2 });
        for series in all_series() {
            let listed: Vec<_> = schedule.between(&series, -1_000, 1_000).collect();
            assert!(listed.windows(2).all(|pair| pair[0].first + pair[0].len <= pair[1].first), "runs overlap");
            for tick in -1_000..=1_000 {
                let expected = listed.iter().find(|run| run.holds(tick)).copied();
                assert_eq!(schedule.at(&series, tick), expected, "tick {tick}");
            }
        }
    }

    #[test]
    fn as_many_points_are_wrong_as_was_asked_for() {
        for (options, kind) in [
            (AnomalyOptions { probability: 0.05, level_shifts: 0.0 }, "short"),
            (AnomalyOptions { probability: 0.0, level_shifts: 0.05 }, "shift"),
            (AnomalyOptions { probability: 0.3, level_shifts: 0.0 }, "many short"),
        ] {
            let schedule = Schedule::new(options);
            let asked = options.probability + options.level_shifts;
            let runs: i64 = all_series().iter().flat_map(|s| schedule.between(s, 0, 25_599)).map(|run| run.len).sum();
            let share = runs as f64 / (19.0 * 25_600.0);
            assert!((share - asked).abs() < 0.2 * asked, "{kind}: {share} instead of {asked}");
        }
    }

    #[test]
    fn nothing_happens_when_nothing_is_asked_for() {
        let schedule = Schedule::new(AnomalyOptions::NONE);
        assert_eq!(all_series().iter().flat_map(|series| schedule.between(series, 0, 9_999)).count(), 0);
    }

    #[test]
    fn what_is_near_its_upper_limit_only_falls() {
        let schedule = Schedule::new(AnomalyOptions { probability: 0.3, level_shifts: 0.3 });
        let series = all_series();
        let rate = series.iter().find(|series| series.point() == "success_rate").unwrap();
        assert!(schedule.between(rate, 0, 9_999).all(|run| run.factor < Some(1.0)));
        let load = series.iter().find(|series| series.point() == "load").unwrap();
        assert!(schedule.between(load, 0, 9_999).any(|run| run.kind == AnomalyKind::Spike));
        assert!(schedule.between(load, 0, 9_999).any(|run| run.kind == AnomalyKind::Drop));
    }
}
