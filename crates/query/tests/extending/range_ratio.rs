use model::{FieldType, SeriesId, TimeRange};
use query::aggregate::{Accumulator, AggregateFunction, Picked, Run, State, Wants};
use query::{Cell, Parts, Summary};

/// How far the values reach, in parts of their mean: `(max - min) / mean`. One argument may scale it, such as 100 for percent.
pub(crate) struct RangeRatio;

impl AggregateFunction for RangeRatio {
    fn name(&self) -> &'static str {
        "range_ratio"
    }

    fn accepts(&self, kind: FieldType) -> bool {
        matches!(kind, FieldType::Float | FieldType::Integer | FieldType::Unsigned)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn check_arguments(&self, arguments: &[f64]) -> Result<(), String> {
        match arguments {
            [] => Ok(()),
            [scale] if scale.is_finite() => Ok(()),
            _ => Err(format!("takes at most one argument, a scale, found {arguments:?}")),
        }
    }

    fn new_state(&self, arguments: &[f64], _: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        let scale = arguments.first().copied().unwrap_or(1.0);
        Box::new(Reach { scale, count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY })
    }
}

/// What is kept of one window.
struct Reach {
    scale: f64,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl State for Reach {
    // A run is a part of the points of one series; runs of several series follow each other.
    fn add(&mut self, run: &Run<'_>) {
        for value in run.values.floats() {
            self.count += 1;
            self.sum += value;
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
    }

    // With these parts a summary is as good as the points, so that chunks are not decoded and rollups can answer.
    // Leave out `parts` and `add_summary` where only points will do.
    fn parts(&self) -> Option<Parts> {
        Some(Parts::COUNT.and(Parts::SUM).and(Parts::MIN).and(Parts::MAX))
    }

    fn add_summary(&mut self, _series: SeriesId, summary: &Summary) {
        self.count += summary.count;
        self.sum += summary.sum;
        self.min = self.min.min(summary.min);
        self.max = self.max.max(summary.max);
    }

    // Another thread has seen the series that come after ours.
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    fn finish(self) -> Picked {
        let mean = self.sum / self.count as f64;
        let cell = if mean == 0.0 { Cell::Null } else { Cell::Float((self.max - self.min) / mean * self.scale) };
        Picked::value(cell)
    }
}
