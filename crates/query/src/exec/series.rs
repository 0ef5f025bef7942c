//! Series plans: the fields of each series are joined by time, the series of a group merged by time.
//!
//! A row of the answer stands at most as far from its start (its end, newest first) as its points stand in their columns, so
//! `offset + limit` points of every column are enough. Oldest first, the scan stops there; newest first it goes through the
//! range and keeps as many; a single newest row is asked for by itself.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use model::{FieldType, TimeRange, TimestampNs, Values};

use super::group::{Group, groups, tag};
use super::limits::Budget;
use super::scanner::{Checked, POINTS_ONLY, Scanner};
use crate::result::{Cell, ResultColumn};
use crate::{FieldColumn, GroupBy, Order, QueryError, QueryResult, ResultSeries, SeriesColumns, SeriesPlan};

/// A cell and the text of a tag's value, roughly.
const BYTES_PER_TAG_CELL: usize = 48;

pub(super) fn run(plan: &SeriesPlan, scanner: &mut Scanner<'_>) -> Result<QueryResult, QueryError> {
    let series = scanner.columns(&plan.selection)?;
    let header = Header::new(plan, &series);
    let mut rows_left = usize::try_from(scanner.budget.limits.max_rows).unwrap_or(usize::MAX);
    let mut result = QueryResult::default();
    for group in groups(series, &plan.selection.group_by) {
        // One row more than allowed tells whether the answer is cut short.
        let wanted = plan.limit.unwrap_or(usize::MAX).min(rows_left.saturating_add(1));
        let mut answer = answer_group(plan, &header, &group, wanted, scanner)?;
        let cut = answer.times.len() > rows_left;
        truncate(&mut answer, rows_left);
        rows_left -= answer.times.len();
        if !answer.times.is_empty() {
            result.series.push(answer);
        }
        if cut {
            result.partial = true;
            result.warnings.push(format!("cut short at max_rows = {} rows", scanner.budget.limits.max_rows));
            break;
        }
    }
    Ok(result)
}

fn truncate(series: &mut ResultSeries, rows: usize) {
    series.times.truncate(rows);
    series.columns.iter_mut().for_each(|column| column.cells.truncate(rows));
}

/// Columns of the answer, the same in every series of it.
struct Header {
    fields: Vec<String>,
    /// Only where everything goes into one series.
    tag_keys: Vec<String>,
}

impl Header {
    fn new(plan: &SeriesPlan, series: &[SeriesColumns]) -> Self {
        let mut fields = plan.selection.fields.clone();
        if fields.is_empty() {
            let all: BTreeSet<_> = series.iter().flat_map(|s| &s.columns).map(|c| &c.field).collect();
            fields = all.into_iter().cloned().collect();
        }
        let mut tag_keys = BTreeSet::new();
        if plan.selection.group_by == GroupBy::Nothing {
            tag_keys.extend(series.iter().flat_map(|s| &s.tags).map(|(key, _)| key.clone()));
        }
        Self { fields, tag_keys: tag_keys.into_iter().collect() }
    }

    /// Column name of a tag; one that a field has taken gets a number, as in InfluxDB.
    fn tag_column(&self, key: &str) -> String {
        if self.fields.iter().any(|field| field == key) { format!("{key}_1") } else { key.to_owned() }
    }
}

/// At most `wanted` rows behind the plan's offset.
fn answer_group(
    plan: &SeriesPlan,
    header: &Header,
    group: &Group,
    wanted: usize,
    scanner: &mut Scanner<'_>,
) -> Result<ResultSeries, QueryError> {
    let reach = Reach { range: plan.selection.range, order: plan.order, rows: plan.offset.saturating_add(wanted) };
    let mut members = Vec::with_capacity(group.members.len());
    for member in &group.members {
        members.push(read_member(header, member, reach, scanner)?);
    }
    scanner.check_cancelled()?;
    let places = places(&members, plan.order);
    let places = places.get(plan.offset.min(places.len())..).unwrap_or_default();
    let places = places.get(..wanted.min(places.len())).unwrap_or_default();
    scanner.budget.hold_bytes(places.len() * header.tag_keys.len() * BYTES_PER_TAG_CELL)?;
    Ok(assemble(plan, header, group, &mut members, places))
}

/// How far columns are read.
#[derive(Clone, Copy)]
struct Reach {
    range: TimeRange,
    order: Order,
    /// Points needed of each column, from the end that `order` starts at.
    rows: usize,
}

/// Rows of one series of the store, oldest first.
struct Rows {
    times: Vec<TimestampNs>,
    /// By field of the header; empty for a field that the series has not.
    cells: Vec<Vec<Cell>>,
}

impl Rows {
    /// Bytes held by rows made of `tracks`, whose texts were copied.
    fn bytes(&self, tracks: &[Option<Track>]) -> usize {
        let cells: usize = self.cells.iter().map(Vec::len).sum();
        let texts = tracks.iter().flatten().filter(|track| track.values.field_type() == FieldType::String);
        let text_bytes: usize = texts.map(Track::bytes).sum();
        cells * size_of::<Cell>() + self.times.len() * size_of::<TimestampNs>() + text_bytes
    }
}

fn read_member(
    header: &Header,
    member: &SeriesColumns,
    reach: Reach,
    scanner: &mut Scanner<'_>,
) -> Result<Rows, QueryError> {
    let mut tracks = Vec::with_capacity(header.fields.len());
    for field in &header.fields {
        let column = member.columns.iter().find(|column| &column.field == field);
        tracks.push(column.map(|column| Track::read(column, reach, scanner)).transpose()?);
    }
    let rows = join(&tracks);
    scanner.budget.hold_bytes(rows.bytes(&tracks))?;
    tracks.iter().flatten().for_each(|track| track.release(&mut scanner.budget));
    Ok(rows)
}

/// Points of one column.
struct Track {
    times: Vec<TimestampNs>,
    values: Values,
}

impl Track {
    fn read(column: &FieldColumn, reach: Reach, scanner: &mut Scanner<'_>) -> Result<Self, QueryError> {
        let mut track = Self { times: Vec::new(), values: Values::new(column.kind) };
        match reach {
            Reach { order: Order::Descending, rows: 1, range } => track.read_latest(column, range, scanner)?,
            Reach { order: Order::Descending, rows, range } => {
                scanner.scan(column, range, POINTS_ONLY, &mut |budget, piece| {
                    track.keep_newest(rows, piece, budget).map(ControlFlow::Continue)
                })?;
                track.drop_oldest(rows, &mut scanner.budget);
            }
            Reach { order: Order::Ascending, rows, range } => {
                scanner.scan(column, range, POINTS_ONLY, &mut |budget, piece| track.fill_up(rows, piece, budget))?;
            }
        }
        Ok(track)
    }

    fn read_latest(
        &mut self,
        column: &FieldColumn,
        range: TimeRange,
        scanner: &mut Scanner<'_>,
    ) -> Result<(), QueryError> {
        let mut of_type = true;
        scanner.latest(column, range, &mut |time, value| {
            of_type = self.values.push(value);
            self.times.push(time);
        })?;
        if !of_type {
            return Err(QueryError::Store(format!("the newest value of `{}` is not of its type", column.field)));
        }
        scanner.budget.hold_points(self.times.len())?;
        scanner.budget.hold_bytes(self.bytes())
    }

    /// Takes points until there are `rows`.
    fn fill_up(&mut self, rows: usize, piece: Checked<'_>, budget: &mut Budget) -> Result<ControlFlow<()>, QueryError> {
        let (times, values) = points(piece)?;
        let room = rows.saturating_sub(self.times.len());
        self.append(times, values, 0, room.min(times.len()), budget)?;
        Ok(if self.times.len() >= rows { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Takes points; of those, at least the `rows` newest stay.
    fn keep_newest(&mut self, rows: usize, piece: Checked<'_>, budget: &mut Budget) -> Result<(), QueryError> {
        let (times, values) = points(piece)?;
        self.append(times, values, times.len().saturating_sub(rows), times.len(), budget)?;
        // Dropping at twice the number moves every point about once.
        if self.times.len() / 2 >= rows {
            self.drop_oldest(rows, budget);
        }
        Ok(())
    }

    fn append(
        &mut self,
        times: &[TimestampNs],
        values: &Values,
        from: usize,
        to: usize,
        budget: &mut Budget,
    ) -> Result<(), QueryError> {
        let held = self.bytes();
        self.times.extend_from_slice(times.get(from..to).unwrap_or_default());
        let whole = from == 0 && to == times.len();
        let same_type = if whole { self.values.append(values) } else { self.values.append(&values.slice(from, to)) };
        debug_assert!(same_type, "the scanner has checked the type");
        budget.hold_points(to - from)?;
        budget.hold_bytes(self.bytes() - held)
    }

    fn drop_oldest(&mut self, rows: usize, budget: &mut Budget) {
        let excess = self.times.len().saturating_sub(rows);
        if excess > 0 {
            let held = self.bytes();
            self.values = self.values.slice(excess, self.times.len());
            self.times = self.times.split_off(excess);
            budget.release_points(excess);
            budget.release_bytes(held.saturating_sub(self.bytes()));
        }
    }

    fn bytes(&self) -> usize {
        self.times.capacity() * size_of::<TimestampNs>() + self.values.bytes()
    }

    /// Counts the points as gone, since they have become rows.
    fn release(&self, budget: &mut Budget) {
        budget.release_points(self.times.len());
        budget.release_bytes(self.bytes());
    }
}

fn points(piece: Checked<'_>) -> Result<(&[TimestampNs], &Values), QueryError> {
    match piece {
        Checked::Points { times, values } => Ok((times, values)),
        Checked::Summary(_) => Err(QueryError::Store("a summary came unasked".to_owned())),
    }
}

/// A row for every time that some column has a point at.
fn join(tracks: &[Option<Track>]) -> Rows {
    let mut times = Vec::new();
    let mut cells: Vec<Vec<Cell>> = tracks.iter().map(|_| Vec::new()).collect();
    let mut heads = vec![0; tracks.len()];
    while let Some(time) = earliest(tracks, &heads) {
        times.push(time);
        for ((track, head), cells) in tracks.iter().zip(&mut heads).zip(&mut cells) {
            let Some(track) = track else { continue };
            if track.times.get(*head) == Some(&time) {
                cells.push(track.values.get(*head).map(Cell::from).unwrap_or_default());
                *head += 1;
            } else {
                cells.push(Cell::Null);
            }
        }
    }
    Rows { times, cells }
}

fn earliest(tracks: &[Option<Track>], heads: &[usize]) -> Option<TimestampNs> {
    tracks.iter().zip(heads).filter_map(|(track, head)| track.as_ref()?.times.get(*head)).min().copied()
}

/// Where a row of the answer comes from.
#[derive(Clone, Copy)]
struct Place {
    member: usize,
    row: usize,
}

/// All rows in the order of the answer; rows of the same time in the order of the series.
fn places(members: &[Rows], order: Order) -> Vec<Place> {
    let of_member = |(member, rows): (usize, &Rows)| (0..rows.times.len()).map(move |row| Place { member, row });
    let mut places: Vec<_> = members.iter().enumerate().flat_map(of_member).collect();
    let time = |place: &Place| members.get(place.member).and_then(|rows| rows.times.get(place.row)).copied();
    // Both sorts are stable and see ascending runs, which makes them merges.
    match order {
        Order::Ascending => places.sort_by_key(time),
        Order::Descending => places.sort_by_key(|place| std::cmp::Reverse(time(place))),
    }
    places
}

/// Moves the cells at `places` into a series of the answer.
fn assemble(plan: &SeriesPlan, header: &Header, group: &Group, members: &mut [Rows], places: &[Place]) -> ResultSeries {
    let times = places.iter().filter_map(|place| members.get(place.member)?.times.get(place.row)).copied().collect();
    let mut columns = Vec::with_capacity(header.fields.len() + header.tag_keys.len());
    for (index, name) in header.fields.iter().enumerate() {
        let mut take = |place: &Place| {
            let cell = members.get_mut(place.member)?.cells.get_mut(index)?.get_mut(place.row)?;
            Some(std::mem::take(cell))
        };
        let cells = places.iter().map(|place| take(place).unwrap_or_default()).collect();
        columns.push(ResultColumn { name: name.clone(), cells });
    }
    for key in &header.tag_keys {
        let cell = |place: &Place| {
            let value = group.members.get(place.member).and_then(|member| tag(member, key));
            value.map_or(Cell::Null, |value| Cell::String(value.to_owned()))
        };
        columns.push(ResultColumn { name: header.tag_column(key), cells: places.iter().map(cell).collect() });
    }
    ResultSeries { name: plan.selection.measurement.clone(), tags: group.tags.clone(), times, columns }
}
