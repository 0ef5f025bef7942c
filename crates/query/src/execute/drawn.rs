//! Functions that pick the points of a plot: the folds of `first`, `last`, `min` and `max` tell the points of each window among which
//! [`Method`] picks.

use model::FieldType;

use super::calls::{Aggregate, Call};
use super::computed::Work;
use super::folds::{Folded, Wanted};
use super::group::Meaning;
use super::sequence::Sequence;
use crate::QueryError;
use crate::aggregate::{Picked, Point, Wants, is_numeric};
use crate::plot::{Column, Method};

impl<'a> Work<'_, 'a, '_> {
    /// The points that a plot keeps of the group.
    pub(super) fn drawn(
        &mut self,
        call: &Call<'a>,
        aggregate: Aggregate<'a>,
        method: Method,
    ) -> Result<Sequence, QueryError> {
        let Some(kind) = self.kind_of(call.leaf) else { return Ok(Sequence::default()) };
        let functions: &[&str] = if is_numeric(kind) { &["first", "last", "min", "max"] } else { &["first", "last"] };
        let wanted = |name: &&str| {
            let function = self.job.registry.get(name)?;
            let (leaf, field) = (call.leaf, aggregate.field);
            Ok(Wanted { function, arguments: Vec::new(), leaf, field, wants: Wants::Origin })
        };
        let wanted = functions.iter().map(wanted).collect::<Result<Vec<_>, QueryError>>()?;
        let folded = self.fold_range(&wanted, self.range_of(call))?;
        let held = folded.starts.len() * size_of::<Column>();
        self.job.hold(held)?;
        let points = method.pick(columns(folded), aggregate.count());
        self.job.release(held);
        Ok(Sequence::of_points(points))
    }

    /// Type of a field.
    fn kind_of(&self, leaf: usize) -> Option<FieldType> {
        self.views.iter().find_map(|view| match view.meanings.get(leaf) {
            Some(&Meaning::Field(slot)) => view.slots.get(slot).map(|slot| slot.kind),
            _ => None,
        })
    }
}

/// The windows that have points, in the order of time.
fn columns(folded: Folded) -> Vec<Column> {
    let mut functions: Vec<_> = folded.picked.into_iter().map(Vec::into_iter).collect();
    let windows = 0..folded.starts.len();
    // Every function moves on to the next window, whatever it has found in this one.
    let picked = windows.map(|_| functions.iter_mut().map(|f| point(f.next().flatten())).collect::<Vec<_>>());
    picked.filter_map(column).collect()
}

fn column(picked: Vec<Option<Point>>) -> Option<Column> {
    let points: Vec<Point> = picked.into_iter().collect::<Option<_>>()?;
    match <[Point; 4]>::try_from(points) {
        Ok([first, last, min, max]) => Some(Column { first, last, extremes: Some([min, max]) }),
        Err(ends) => {
            let [first, last] = <[Point; 2]>::try_from(ends).ok()?;
            Some(Column { first, last, extremes: None })
        }
    }
}

fn point(picked: Option<Picked>) -> Option<Point> {
    let Picked { cell, at } = picked?;
    at.map(|at| Point { time: at.time, cell, at: Some(at) })
}
