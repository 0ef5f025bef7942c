//! Fields and tags of measurements, as a server tells them; remembered for a minute, since every answer needs the types of its
//! columns.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use influxql::ast::{Measurement, Scope, Show, Statement};
use model::FieldType;
use query::plan::NameOrPattern;
use query::store::Place;
use query::{Cancel, Cell, Limits, QueryError};

use super::Ask;
use super::answer::{self, Budget, Part};
use super::render::measurement_name;

/// A new field is known after so long at most. Until then whole numbers of it may look like integers.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Measurements remembered; more of them are forgotten all at once.
const MAX_REMEMBERED: usize = 10_000;

/// What is known of the measurements of one server.
#[derive(Default)]
pub(crate) struct Schemas {
    fields: Known<(String, FieldType)>,
    tags: Known<String>,
}

/// A list of things for each measurement.
type Known<T> = Mutex<HashMap<Key, Remembered<T>>>;

/// Where, and the name or pattern as InfluxQL has it.
type Key = (Place, String);

struct Remembered<T> {
    since: Instant,
    what: Vec<T>,
}

impl Schemas {
    /// Fields with their types, sorted. Of several types of one field the one that numbers can be turned into.
    ///
    /// # Errors
    /// The server's.
    pub(super) fn fields(
        &self,
        asker: &dyn Ask,
        place: &Place,
        name: &NameOrPattern,
    ) -> Result<Vec<(String, FieldType)>, QueryError> {
        remembered(&self.fields, asker, place, name, Show::FieldKeys, &mut |fields: &mut Vec<_>, row| {
            let [Cell::String(name), Cell::String(kind)] = row else { return };
            if let Some(kind) = field_type(kind) {
                add_field(fields, name, kind);
            }
        })
    }

    /// The same, asked anew when one of `wanted` is not among those remembered.
    ///
    /// # Errors
    /// The server's.
    pub(super) fn fields_with(
        &self,
        asker: &dyn Ask,
        place: &Place,
        name: &NameOrPattern,
        wanted: &[String],
    ) -> Result<Vec<(String, FieldType)>, QueryError> {
        let known = self.fields(asker, place, name)?;
        let is_known = |name: &String| known.iter().any(|(known, _)| known == name);
        if wanted.iter().all(is_known) { Ok(known) } else { Self::default().fields(asker, place, name) }
    }

    /// Keys of the tags, sorted.
    ///
    /// # Errors
    /// The server's.
    pub(super) fn tags(&self, asker: &dyn Ask, place: &Place, name: &NameOrPattern) -> Result<Vec<String>, QueryError> {
        let keys = |scope| Show::TagKeys { with: None, scope };
        remembered(&self.tags, asker, place, name, keys, &mut |tags: &mut Vec<String>, row| {
            let [Cell::String(key)] = row else { return };
            if let Err(at) = tags.binary_search(key) {
                tags.insert(at, key.clone());
            }
        })
    }
}

/// Takes a row of an answer in.
type Take<'t, T> = &'t mut dyn FnMut(&mut Vec<T>, &[Cell]);

fn remembered<T: Clone>(
    known: &Known<T>,
    asker: &dyn Ask,
    place: &Place,
    name: &NameOrPattern,
    show: impl FnOnce(Scope) -> Show,
    take: Take<'_, T>,
) -> Result<Vec<T>, QueryError> {
    // Without words for a pattern the names that fit it are found here, and asked for one by one.
    let Ok(name) = measurement_name(name) else { return Ok(Vec::new()) };
    let measurement = Measurement { database: None, policy: None, name };
    let key = (place.clone(), measurement.to_string());
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = lock().get(&key).filter(|found| found.since.elapsed() < REMEMBERED) {
        return Ok(found.what.clone());
    }
    let show = show(Scope { sources: vec![measurement], ..Scope::default() });
    let mut what = Vec::new();
    rows(asker, place, show, &mut |row| take(&mut what, row))?;
    let mut known = lock();
    if known.len() >= MAX_REMEMBERED {
        known.clear();
    }
    // What does not exist yet may soon.
    if !what.is_empty() {
        known.insert(key, Remembered { since: Instant::now(), what: what.clone() });
    }
    Ok(what)
}

/// The rows of a SHOW statement.
pub(super) fn rows(
    asker: &dyn Ask,
    place: &Place,
    show: Show,
    each: &mut dyn FnMut(&[Cell]),
) -> Result<(), QueryError> {
    let (limits, cancel) = (Limits::default(), Cancel::new());
    let budget = Budget::new(&limits, &cancel);
    let text = Statement::Show(show).to_string();
    let body = asker.ask(&place.database, place.policy.as_deref(), &text)?;
    answer::read(body, &budget, &mut |part: Part| {
        let columns = part.cells.0;
        let rows = columns.first().map_or(0, Vec::len);
        budget.give_rows(rows)?;
        for row in 0..rows {
            let cells: Vec<Cell> = columns.iter().filter_map(|cells| cells.get(row).cloned()).collect();
            each(&cells);
        }
        Ok(())
    })
    .map(|_| ())
}

fn field_type(name: &str) -> Option<FieldType> {
    FieldType::ALL.into_iter().find(|kind| kind.to_string() == name)
}

/// Adds a field to a sorted list.
pub(super) fn add_field(fields: &mut Vec<(String, FieldType)>, name: &str, kind: FieldType) {
    match fields.binary_search_by(|(known, _)| known.as_str().cmp(name)) {
        Ok(at) => {
            if let Some((_, known)) = fields.get_mut(at).filter(|(_, known)| rank(kind) < rank(*known)) {
                *known = kind;
            }
        }
        Err(at) => fields.insert(at, (name.to_owned(), kind)),
    }
}

/// Precedence of types where a name has several, as InfluxDB's.
const fn rank(kind: FieldType) -> u8 {
    match kind {
        FieldType::Float => 0,
        FieldType::Integer => 1,
        FieldType::Unsigned => 2,
        FieldType::String => 3,
        FieldType::Boolean => 4,
    }
}
