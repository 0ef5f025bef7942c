//! Line protocol to batches. Names are looked up under one shared lock; when a line needs names that do not exist yet, those
//! of all remaining lines are defined in one durable step, and reading goes on at that line.

use std::collections::HashMap;
use std::rc::Rc;

use catalog::{Catalog, CatalogError, Names, Wanted};
use model::key::{KeyError, SeriesKey, canonicalize};
use model::line::{Field, Line, LineErrorKind, LineParser};
use model::wire::BatchEncoder;
use model::{BucketId, ColumnId, FieldType, Precision, SeriesId, TimestampNs};

use crate::Target;
use crate::intake::Rejected;

/// Rejected lines that are described; all are counted.
const DESCRIBED_MAX: usize = 100;
/// A body of line protocol and how to read it.
pub(crate) struct LineBody<'a> {
    pub(crate) target: &'a Target,
    pub(crate) text: &'a [u8],
    pub(crate) precision: Precision,
    /// Time of lines without one.
    pub(crate) now: TimestampNs,
    /// For each bucket of the target: lines with an older time are refused, since retention would drop them at once.
    pub(crate) oldest: Vec<(BucketId, TimestampNs)>,
    /// A journal record is ended with the line that makes it so many bytes long.
    pub(crate) record_bytes: usize,
}

/// Batches of values, and the lines that gave none.
#[derive(Default)]
pub(crate) struct Encoded {
    /// Journal records with their numbers of values.
    pub(crate) records: Vec<(Vec<u8>, u32)>,
    /// Lines whose values are in the records.
    pub(crate) lines: u64,
    /// Their values.
    pub(crate) values: u64,
    /// The first rejected lines.
    pub(crate) rejected: Vec<Rejected>,
    /// All rejected lines that could not be read.
    pub(crate) malformed: u64,
    /// All rejected lines whose fields have another type, or whose time is out of range.
    pub(crate) dropped: u64,
}

/// Reads a body.
pub(crate) fn encode(catalog: &Catalog, body: &LineBody<'_>) -> Result<Encoded, CatalogError> {
    let mut reader = Reader {
        body,
        encoder: BatchEncoder::default(),
        out: Encoded::default(),
        columns: Vec::new(),
        key: Vec::new(),
    };
    let mut start = Position { offset: 0, line: 0 };
    let mut defined = false;
    loop {
        // The names are let go of before any are defined: a guard in the head of the loop would live through its body.
        let missing = reader.read(&catalog.read(), start, defined);
        let Some(missing) = missing else { break };
        define_rest(catalog, body, missing)?;
        start = missing;
        defined = true;
    }
    reader.end_record();
    Ok(reader.out)
}

/// Where reading stands: offset of a line and the number of lines before it.
#[derive(Clone, Copy)]
struct Position {
    offset: usize,
    line: u64,
}

struct Reader<'a> {
    body: &'a LineBody<'a>,
    encoder: BatchEncoder,
    out: Encoded,
    columns: Vec<ColumnId>,
    key: Vec<u8>,
}

/// What came of looking up a line's columns.
enum Found {
    /// All are there; the line's time.
    All(TimestampNs),
    /// Some name does not exist yet.
    Missing,
    /// It was read but cannot be stored.
    Refused(String),
    /// Its series key is none.
    Malformed(String),
}

impl Reader<'_> {
    /// Reads lines from `start` on. Stops at a line whose names do not exist, unless they were just `defined`.
    fn read(&mut self, names: &Names, start: Position, defined: bool) -> Option<Position> {
        let text = self.body.text.get(start.offset..).unwrap_or_default();
        let mut parser = LineParser::new(text);
        while let Some(parsed) = parser.next_line() {
            let line = match parsed {
                Ok(line) => line,
                Err(e) if e.kind == LineErrorKind::OnlyTimeField => {
                    self.refuse(start.line + e.line, reserved("field", "field name", e.text.as_bytes()));
                    continue;
                }
                Err(mut e) => {
                    e.line += start.line;
                    self.malformed(e.line, e.to_string());
                    continue;
                }
            };
            let number = start.line + line.number;
            match self.find_columns(names, &line) {
                Found::All(time) => self.take(&line, time),
                Found::Missing if !defined => {
                    let offset = line.text.as_ptr() as usize - self.body.text.as_ptr() as usize;
                    return Some(Position { offset, line: start.line + line.number - 1 });
                }
                Found::Missing => self.refuse(number, conflict(names, self.body.target.bucket_of(line.series), &line)),
                Found::Refused(why) => self.refuse(number, why),
                Found::Malformed(why) => self.malformed(number, why),
            }
        }
        None
    }

    fn find_columns(&mut self, names: &Names, line: &Line<'_, '_>) -> Found {
        self.columns.clear();
        let bucket = self.body.target.bucket_of(line.series);
        let time = match self.body.time_of(bucket, line) {
            Ok(time) => time,
            Err(why) => return Found::Refused(why),
        };
        let series = match find_series(names, bucket, line.series, &mut self.key) {
            Ok(Some(series)) => series,
            Ok(None) => return Found::Missing,
            Err(KeyError::TimeTag) => return Found::Refused(reserved("tag", "tag key", line.text)),
            Err(why) => return Found::Malformed(unreadable(line, &why)),
        };
        for (position, field) in line.fields.iter().enumerate() {
            match names.column(series, position, &field.key) {
                Some((id, kind)) if kind == kind_of(field) => self.columns.push(id),
                _ => return Found::Missing,
            }
        }
        Found::All(time)
    }

    fn take(&mut self, line: &Line<'_, '_>, time: TimestampNs) {
        for (column, field) in self.columns.iter().zip(line.fields) {
            self.encoder.push(*column, time, field.value.as_field_value());
        }
        self.out.lines += 1;
        self.out.values += self.columns.len() as u64;
        if self.encoder.encoded_len() >= self.body.record_bytes {
            self.end_record();
        }
    }

    fn refuse(&mut self, line: u64, message: String) {
        self.out.dropped += 1;
        self.describe(Rejected { line, message, malformed: false });
    }

    fn malformed(&mut self, line: u64, message: String) {
        self.out.malformed += 1;
        self.describe(Rejected { line, message, malformed: true });
    }

    fn describe(&mut self, rejected: Rejected) {
        if self.out.rejected.len() < DESCRIBED_MAX {
            self.out.rejected.push(rejected);
        }
    }

    fn end_record(&mut self) {
        if !self.encoder.is_empty() {
            let values = self.encoder.len() as u32;
            self.out.records.push((self.encoder.finish(), values));
        }
    }
}

impl LineBody<'_> {
    /// The time of a line that goes to a bucket, or why it cannot be stored.
    fn time_of(&self, bucket: BucketId, line: &Line<'_, '_>) -> Result<TimestampNs, String> {
        let time = match line.time {
            None => Some(self.now),
            Some(epoch) => self.precision.to_instant(epoch),
        };
        let time = time.filter(|t| is_storable(*t));
        let time = time.ok_or("time outside range -9223372036854775807 - 9223372036854775806 ns")?;
        let oldest = self.oldest.iter().find(|(of, _)| *of == bucket);
        let is_old = oldest.is_some_and(|(_, oldest)| time < *oldest);
        if is_old { Err("points beyond retention policy".to_owned()) } else { Ok(time) }
    }
}

/// What InfluxDB says of a tag or of the only field called `time`, the name of the time column.
fn reserved(what: &str, name: &str, line: &[u8]) -> String {
    let mut is_escaped = false;
    let ends = |byte: &u8| {
        let ends = !is_escaped && matches!(byte, b',' | b' ');
        is_escaped = !is_escaped && *byte == b'\\';
        ends
    };
    let end = line.iter().position(ends).unwrap_or(line.len());
    let measurement = SeriesKey::parse(line.get(..end).unwrap_or_default()).map(SeriesKey::measurement);
    let measurement = measurement.unwrap_or_default();
    format!("invalid {name}: input {what} \"time\" on measurement \"{measurement}\" is invalid")
}

/// Bytes of a line that are shown when it cannot be read.
const SHOWN_MAX: usize = 160;

/// Says that a line has a key that is none.
fn unreadable(line: &Line<'_, '_>, why: &KeyError) -> String {
    let text = String::from_utf8_lossy(line.text.get(..SHOWN_MAX).unwrap_or(line.text));
    format!("unable to parse '{text}': {why}")
}

/// The extremes are kept free: ranges are half-open.
pub(crate) fn is_storable(time: TimestampNs) -> bool {
    time > TimestampNs::MIN && time < TimestampNs::MAX
}

fn kind_of(field: &Field<'_>) -> FieldType {
    field.value.as_field_value().field_type()
}

/// The series of a key as written; one that is not found that way is brought into canonical form in `scratch`.
fn find_series(
    names: &Names,
    bucket: BucketId,
    raw: &[u8],
    scratch: &mut Vec<u8>,
) -> Result<Option<SeriesId>, KeyError> {
    if let Some(series) = names.series(bucket, raw) {
        return Ok(Some(series));
    }
    canonicalize(raw, scratch)?;
    Ok(names.series(bucket, scratch))
}

/// Names that lines want, each once with each type, in the order of the lines: the first type that a measurement can take
/// will stand.
#[derive(Default)]
struct WantedNames {
    /// By series key: fields with the types wanted.
    seen: HashMap<Rc<[u8]>, HashMap<String, Vec<FieldType>>>,
    list: Vec<WantedName>,
}

struct WantedName {
    bucket: BucketId,
    key: Rc<[u8]>,
    field: String,
    kind: FieldType,
}

impl WantedNames {
    /// NOTE: series with the same key go to the same bucket.
    fn add(&mut self, bucket: BucketId, key: &[u8], field: &Field<'_>) {
        let kind = kind_of(field);
        let is_seen = |kinds: &Vec<FieldType>| kinds.contains(&kind);
        let key = match self.seen.get_key_value(key) {
            Some((_, fields)) if fields.get(&*field.key).is_some_and(is_seen) => return,
            Some((key, _)) => Rc::clone(key),
            None => Rc::from(key),
        };
        let name = field.key.clone().into_owned();
        self.seen.entry(Rc::clone(&key)).or_default().entry(name.clone()).or_default().push(kind);
        self.list.push(WantedName { bucket, key, field: name, kind });
    }
}

/// Defines the names of this line and of all after it. A line that contradicts a name that stands is left out here and
/// refused when it is read again.
fn define_rest(catalog: &Catalog, body: &LineBody<'_>, from: Position) -> Result<(), CatalogError> {
    let missing = missing_names(&catalog.read(), body, from);
    for bucket in body.target.buckets() {
        let of_bucket = missing.list.iter().filter(|name| name.bucket == bucket);
        let wanted: Vec<_> = of_bucket.map(|n| Wanted { key: &n.key, field: &n.field, kind: n.kind }).collect();
        if !wanted.is_empty() {
            catalog.define(bucket, &wanted)?;
        }
    }
    Ok(())
}

fn missing_names(names: &Names, body: &LineBody<'_>, from: Position) -> WantedNames {
    let mut missing = WantedNames::default();
    let mut parser = LineParser::new(body.text.get(from.offset..).unwrap_or_default());
    let mut key = Vec::new();
    while let Some(parsed) = parser.next_line() {
        let Ok(line) = parsed else { continue };
        let bucket = body.target.bucket_of(line.series);
        if body.time_of(bucket, &line).is_err() || canonicalize(line.series, &mut key).is_err() {
            continue;
        }
        let series = names.series(bucket, &key);
        for (position, field) in line.fields.iter().enumerate() {
            if series.and_then(|s| names.column(s, position, &field.key)).is_none() {
                missing.add(bucket, &key, field);
            }
        }
    }
    missing
}

/// Says which field of a line has another type than the one that stands.
fn conflict(names: &Names, bucket: BucketId, line: &Line<'_, '_>) -> String {
    let mut key = Vec::new();
    let measurement = canonicalize(line.series, &mut key)
        .ok()
        .and_then(|()| SeriesKey::parse(&key).ok())
        .map(|k| k.measurement().into_owned())
        .unwrap_or_default();
    let known = names.measurement(bucket, &measurement).map(|m| names.fields(m)).unwrap_or_default();
    let clash = line.fields.iter().find_map(|field| {
        let stands = known.iter().find(|k| k.name == field.key && k.kind != kind_of(field))?;
        Some((field, stands.kind))
    });
    match clash {
        Some((field, stands)) => format!(
            "field type conflict: input field \"{}\" on measurement \"{measurement}\" is type {}, already exists as type {stands}",
            field.key,
            kind_of(field),
        ),
        None => format!("measurement \"{measurement}\" cannot take another field"),
    }
}
