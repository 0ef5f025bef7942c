//! Values of bare fields and tags that stand beside points picked: `SELECT max(a), b` shows the `b` of the row of the largest
//! `a`.

use std::collections::BTreeMap;

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use super::computed::Work;
use super::feed::Reach;
use super::fill;
use super::group::{Meaning, Member};
use crate::QueryError;
use crate::aggregate::Origin;
use crate::plan::FillWith;
use crate::result::Cell;

/// A row of the answer, and the time of the point that it shows.
type RowAndTime = (usize, TimestampNs);

impl Work<'_, '_, '_> {
    /// The values of a bare field or tag at the points picked.
    pub(super) fn beside(&mut self, leaf: usize, origins: &[Option<Origin>]) -> Result<Vec<Cell>, QueryError> {
        let (group, views) = (self.group, self.views);
        let mut cells: Vec<Cell> = vec![Cell::Null; origins.len()];
        let mut kind = None;
        for (series, rows) in by_series(origins) {
            let Some(member) = group.members.get(series.index()) else { continue };
            let Some(view) = views.get(member.view) else { continue };
            match view.meanings.get(leaf) {
                Some(&Meaning::Tag(tag)) => {
                    let value = member.tags.get(tag).cloned().unwrap_or_default();
                    rows.iter().for_each(|(row, _)| put(&mut cells, *row, value.clone()));
                }
                Some(&Meaning::Field(slot)) => {
                    kind = view.slots.get(slot).map(|slot| slot.kind);
                    self.put_field(&mut cells, member, slot, &rows)?;
                }
                _ => {}
            }
        }
        if self.layout.windows.divide() {
            fill_missing(&mut cells, &self.layout.plan.fill, kind);
        }
        Ok(cells)
    }

    /// Puts the values of a field of one series into the rows.
    fn put_field(
        &mut self,
        cells: &mut [Cell],
        member: &Member,
        slot: usize,
        rows: &[RowAndTime],
    ) -> Result<(), QueryError> {
        let (first, last) = bounds(rows);
        let range = TimeRange::new(first, last.saturating_add(1));
        let found = self.feed.rows(member, &[slot], range, Reach::ALL)?;
        for (row, time) in rows {
            if let Ok(at) = found.times.binary_search(time) {
                put(cells, *row, found.cell(slot, at).clone());
            }
        }
        self.job.release(found.bytes());
        Ok(())
    }
}

/// The rows that show points of each series.
fn by_series(origins: &[Option<Origin>]) -> BTreeMap<SeriesId, Vec<RowAndTime>> {
    let mut by_series: BTreeMap<SeriesId, Vec<RowAndTime>> = BTreeMap::new();
    for (row, origin) in origins.iter().enumerate() {
        if let Some(origin) = origin {
            by_series.entry(origin.series).or_default().push((row, origin.time));
        }
    }
    by_series
}

/// First and last time of rows.
fn bounds(rows: &[RowAndTime]) -> (TimestampNs, TimestampNs) {
    let times = rows.iter().map(|(_, time)| *time);
    (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default())
}

fn put(cells: &mut [Cell], row: usize, cell: Cell) {
    if let Some(place) = cells.get_mut(row) {
        *place = cell;
    }
}

/// What stands where a picked point has no value of a field or tag: nothing by default.
fn fill_missing(cells: &mut [Cell], fill: &FillWith, kind: Option<FieldType>) {
    if let Some(value) = fill::of_row(fill, kind) {
        cells.iter_mut().filter(|cell| **cell == Cell::Null).for_each(|cell| *cell = value.clone());
    }
}
