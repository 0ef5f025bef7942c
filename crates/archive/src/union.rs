//! Two sources of rows as one: everything that either has; where both have a value, the newer source's.

use std::cmp::Ordering;

use model::{FieldValue, TimestampNs};

use crate::error::Error;
use crate::rows::{Field, Rows};

/// Rows of `older` and `newer`, put in order.
pub(crate) struct Union<'a> {
    older: Source<'a>,
    newer: Source<'a>,
    tags: Vec<String>,
    fields: Vec<Field>,
    /// Which of the two the current row comes from.
    current: Current,
}

struct Source<'a> {
    rows: Box<dyn Rows + 'a>,
    /// Position of each of its fields among all.
    places: Vec<usize>,
    has_row: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    /// Before the first row.
    Neither,
    Older,
    Newer,
    Both,
}

impl<'a> Union<'a> {
    pub(crate) fn new(older: Box<dyn Rows + 'a>, newer: Box<dyn Rows + 'a>) -> Self {
        let mut tags = [older.tags(), newer.tags()].concat();
        let mut fields = [older.fields(), newer.fields()].concat();
        tags.sort_unstable();
        tags.dedup();
        fields.sort_unstable();
        fields.dedup();
        let (older, newer) = (Source::new(older, &fields), Source::new(newer, &fields));
        Self { older, newer, tags, fields, current: Current::Neither }
    }

    fn row(&self) -> &dyn Rows {
        if self.current == Current::Older { &*self.older.rows } else { &*self.newer.rows }
    }
}

impl<'a> Source<'a> {
    fn new(rows: Box<dyn Rows + 'a>, all: &[Field]) -> Self {
        let places = rows.fields().iter().filter_map(|field| all.binary_search(field).ok()).collect();
        Self { rows, places, has_row: false }
    }

    fn values(&self, visit: &mut dyn FnMut(usize, FieldValue<'_>)) {
        self.rows.values(&mut |field, value| {
            if let Some(place) = self.places.get(field) {
                visit(*place, value);
            }
        });
    }
}

impl Rows for Union<'_> {
    fn tags(&self) -> &[String] {
        &self.tags
    }

    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn advance(&mut self) -> Result<bool, Error> {
        if self.current != Current::Newer {
            self.older.has_row = self.older.rows.advance()?;
        }
        if self.current != Current::Older {
            self.newer.has_row = self.newer.rows.advance()?;
        }
        self.current = match (self.older.has_row, self.newer.has_row) {
            (false, false) => return Ok(false),
            (true, false) => Current::Older,
            (false, true) => Current::Newer,
            (true, true) => {
                let (a, b) = (&self.older.rows, &self.newer.rows);
                match (a.series(), a.time()).cmp(&(b.series(), b.time())) {
                    Ordering::Less => Current::Older,
                    Ordering::Greater => Current::Newer,
                    Ordering::Equal => Current::Both,
                }
            }
        };
        Ok(true)
    }

    fn series(&self) -> &[u8] {
        self.row().series()
    }

    fn time(&self) -> TimestampNs {
        self.row().time()
    }

    fn values(&self, visit: &mut dyn FnMut(usize, FieldValue<'_>)) {
        if self.current != Current::Newer {
            self.older.values(visit);
        }
        if self.current != Current::Older {
            self.newer.values(visit);
        }
    }
}
