//! A plan gives points. They have positions from 0 to [`Plan::len`], in one of two orders; any range of positions can be made on its own.

use std::iter::FusedIterator;
use std::ops::Range;

use model::line::print_line;
use model::{FieldValue, TimestampNs, WindowNs};

use crate::anomaly::Anomaly;
use crate::nodes::Node;
use crate::options::{Options, OptionsError, Subject};
use crate::quantity::{Shape, Volatility, nearest};
use crate::random::{Purpose, symmetric};
use crate::runs::Schedule;
use crate::series::{self, Series};
use crate::shape::Levels;

/// Points over which the slow part of the noise goes from one value to the next.
const DRIFT_POINTS: i64 = 16;
/// The slow part of the noise.
const DRIFT_SHARE: f64 = 0.4;
/// Size of the steps of set-points.
const SETPOINT_STEP: f64 = 10.0;

/// In which order points have their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// All series at the first time, then all at the second, ...: as they would be measured.
    ByTime,
    /// All times of the first series, then all of the second, ...
    BySeries,
}

/// What is generated, down to the last bit. Making one takes time and memory by the number of series, not by the length of time.
#[derive(Debug, Clone)]
pub struct Plan {
    options: Options,
    series: Vec<Series>,
    ticks: u64,
    step: WindowNs,
    jitter_ms: u32,
    schedule: Schedule,
}

/// One value at one instant.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'p> {
    /// Its series.
    pub series: &'p Series,
    /// When.
    pub time: TimestampNs,
    /// The field `value`.
    pub value: f64,
}

impl Plan {
    /// Checks the options and lists the series.
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what is expected.
    pub fn new(options: Options) -> Result<Self, OptionsError> {
        let checked = options.check()?;
        let series = match &options.subject {
            Subject::Nodes(nodes) => series::of_nodes(*nodes, options.seed),
            Subject::Ems(plant) => series::of_ems(plant, options.seed),
        };
        let schedule = Schedule::new(options.anomalies);
        Ok(Self { options, series, ticks: checked.ticks, step: checked.step, jitter_ms: checked.jitter_ms, schedule })
    }

    /// The options it was made of.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// All series, in the order of points at one time.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// All nodes; none for a plant.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        let nodes = match self.options.subject {
            Subject::Nodes(nodes) => nodes,
            Subject::Ems(_) => crate::nodes::NodeOptions::NONE,
        };
        nodes.nodes()
    }

    /// Times at which every series has a point.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The time of a tick, without jitter; ticks count from 0. Beyond the last one it goes on at the same pace.
    pub fn time(&self, tick: u64) -> TimestampNs {
        let after_start = i128::from(tick) * i128::from(self.step.get());
        let time = i128::from(self.options.range.start.0) + after_start;
        TimestampNs(i64::try_from(time).unwrap_or(i64::MAX))
    }

    /// Number of points.
    pub fn len(&self) -> u64 {
        self.ticks * self.series.len() as u64
    }

    /// Never: a plan has points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions of part `index` of `count` parts of nearly the same size, in order; empty when there is no such part.
    pub fn part(&self, index: u64, count: u64) -> Range<u64> {
        let from = |index: u64| {
            let position = u128::from(self.len()) * u128::from(index) / u128::from(count.max(1));
            u64::try_from(position).unwrap_or(u64::MAX).min(self.len())
        };
        if index < count { from(index)..from(index + 1) } else { 0..0 }
    }

    /// The positions of all points of some ticks, in [`Order::ByTime`].
    pub fn positions_of_ticks(&self, ticks: Range<u64>) -> Range<u64> {
        let series = self.series.len() as u64;
        ticks.start.min(self.ticks) * series..ticks.end.min(self.ticks) * series
    }

    /// The points at some positions; positions at or beyond [`Plan::len`] have none.
    pub fn samples(&self, order: Order, positions: Range<u64>) -> Samples<'_> {
        let end = positions.end.min(self.len());
        let left = end.saturating_sub(positions.start);
        let series = self.series.len() as u64;
        let (tick, series) = match order {
            Order::ByTime => (positions.start / series, positions.start % series),
            Order::BySeries => (positions.start % self.ticks, positions.start / self.ticks),
        };
        let now = Instant::at(self, tick);
        Samples { plan: self, order, left, tick, series: series as usize, now }
    }

    /// Appends the points at some positions as line protocol, times in nanoseconds.
    pub fn write_lines(&self, order: Order, positions: Range<u64>, out: &mut Vec<u8>) {
        for Sample { series, time, value } in self.samples(order, positions) {
            let (key, value) = (series.key().as_bytes(), ("value", FieldValue::Float(value)));
            match series.unit_field() {
                Some(unit) => print_line(out, key, [value, ("unit", FieldValue::String(unit))], time),
                None => print_line(out, key, [value], time),
            }
        }
    }

    /// What goes wrong during some ticks, series by series, each in order of time; cut at both ends. With `0..u64::MAX` everything.
    pub fn anomalies(&self, ticks: Range<u64>) -> impl Iterator<Item = Anomaly> {
        let ticks = ticks.start..ticks.end.min(self.ticks);
        let series = if ticks.is_empty() { &[] } else { self.series.as_slice() };
        series.iter().flat_map(move |series| self.anomalies_of(series, ticks.clone()))
    }

    fn anomalies_of(&self, series: &Series, ticks: Range<u64>) -> impl Iterator<Item = Anomaly> {
        let origin = self.absolute(0);
        let (first, last) = (self.absolute(ticks.start), self.absolute(ticks.end) - 1);
        self.schedule.between(series, first, last).map(move |run| {
            let from = run.first.max(first).abs_diff(origin);
            let until = (run.first + run.len).min(last + 1).abs_diff(origin);
            let end = self.time(until).min(self.options.range.end);
            let series = series.key().to_owned();
            Anomaly { series, kind: run.kind, start: self.time(from), end, factor: run.factor }
        })
    }

    /// Steps since 1970, which make values a function of time, whatever the start of the plan.
    fn absolute(&self, tick: u64) -> i64 {
        self.options.range.start.0.div_euclid(self.step.get()).saturating_add_unsigned(tick)
    }

    fn sample<'p>(&'p self, series: &'p Series, now: &Instant) -> Sample<'p> {
        let normal = normal(series, now);
        let run = self.schedule.at(series, now.absolute);
        let value = run.map_or(normal, |run| run.apply(normal));
        Sample { series, time: self.late(series, now), value: series.quantity().finish(value) }
    }

    fn late(&self, series: &Series, now: &Instant) -> TimestampNs {
        if self.jitter_ms == 0 {
            return now.time;
        }
        let random = series.random.branch(Purpose::Jitter).at(now.absolute) >> 32;
        let late_ms = (random * (u64::from(self.jitter_ms) + 1)) >> 32;
        let last = self.options.range.end.0 - 1;
        TimestampNs(now.time.saturating_add(late_ms.cast_signed() * 1_000_000).0.min(last))
    }
}

/// What all series have in common at one time.
#[derive(Debug, Clone, Copy)]
struct Instant {
    time: TimestampNs,
    absolute: i64,
    levels: Levels,
}

impl Instant {
    fn at(plan: &Plan, tick: u64) -> Self {
        let time = plan.time(tick);
        Self { time, absolute: plan.absolute(tick), levels: Levels::at(time, plan.options.utc_offset) }
    }

    /// The one a step later: what [`Instant::at`] gives, without its divisions.
    fn next(self, plan: &Plan) -> Self {
        let time = self.time.saturating_add(plan.step.get());
        Self { time, absolute: self.absolute.saturating_add(1), levels: Levels::at(time, plan.options.utc_offset) }
    }
}

/// The value of a series while nothing is wrong.
fn normal(series: &Series, now: &Instant) -> f64 {
    let quantity = series.quantity();
    let level = now.levels.of(quantity.shape);
    let mean = series.base * (1.0 + quantity.swing * (level - 0.5));
    match quantity.shape {
        Shape::State | Shape::Command => level,
        Shape::Steps => nearest(mean / SETPOINT_STEP) * SETPOINT_STEP,
        Shape::Load | Shape::Warmth | Shape::Charge if quantity.volatility == Volatility::None => mean,
        Shape::Load | Shape::Warmth | Shape::Charge => {
            mean + series.base * quantity.volatility.share() * noise(series, now.absolute)
        }
    }
}

/// Within -1..1: a part that is new with every point, and one that drifts.
fn noise(series: &Series, absolute: i64) -> f64 {
    let bits = series.random.branch(Purpose::Noise).at(absolute);
    let quick = (symmetric(bits as u32) + symmetric((bits >> 32) as u32)) * 0.5;
    let drift = series.random.branch(Purpose::Drift);
    let (block, place) = (absolute.div_euclid(DRIFT_POINTS), absolute.rem_euclid(DRIFT_POINTS));
    let (from, to) = (symmetric(drift.at(block) as u32), symmetric(drift.at(block.wrapping_add(1)) as u32));
    let slow = from + (to - from) * (place as f64 / DRIFT_POINTS as f64);
    quick * (1.0 - DRIFT_SHARE) + slow * DRIFT_SHARE
}

/// The points of [`Plan::samples`].
#[derive(Debug, Clone)]
pub struct Samples<'p> {
    plan: &'p Plan,
    order: Order,
    left: u64,
    tick: u64,
    series: usize,
    now: Instant,
}

impl<'p> Iterator for Samples<'p> {
    type Item = Sample<'p>;

    fn next(&mut self) -> Option<Sample<'p>> {
        self.left = self.left.checked_sub(1)?;
        let sample = self.plan.sample(self.plan.series.get(self.series)?, &self.now);
        self.advance();
        Some(sample)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).ok();
        (left.unwrap_or(usize::MAX), left)
    }
}

impl FusedIterator for Samples<'_> {}

impl Samples<'_> {
    fn advance(&mut self) {
        match self.order {
            Order::ByTime => self.next_series(),
            Order::BySeries => self.next_tick(),
        }
    }

    fn next_series(&mut self) {
        self.series += 1;
        if self.series == self.plan.series.len() {
            self.series = 0;
            self.next_instant();
        }
    }

    fn next_tick(&mut self) {
        if self.tick + 1 < self.plan.ticks {
            return self.next_instant();
        }
        self.series += 1;
        self.tick = 0;
        self.now = Instant::at(self.plan, 0);
    }

    fn next_instant(&mut self) {
        self.tick += 1;
        self.now = self.now.next(self.plan);
    }
}
