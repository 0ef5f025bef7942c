//! Functions that need the points of a group one by one, in the order of time: several results a window, or sequences.

use model::{SeriesId, TimeRange, TimestampNs};

use super::feed::{Feed, Part};
use super::group::{Group, Meaning, Member};
use super::parallel;
use crate::QueryError;
use crate::aggregate::{Origin, Point};
use crate::result::Cell;
use crate::scan::Wish;

/// Neighbouring series that one thread reads at a time.
const SERIES_A_BLOCK: usize = 16;

/// The points of one field of a group, oldest first; those of the same time in the order of the series.
pub(super) fn of_field(
    group: &Group,
    leaf: usize,
    range: TimeRange,
    feed: &mut Feed<'_>,
    threads: usize,
) -> Result<Vec<Point>, QueryError> {
    let numbered: Vec<(u32, &Member)> = (0..).zip(&group.members).collect();
    let lists = if threads <= 1 || numbered.len() <= SERIES_A_BLOCK {
        numbered
            .iter()
            .map(|(number, member)| of_member(feed, member, *number, leaf, range))
            .collect::<Result<Vec<_>, _>>()?
    } else {
        let (job, views) = (feed.job, feed.views);
        let read =
            |feed: &mut Feed<'_>, (number, member): &(u32, &Member)| of_member(feed, member, *number, leaf, range);
        parallel::map(&numbered, threads, SERIES_A_BLOCK, &|| Feed::new(job, views), &read)?
    };
    let is_one = lists.len() == 1;
    let mut points: Vec<Point> = lists.into_iter().flatten().collect();
    if !is_one {
        // Stable: it merges ascending runs, and keeps the order of the series.
        points.sort_by_key(|point| point.time);
    }
    Ok(points)
}

fn of_member(
    feed: &mut Feed<'_>,
    member: &Member,
    number: u32,
    leaf: usize,
    range: TimeRange,
) -> Result<Vec<Point>, QueryError> {
    let view = feed.views.get(member.view);
    let Some(&Meaning::Field(slot)) = view.and_then(|view| view.meanings.get(leaf)) else { return Ok(Vec::new()) };
    let mut points = Vec::new();
    let job = feed.job;
    feed.points(member, slot, range, &Wish::POINTS, &mut |part| {
        let Part::Points(times, values) = part else { return Ok(()) };
        job.hold(times.len() * size_of::<Point>())?;
        points.extend((0..).zip(times).map(|(i, &time)| Point {
            time,
            cell: values.get(i).map(Cell::from).unwrap_or_default(),
            at: Some(Origin { series: SeriesId(number), time }),
        }));
        Ok(())
    })?;
    Ok(points)
}

/// Cuts points in the order of time into those of each window.
pub(super) fn by_window(
    points: Vec<Point>,
    containing: impl Fn(TimestampNs) -> TimeRange,
) -> Vec<(TimeRange, Vec<Point>)> {
    let mut windows: Vec<(TimeRange, Vec<Point>)> = Vec::new();
    for point in points {
        match windows.last_mut() {
            Some((window, points)) if window.contains(point.time) => points.push(point),
            _ => windows.push((containing(point.time), vec![point])),
        }
    }
    windows
}
