//! Rows to lines, by a plan.

use model::TimestampNs;
use model::key::{MAX_KEY_LEN, SeriesKeyBuf};

use crate::converted::Lines;
use crate::print::{escaped_field_key, put_integer};

use crate::time::{OUTSIDE, is_storable};

use super::cell::Cell;
use super::plan::{FieldPlan, LayoutPlan, Name, Plan};

/// What stands between series key and field key counts towards the longest key, as in `model::line`.
const KEY_SEPARATOR_LEN: usize = 4;

/// One row of a table.
pub(crate) trait Row {
    /// What stands in a column.
    fn cell(&self, column: usize) -> Cell<'_>;
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// At least one line.
    Lines,
    /// All values are missing.
    Empty,
}

/// Makes lines of rows one after another. What it remembers of the row before only saves work.
pub(crate) struct Assembler<'p> {
    plan: &'p Plan,
    names: &'p [String],
    /// Measurement and tags of the row before.
    identity: Vec<u8>,
    last_identity: Vec<u8>,
    /// Beginnings of lines that go with them, up to the first field: one, or one a series.
    prefixes: Vec<Vec<u8>>,
    key: SeriesKeyBuf,
    time_text: Vec<u8>,
}

impl<'p> Assembler<'p> {
    /// `names` are those of the columns, for messages.
    pub(crate) fn new(plan: &'p Plan, names: &'p [String]) -> Self {
        let (identity, last_identity, prefixes, time_text) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { plan, names, identity, last_identity, prefixes, key: SeriesKeyBuf::default(), time_text }
    }

    /// Appends the lines of a row.
    ///
    /// # Errors
    /// A sentence when the row cannot be converted; nothing is appended then.
    #[inline]
    pub(crate) fn add<R: Row>(&mut self, row: &R, origin: u32, out: &mut Lines) -> Result<Outcome, String> {
        let before = out.len();
        let added = self.try_add(row, origin, out);
        if added.is_err() {
            out.truncate(before);
        }
        added
    }

    #[inline]
    fn try_add<R: Row>(&mut self, row: &R, origin: u32, out: &mut Lines) -> Result<Outcome, String> {
        let time = self.time(row)?;
        self.update_prefixes(row)?;
        let before = out.len();
        match &self.plan.layout {
            LayoutPlan::Fields(fields) => self.put_fields(row, fields, time, origin, out)?,
            LayoutPlan::Series { columns, .. } => self.put_series(row, columns, time, origin, out)?,
            LayoutPlan::Long { field, value } => self.put_long(row, *field, value, time, origin, out)?,
        }
        Ok(if out.len() > before { Outcome::Lines } else { Outcome::Empty })
    }

    #[inline]
    fn time<R: Row>(&mut self, row: &R) -> Result<TimestampNs, String> {
        let plan = &self.plan.time;
        match (row.cell(plan.column), plan.clock) {
            (Cell::Text { text, .. }, None) => plan.parser.parse(text),
            (date, Some(clock)) => {
                self.time_text.clear();
                for cell in [date, row.cell(clock)] {
                    let part = cell.name(&self.plan.nulls)?.ok_or("the time is missing")?;
                    self.time_text.extend_from_slice(part.as_bytes());
                    self.time_text.push(b' ');
                }
                plan.parser.parse(&self.time_text)
            }
            (Cell::Null, None) => Err("the time is missing".to_owned()),
            (Cell::Time(time), None) if is_storable(time) => Ok(time),
            (Cell::Time(_), None) => Err(OUTSIDE.to_owned()),
            (Cell::LocalTime(ns), None) => plan.parser.of_local(ns),
            (value @ Cell::Value(_), None) => {
                let text = value.name(&self.plan.nulls)?.ok_or("the time is missing")?;
                plan.parser.parse(text.as_bytes())
            }
        }
    }

    /// Brings the beginnings of lines up to date, when measurement or tags are not those of the row before.
    #[inline]
    fn update_prefixes<R: Row>(&mut self, row: &R) -> Result<(), String> {
        let nulls = &self.plan.nulls;
        self.identity.clear();
        let measured = if let Name::Column(column) = &self.plan.measurement { Some(*column) } else { None };
        for column in measured.into_iter().chain(self.plan.tags.iter().map(|tag| tag.column)) {
            let name = row.cell(column).name(nulls).map_err(|why| self.of_column(column, &why))?.unwrap_or_default();
            self.identity.extend_from_slice(&(name.len() as u32).to_le_bytes());
            self.identity.extend_from_slice(name.as_bytes());
        }
        if !self.prefixes.is_empty() && self.identity == self.last_identity {
            return Ok(());
        }
        self.prefixes.clear();
        let made = self.make_prefixes(row);
        if made.is_err() {
            self.prefixes.clear();
        }
        std::mem::swap(&mut self.identity, &mut self.last_identity);
        made
    }

    fn make_prefixes<R: Row>(&mut self, row: &R) -> Result<(), String> {
        let plan = self.plan;
        match &plan.layout {
            LayoutPlan::Fields(fields) => {
                self.make_key(row, None)?;
                let longest = fields.iter().map(|f| f.key.len()).max().unwrap_or(0);
                self.push_prefix(&[], longest)
            }
            LayoutPlan::Series { tag, field, columns } => columns.iter().try_for_each(|column| {
                self.make_key(row, Some((tag, &column.name)))?;
                self.push_prefix(field, field.len())
            }),
            LayoutPlan::Long { .. } => {
                self.make_key(row, None)?;
                self.push_prefix(&[], 0)
            }
        }
    }

    /// The key of a row's series, perhaps with one more tag.
    fn make_key<R: Row>(&mut self, row: &R, mut extra: Option<(&String, &String)>) -> Result<(), String> {
        let plan = self.plan;
        match &plan.measurement {
            Name::Fixed(name) => self.key.start(name),
            Name::Column(column) => {
                let name = row.cell(*column).name(&plan.nulls)?;
                self.key.start(&name.ok_or_else(|| self.of_column(*column, "the measurement is missing"))?);
            }
        }
        for tag in &plan.tags {
            if let Some((key, value)) = extra.take_if(|(key, _)| key.as_str() < tag.key.as_str()) {
                self.key.tag(key, value);
            }
            if let Some(value) = row.cell(tag.column).name(&plan.nulls)? {
                self.key.tag(&tag.key, &value);
            }
        }
        if let Some((key, value)) = extra {
            self.key.tag(key, value);
        }
        Ok(())
    }

    fn push_prefix(&mut self, field: &[u8], longest_field: usize) -> Result<(), String> {
        let key = self.key.as_bytes();
        if key.is_empty() || key.first() == Some(&b',') {
            return Err("the name of the measurement is empty, or has no spelling in line protocol".to_owned());
        }
        if key.len() + KEY_SEPARATOR_LEN + longest_field > MAX_KEY_LEN {
            return Err(format!("measurement, tags and field key are longer than {MAX_KEY_LEN} bytes"));
        }
        self.prefixes.push([key, b" ", field].concat());
        Ok(())
    }

    #[inline]
    fn put_fields<R: Row>(
        &self,
        row: &R,
        fields: &[FieldPlan],
        time: TimestampNs,
        origin: u32,
        out: &mut Lines,
    ) -> Result<(), String> {
        let start = out.text.len();
        out.text.extend_from_slice(self.prefixes.first().map(Vec::as_slice).unwrap_or_default());
        let first = out.text.len();
        for field in fields {
            let end = out.text.len();
            if end > first {
                out.text.push(b',');
            }
            out.text.extend_from_slice(&field.key);
            if !self.put(row, field, &mut out.text)? {
                out.text.truncate(end);
            }
        }
        if out.text.len() == first {
            out.text.truncate(start);
        } else {
            end_line(time, origin, out);
        }
        Ok(())
    }

    #[inline]
    fn put_series<R: Row>(
        &self,
        row: &R,
        columns: &[FieldPlan],
        time: TimestampNs,
        origin: u32,
        out: &mut Lines,
    ) -> Result<(), String> {
        for (column, prefix) in columns.iter().zip(&self.prefixes) {
            let start = out.text.len();
            out.text.extend_from_slice(prefix);
            if self.put(row, column, &mut out.text)? {
                end_line(time, origin, out);
            } else {
                out.text.truncate(start);
            }
        }
        Ok(())
    }

    fn put_long<R: Row>(
        &self,
        row: &R,
        field: usize,
        value: &FieldPlan,
        time: TimestampNs,
        origin: u32,
        out: &mut Lines,
    ) -> Result<(), String> {
        let name = row.cell(field).name(&self.plan.nulls).map_err(|why| self.of_column(field, &why))?;
        let name = name.ok_or_else(|| self.of_column(field, "the field key is missing"))?;
        if name == "time" {
            return Err("a field cannot be called `time`".to_owned());
        }
        let prefix = self.prefixes.first().map(Vec::as_slice).unwrap_or_default();
        if prefix.len() + KEY_SEPARATOR_LEN + name.len() > MAX_KEY_LEN {
            return Err(format!("measurement, tags and field key are longer than {MAX_KEY_LEN} bytes"));
        }
        let start = out.text.len();
        out.text.extend_from_slice(prefix);
        out.text.extend_from_slice(&escaped_field_key(&name));
        if self.put(row, value, &mut out.text)? {
            end_line(time, origin, out);
        } else {
            out.text.truncate(start);
        }
        Ok(())
    }

    #[inline]
    fn put<R: Row>(&self, row: &R, field: &FieldPlan, out: &mut Vec<u8>) -> Result<bool, String> {
        let put = row.cell(field.column).put(field.kind, &self.plan.nulls, &self.plan.numbers, out);
        put.map_err(|why| self.of_column(field.column, &why))
    }

    #[cold]
    fn of_column(&self, column: usize, why: &str) -> String {
        format!("column `{}`: {why}", self.names.get(column).map(String::as_str).unwrap_or_default())
    }
}

#[inline]
fn end_line(time: TimestampNs, origin: u32, out: &mut Lines) {
    out.text.push(b' ');
    put_integer(&mut out.text, time.0);
    out.end_line(origin);
}
