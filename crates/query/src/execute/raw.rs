//! Stored points as they are: rows of the series of a group, merged by time.

use model::{FieldType, TimeRange, TimestampNs};

use super::feed::{Feed, Reach};
use super::fill;
use super::group::{Data, Group, Meaning, Member, View};
use super::layout::Layout;
use super::limit::Shown;
use super::rows::Rows;
use super::{parallel, slices};
use crate::plan::{FillWith, Order, Select};
use crate::result::Cell;
use crate::{QueryError, Table};

/// Neighbouring series that one thread reads at a time.
const SERIES_A_BLOCK: usize = 16;

/// Takes a table.
pub(super) type Give<'g> = &'g mut dyn FnMut(Table) -> Result<(), QueryError>;

/// Answers one group slice by slice, its series read on several threads.
pub(super) fn answer(
    feed: &mut Feed<'_>,
    layout: &Layout<'_>,
    name: &str,
    group: &Group,
    threads: usize,
    give: Give<'_>,
) -> Result<(), QueryError> {
    let (job, views) = (feed.job, feed.views);
    let mut shown = Shown::new(layout.plan);
    for range in slices::of(layout, feed, group) {
        let read = |feed: &mut Feed<'_>, member: &Member| read_member(feed, layout, member, range);
        let rows = parallel::map(&group.members, threads, SERIES_A_BLOCK, &|| Feed::new(job, views), &read)?;
        give(table(feed, layout, name, group, rows, &mut shown)?)?;
        if shown.is_over() {
            break;
        }
    }
    Ok(())
}

/// Answers one group on this thread.
pub(super) fn answer_with(
    feed: &mut Feed<'_>,
    layout: &Layout<'_>,
    name: &str,
    group: &Group,
) -> Result<Table, QueryError> {
    let read = |member: &Member| read_member(feed, layout, member, layout.plan.range);
    let rows = group.members.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    table(feed, layout, name, group, rows, &mut Shown::new(layout.plan))
}

/// Rows of a member in which some selected field has a value; all rows of a subquery.
fn read_member(
    feed: &mut Feed<'_>,
    layout: &Layout<'_>,
    member: &Member,
    range: TimeRange,
) -> Result<Rows, QueryError> {
    let Some(view) = feed.views.get(member.view) else { return Ok(Rows::default()) };
    let slots = selected_slots(layout, view);
    let reach = Reach { order: layout.plan.order, rows: rows_needed(layout, view) };
    let mut rows = feed.rows(member, &slots, range, reach)?;
    if view.is_of_subquery {
        return Ok(rows);
    }
    let has_value = |row: &usize| slots.iter().any(|&slot| *rows.cell(slot, *row) != Cell::Null);
    let kept: Vec<usize> = (0..rows.len()).filter(has_value).collect();
    let held = rows.bytes();
    rows.keep(&kept);
    feed.job.release(held.saturating_sub(rows.bytes()));
    Ok(rows)
}

/// Slots of the fields that stand in columns.
fn selected_slots(layout: &Layout<'_>, view: &View) -> Vec<usize> {
    let mut slots = Vec::new();
    for leaf in &layout.aux {
        if let Some(&Meaning::Field(slot)) = view.meanings.get(*leaf)
            && !slots.contains(&slot)
        {
            slots.push(slot);
        }
    }
    slots
}

/// Points of each column that are enough; `None`: all.
fn rows_needed(layout: &Layout<'_>, view: &View) -> Option<usize> {
    let is_filtered = view.filter.as_ref().is_some_and(|filter| !filter.slots.is_empty());
    let needed = layout.plan.limit?.saturating_add(layout.plan.offset);
    (!is_filtered).then_some(needed)
}

/// The rows of a slice that are shown.
fn table(
    feed: &Feed<'_>,
    layout: &Layout<'_>,
    name: &str,
    group: &Group,
    mut rows: Vec<Rows>,
    shown: &mut Shown,
) -> Result<Table, QueryError> {
    let held: usize = rows.iter().map(Rows::bytes).sum();
    let places = places(group, &rows, layout.plan);
    let places = places.get(shown.of_next(places.len())).unwrap_or_default();
    feed.job.hold(layout.table_bytes(places.len()))?;
    let times: Vec<TimestampNs> = places.iter().filter_map(|p| rows.get(p.member)?.times.get(p.row).copied()).collect();
    let mut columns: Vec<Vec<Cell>> = Vec::with_capacity(layout.aux.len());
    for &leaf in &layout.aux {
        columns.push(column(feed.views, group, &mut rows, places, leaf, &layout.plan.fill));
    }
    feed.job.release(held);
    Ok(layout.table(name, group, times, columns))
}

/// Where a row of the answer comes from.
#[derive(Clone, Copy)]
struct Place {
    member: usize,
    row: usize,
}

/// All rows in the order of the answer; rows of the same time in the order of the series. Series of a subquery follow each
/// other as they are, as in InfluxDB 1.6.
fn places(group: &Group, rows: &[Rows], plan: &Select) -> Vec<Place> {
    let mut places = Vec::with_capacity(rows.iter().map(Rows::len).sum());
    let mut add = |(member, rows): (usize, &Rows)| {
        let of_member = (0..rows.len()).map(|row| Place { member, row });
        match plan.order {
            Order::Ascending => places.extend(of_member),
            Order::Descending => places.extend(of_member.rev()),
        }
    };
    match plan.direction {
        Order::Ascending => rows.iter().enumerate().for_each(&mut add),
        Order::Descending => rows.iter().enumerate().rev().for_each(&mut add),
    }
    let is_of_subquery = group.members.first().is_some_and(|member| matches!(member.data, Data::Memory(..)));
    if rows.len() > 1 && !is_of_subquery {
        let time = |place: &Place| rows.get(place.member).and_then(|rows| rows.times.get(place.row)).copied();
        // Both sorts are stable and see ordered runs, which makes them merges.
        match plan.order {
            Order::Ascending => places.sort_by_key(time),
            Order::Descending => places.sort_by_key(|place| std::cmp::Reverse(time(place))),
        }
    }
    places
}

/// The cells of one leaf, taken out of the rows.
fn column(
    views: &[View],
    group: &Group,
    rows: &mut [Rows],
    places: &[Place],
    leaf: usize,
    fill: &FillWith,
) -> Vec<Cell> {
    let mut kind = None;
    let mut take = |place: &Place| -> Cell {
        let Some(member) = group.members.get(place.member) else { return Cell::Null };
        let Some(view) = views.get(member.view) else { return Cell::Null };
        match view.meanings.get(leaf) {
            Some(&Meaning::Field(slot)) => {
                kind = view.slots.get(slot).map(|slot| slot.kind);
                // NOTE: cloned, since another leaf may read the same slot; numbers cost nothing.
                rows.get(place.member).map(|rows| rows.cell(slot, place.row).clone()).unwrap_or_default()
            }
            Some(&Meaning::Tag(tag)) => member.tags.get(tag).cloned().unwrap_or_default(),
            _ => Cell::Null,
        }
    };
    let mut cells: Vec<Cell> = places.iter().map(&mut take).collect();
    fill_nulls(&mut cells, fill, kind);
    cells
}

/// What stands where a row has no value: nothing by default.
fn fill_nulls(cells: &mut [Cell], fill: &FillWith, kind: Option<FieldType>) {
    let mut last = match fill::of_row(fill, kind) {
        Some(number) => number,
        None if *fill == FillWith::Previous => Cell::Null,
        None => return,
    };
    for cell in cells {
        if *cell == Cell::Null {
            *cell = last.clone();
        } else if *fill == FillWith::Previous {
            last = cell.clone();
        }
    }
}
