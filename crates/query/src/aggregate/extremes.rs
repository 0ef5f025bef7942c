//! `min max spread`: constant memory, and content with summaries: with the times of the extremes in them where the point is wanted.
//!
//! All keep the field's type; `spread` of integers wraps as in InfluxDB. Of booleans `false` is the smaller one. Of several points with
//! the smallest or largest value the earliest is chosen.

use model::{FieldType, SeriesId, TimeRange};

use super::fold::Slots;
use super::kernel::{greater, largest, lesser, smallest};
use super::number::{Number, Plain, for_number, for_plain};
use super::{Accumulator, AggregateFunction, Fold, Origin, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;
use crate::{Parts, Summary};

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Extreme::Min), Box::new(Extreme::Max), Box::new(Spread)]
}

/// Smallest and largest value.
#[derive(Clone, Copy)]
enum Extreme {
    Min,
    Max,
}

impl Extreme {
    fn of<V: Plain>(self, values: &[V]) -> Option<V> {
        match self {
            Self::Min => smallest(values),
            Self::Max => largest(values),
        }
    }

    const fn part(self) -> Parts {
        match self {
            Self::Min => Parts::MIN,
            Self::Max => Parts::MAX,
        }
    }

    fn better<V: PartialOrd>(self, a: V, b: V) -> V {
        match self {
            Self::Min => lesser(a, b),
            Self::Max => greater(a, b),
        }
    }
}

impl AggregateFunction for Extreme {
    fn name(&self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    fn accepts(&self, kind: FieldType) -> bool {
        kind != FieldType::String
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        kind
    }

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange, wants: Wants) -> Box<dyn Accumulator> {
        match wants {
            Wants::Value => for_plain!(kind, V => ExtremeValue::<V> { best: None, wanted: *self }),
            Wants::Origin => for_plain!(kind, V => ExtremePoint::<V> { best: None, wanted: *self }),
        }
    }

    fn new_slots(&self, _: &[f64], kind: FieldType, wants: Wants) -> Option<Box<dyn Fold>> {
        Some(match wants {
            Wants::Value => for_plain!(kind, V => Slots::new(ExtremeValue::<V> { best: None, wanted: *self })),
            Wants::Origin => for_plain!(kind, V => Slots::new(ExtremePoint::<V> { best: None, wanted: *self })),
        })
    }
}

/// The value alone.
#[derive(Clone, Copy)]
struct ExtremeValue<V> {
    best: Option<V>,
    wanted: Extreme,
}

impl<V: Plain> ExtremeValue<V> {
    fn offer(&mut self, value: Option<V>) {
        self.best = match (self.best, value) {
            (Some(best), Some(value)) => Some(self.wanted.better(best, value)),
            (best, value) => best.or(value),
        };
    }
}

impl<V: Plain> State for ExtremeValue<V> {
    fn add(&mut self, run: &Run<'_>) {
        self.offer(self.wanted.of(V::slice(&run.values)));
    }

    fn parts(&self) -> Option<Parts> {
        V::parts(self.wanted.part())
    }

    fn add_summary(&mut self, _: SeriesId, summary: &Summary) {
        self.offer(V::from_summary(match self.wanted {
            Extreme::Min => summary.min,
            Extreme::Max => summary.max,
        }));
    }

    fn merge(&mut self, other: Self) {
        self.offer(other.best);
    }

    fn finish(self) -> Picked {
        self.best.map_or(Cell::Null, V::cell).into()
    }
}

/// The value and the earliest point that has it.
#[derive(Clone, Copy)]
struct ExtremePoint<V> {
    best: Option<(V, Origin)>,
    wanted: Extreme,
}

impl<V: Plain> ExtremePoint<V> {
    fn offer(&mut self, value: V, at: Origin) {
        let keeps = self.best.is_some_and(|(best, known)| match best == value {
            true => known.time <= at.time,
            false => self.wanted.better(best, value) == best,
        });
        if !keeps {
            self.best = Some((value, at));
        }
    }
}

impl<V: Plain> State for ExtremePoint<V> {
    fn add(&mut self, run: &Run<'_>) {
        let values = V::slice(&run.values);
        let Some(best) = self.wanted.of(values) else { return };
        let index = values.iter().position(|value| *value == best);
        if let Some(&time) = index.and_then(|index| run.times.get(index)) {
            self.offer(best, Origin { series: run.series, time });
        }
    }

    fn parts(&self) -> Option<Parts> {
        V::parts(Parts::EXTREMES.and(self.wanted.part()))
    }

    fn add_summary(&mut self, series: SeriesId, summary: &Summary) {
        let (value, time) = match self.wanted {
            Extreme::Min => (summary.min, summary.min_time),
            Extreme::Max => (summary.max, summary.max_time),
        };
        if let Some(value) = V::from_summary(value) {
            self.offer(value, Origin { series, time });
        }
    }

    fn merge(&mut self, other: Self) {
        if let Some((value, at)) = other.best {
            self.offer(value, at);
        }
    }

    fn finish(self) -> Picked {
        let Some((value, at)) = self.best else { return Picked::default() };
        Picked { cell: value.cell(), at: Some(at) }
    }
}

/// How far apart the smallest and the largest value are.
struct Spread;

impl AggregateFunction for Spread {
    fn name(&self) -> &'static str {
        "spread"
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        kind
    }

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        for_number!(kind, N => SpreadState::<N>(None))
    }

    fn new_slots(&self, _: &[f64], kind: FieldType, _: Wants) -> Option<Box<dyn Fold>> {
        Some(for_number!(kind, N => Slots::new(SpreadState::<N>(None))))
    }
}

/// Smallest and largest value.
#[derive(Clone, Copy)]
struct SpreadState<N>(Option<(N, N)>);

impl<N: Number> SpreadState<N> {
    fn widen(&mut self, low: N, high: N) {
        let (min, max) = self.0.unwrap_or((low, high));
        self.0 = Some((lesser(min, low), greater(max, high)));
    }
}

impl<N: Number> State for SpreadState<N> {
    fn add(&mut self, run: &Run<'_>) {
        let values = N::slice(&run.values);
        if let (Some(low), Some(high)) = (smallest(values), largest(values)) {
            self.widen(low, high);
        }
    }

    fn parts(&self) -> Option<Parts> {
        N::parts(Parts::MIN.and(Parts::MAX))
    }

    fn add_summary(&mut self, _: SeriesId, summary: &Summary) {
        if let (Some(min), Some(max)) = (N::from_summary(summary.min), N::from_summary(summary.max)) {
            self.widen(min, max);
        }
    }

    fn merge(&mut self, other: Self) {
        if let Some((low, high)) = other.0 {
            self.widen(low, high);
        }
    }

    fn finish(self) -> Picked {
        self.0.map_or(Cell::Null, |(low, high)| high.minus(low).cell()).into()
    }
}
