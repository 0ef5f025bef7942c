//! Functions that see the points of a group one by one: transformations of the points of a field, and functions that may give
//! several points a window (`top`, `bottom`, `sample`, `distinct`, and the areas of `integral`). Those that draw plots are in `drawn`.

use model::{TimeRange, TimestampNs};

use super::calls::{Aggregate, Call};
use super::computed::Work;
use super::points;
use super::sequence::Sequence;
use crate::QueryError;
use crate::aggregate::{Origin, Point};
use crate::pick;
use crate::result::Cell;

impl<'a> Work<'_, 'a, '_> {
    /// Calls that see the points of the group one by one.
    pub(super) fn point_by_point(&mut self, call: &Call<'a>) -> Result<Sequence, QueryError> {
        if let Some(aggregate) = call.aggregate
            && let Some(method) = aggregate.plots()
        {
            return self.drawn(call, aggregate, method);
        }
        let range = self.range_of(call);
        let points = points::of_field(self.group, call.leaf, range, self.feed, self.threads)?;
        let held = points.len() * size_of::<Point>();
        let Some(aggregate) = call.aggregate else { return Ok(Sequence::of_points(points)) };
        aggregate.check_type(&points)?;
        let result = self.several(aggregate, points);
        self.job.release(held);
        let stays_in_windows = matches!(aggregate.call.function.as_str(), "top" | "bottom" | "sample");
        Ok(Sequence { stays_in_windows, ..Sequence::of_points(result) })
    }

    /// Functions that give several points a window.
    fn several(&self, aggregate: Aggregate<'_>, points: Vec<Point>) -> Vec<Point> {
        let plan = self.layout.plan;
        let windows = &self.layout.windows;
        if aggregate.call.function == pick::INTEGRAL {
            return self.integral(aggregate, &points);
        }
        let mut result = Vec::new();
        for (window, points) in points::by_window(points, |time| windows.containing(time)) {
            let count = aggregate.count();
            let function = aggregate.call.function.as_str();
            match function {
                "top" => result.append(&mut pick::top(self.candidates(aggregate, points, pick::Side::Largest), count)),
                "bottom" => {
                    result.append(&mut pick::bottom(self.candidates(aggregate, points, pick::Side::Smallest), count));
                }
                "sample" => result.append(&mut pick::sample(points, count, window.start.0.cast_unsigned())),
                _ => {
                    let label = windows.label(if windows.divide() { window.start } else { plan.range.start });
                    result.extend(pick::distinct(points).into_iter().map(|point| Point { time: label, ..point }));
                }
            }
        }
        result
    }

    /// The area under the points, of each window or of all.
    fn integral(&self, aggregate: Aggregate<'_>, points: &[Point]) -> Vec<Point> {
        let windows = &self.layout.windows;
        let unit = aggregate.call.arguments.first();
        let unit_ns = if let Some(Cell::Integer(unit)) = unit { *unit } else { 1_000_000_000 };
        let containing = |time| windows.containing(time);
        let by_window: Option<&dyn Fn(TimestampNs) -> TimeRange> =
            if windows.divide() { Some(&containing) } else { None };
        // NOTE: as in InfluxDB, the area of a whole range stands at its start for integers and at the epoch for floats.
        let is_integer = matches!(points.first(), Some(Point { cell: Cell::Integer(_), .. }));
        let wanted =
            pick::Integral { unit_ns, order: self.layout.plan.direction, integers: is_integer, windows: by_window };
        let mut result = pick::integral(points, wanted);
        if !windows.divide() && is_integer {
            let label = windows.label(self.layout.plan.range.start);
            result.iter_mut().for_each(|point| point.time = label);
        }
        result
    }

    /// Points that `top` and `bottom` choose from: with keys, the best of each combination of their values.
    fn candidates(&self, aggregate: Aggregate<'_>, points: Vec<Point>, best: pick::Side) -> Vec<Point> {
        if aggregate.call.keys.is_empty() {
            return points;
        }
        let leaves: Vec<Option<usize>> =
            aggregate.call.keys.iter().map(|key| self.layout.leaves.iter().position(|l| l == key)).collect();
        let key_of = |origin: Option<Origin>| {
            leaves.iter().map(|leaf| self.tag(leaf.as_ref().copied(), origin)).collect::<Vec<_>>()
        };
        pick::best_per_key(points.into_iter().map(|point| (key_of(point.at), point)), best)
    }
}
