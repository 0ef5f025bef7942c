//! Cuts the time of a long answer into slices, so that its rows are given out slice by slice and not held all at once.

use model::{TimeRange, TimestampNs};

use super::feed::Feed;
use super::group::{Group, Meaning};
use super::layout::Layout;
use crate::plan::{FillWith, Order};
use crate::store::Extent;

/// Points of a slice, roughly: enough that most queries have only one.
const SLICE_POINTS: u64 = 400_000;
/// Times that a range is halved, at most.
const MAX_HALVINGS: u32 = 12;

/// The slices of a group of stored points, in the order in which they are read.
pub(super) fn of(layout: &Layout<'_>, feed: &mut Feed<'_>, group: &Group) -> Vec<TimeRange> {
    let plan = layout.plan;
    // A null at the start of a slice would not know the value before it.
    if plan.fill == FillWith::Previous {
        return vec![plan.range];
    }
    let extents = extents(layout, feed, group);
    let mut slices = Vec::new();
    let first = extents.iter().map(|extent| extent.first).min();
    let last = extents.iter().map(|extent| extent.last).max();
    if let (Some(first), Some(last)) = (first, last) {
        let held = TimeRange::new(first.max(plan.range.start), last.saturating_add(1).min(plan.range.end));
        halve(held, &extents, MAX_HALVINGS, &mut slices);
    }
    // Whatever the extents say: nothing of the range is left out.
    if let Some(first) = slices.first_mut() {
        first.start = plan.range.start;
    }
    if let Some(last) = slices.last_mut() {
        last.end = plan.range.end;
    }
    if slices.is_empty() {
        slices.push(plan.range);
    }
    if plan.order == Order::Descending {
        slices.reverse();
    }
    slices
}

fn extents(layout: &Layout<'_>, feed: &mut Feed<'_>, group: &Group) -> Vec<Extent> {
    let mut extents = Vec::new();
    for member in &group.members {
        let Some(view) = feed.views.get(member.view) else { continue };
        for leaf in &layout.aux {
            if let Some(&Meaning::Field(slot)) = view.meanings.get(*leaf) {
                feed.extents(member, slot, layout.plan.range, &mut extents);
            }
        }
    }
    extents
}

/// Halves a range until its parts have few enough points.
fn halve(range: TimeRange, extents: &[Extent], halvings: u32, slices: &mut Vec<TimeRange>) {
    let inside: Vec<Extent> = extents.iter().filter(|e| range.meets(e.first, e.last)).copied().collect();
    let points: f64 = inside.iter().map(|extent| points_inside(extent, range)).sum();
    let middle = TimestampNs(i64::midpoint(range.start.0, range.end.0));
    if halvings == 0 || points <= SLICE_POINTS as f64 || middle <= range.start {
        return slices.push(range);
    }
    halve(TimeRange::new(range.start, middle), &inside, halvings - 1, slices);
    halve(TimeRange::new(middle, range.end), &inside, halvings - 1, slices);
}

/// Points of an extent inside a range, as if they came at regular times.
fn points_inside(extent: &Extent, range: TimeRange) -> f64 {
    let length = |from: TimestampNs, to: TimestampNs| (i128::from(to.0) - i128::from(from.0)) as f64 + 1.0;
    let (from, to) = (extent.first.max(range.start), extent.last.min(range.end.saturating_add(-1)));
    extent.count as f64 * (length(from, to) / length(extent.first, extent.last)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_meet_and_hold_about_as_many_points() {
        let extents: Vec<Extent> = (0..1000)
            .map(|i| Extent { first: TimestampNs(i * 1000), last: TimestampNs(i * 1000 + 999), count: 2000 })
            .collect();
        let whole = TimeRange::new(TimestampNs(0), TimestampNs(1_000_000));
        let mut slices = Vec::new();
        halve(whole, &extents, MAX_HALVINGS, &mut slices);
        assert_eq!(slices.len(), 8);
        assert!(slices.windows(2).all(|pair| matches!(pair, [a, b] if a.end == b.start)));
        assert_eq!((slices[0].start, slices[7].end), (whole.start, whole.end));
    }
}
