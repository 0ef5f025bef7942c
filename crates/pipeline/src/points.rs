//! A batch that a source fills point by point and hands over as a whole. Names are looked up when it is handed over.

use std::sync::Arc;

use catalog::{Names, Wanted};
use model::wire::BatchEncoder;
use model::{BucketId, ColumnId, FieldType, FieldValue, TimestampNs};

use crate::counters::Origin;
use crate::lines::is_storable;
use crate::{Intake, IntakeError, Target};

/// Points that wait to be journaled.
pub struct PointBatch {
    intake: Intake,
    target: Target,
    /// Database and retention policy of points whose measurement has no home: should they be dropped and made again, points go
    /// there.
    place: Option<(String, String)>,
    origin: Origin,
    /// Texts of all pending points: series keys, field keys, text values.
    text: Vec<u8>,
    pending: Vec<Pending>,
    /// So many of them, from the oldest on, are booked as received.
    booked: usize,
    encoder: BatchEncoder,
}

#[derive(Clone, Copy)]
struct Pending {
    key: Span,
    field: Span,
    time: TimestampNs,
    value: PendingValue,
    /// Its column, once a look at the names has found it.
    column: Option<ColumnId>,
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

#[derive(Clone, Copy)]
enum PendingValue {
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    Text(Span),
}

/// What a look at the names says of a point.
enum Lookup {
    Column(ColumnId),
    Missing,
    WrongType,
}

/// What of the pending points one journal record takes.
#[derive(Default)]
struct Record {
    /// So many from the oldest on, also those that are not in it for one of the reasons below.
    points: usize,
    /// Of another type than their field, or outside the range of times.
    wrong: usize,
    /// Without a column.
    nameless: usize,
}

impl PointBatch {
    pub(crate) fn new(intake: Intake, target: Target, origin: Origin) -> Self {
        let encoder = BatchEncoder::default();
        let place = intake.catalog.read().bucket_names(target.base()).map(|(d, p)| (d.to_owned(), p.to_owned()));
        Self { intake, target, place, origin, text: Vec::new(), pending: Vec::new(), booked: 0, encoder }
    }

    /// Adds a value of the series with this canonical key.
    pub fn push(&mut self, series: &[u8], field: &str, value: FieldValue<'_>, time: TimestampNs) {
        let key = self.keep(series);
        let field = self.keep(field.as_bytes());
        let value = match value {
            FieldValue::Float(v) => PendingValue::Float(v),
            FieldValue::Integer(v) => PendingValue::Integer(v),
            FieldValue::Unsigned(v) => PendingValue::Unsigned(v),
            FieldValue::Boolean(v) => PendingValue::Boolean(v),
            FieldValue::String(v) => PendingValue::Text(self.keep(v.as_bytes())),
        };
        self.pending.push(Pending { key, field, time, value, column: None });
    }

    /// Values that wait.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// True when none waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Makes what waits durable in the journal.
    ///
    /// # Errors
    /// [`IntakeError`]: when it is retryable (the journal is full for now) what is not journaled yet is kept, flush again
    /// later; else the values concerned are gone and counted as dropped: those of a refused record, or, when new names could
    /// not be defined, those under these names.
    pub fn flush(&mut self) -> Result<(), IntakeError> {
        let intake = self.intake.clone();
        let _names_stay = intake.names_stay();
        self.book_received();
        self.follow_names();
        let mut outcome = self.define_missing();
        if outcome.as_ref().is_err_and(IntakeError::is_retryable) {
            return outcome;
        }
        let defined = outcome.is_ok();
        while !self.pending.is_empty() {
            let record = self.encode_record();
            let appended = self.append();
            if appended.as_ref().is_err_and(IntakeError::is_retryable) {
                return appended;
            }
            self.count(&record, defined, appended.is_ok());
            self.pending.drain(..record.points);
            self.booked -= record.points;
            outcome = outcome.and(appended);
        }
        self.text.clear();
        outcome
    }

    /// Takes the buckets that the names stand for now.
    fn follow_names(&mut self) {
        if let Some((database, policy)) = &self.place {
            self.target.renew(&self.intake.catalog, database, policy);
        }
    }

    /// Books what became of the points of a record. Those without a column contradict their field's type, unless names could
    /// not be `defined`.
    fn count(&self, record: &Record, defined: bool, appended: bool) {
        let encoded = (record.points - record.nameless - record.wrong) as u64;
        let (nameless, wrong) = (record.nameless as u64, record.wrong as u64);
        self.intake.counters.of(self.origin).book(|c| {
            c.reject(wrong);
            if defined {
                c.reject(nameless)
            } else {
                c.lose(nameless)
            }
            if appended { c.journal(encoded) } else { c.lose(encoded) }
        });
    }

    /// Books what was pushed since the last attempt.
    fn book_received(&mut self) {
        let fresh = (self.pending.len() - self.booked) as u64;
        self.intake.counters.of(self.origin).book(|c| c.receive(fresh));
        self.booked = self.pending.len();
    }

    /// Finds the columns of all points and creates the names that do not exist yet.
    fn define_missing(&mut self) -> Result<(), IntakeError> {
        let catalog = Arc::clone(&self.intake.catalog);
        let names = catalog.read();
        let mut pending = std::mem::take(&mut self.pending);
        let mut missing = Vec::new();
        // A column found by an earlier attempt may have been dropped since.
        let is_found = |p: &Pending| p.column.is_some_and(|id| names.column_info(id).is_some());
        for point in pending.iter_mut().filter(|p| !is_found(p)) {
            point.column = None;
            match self.look_up(&names, point) {
                Lookup::Column(id) => point.column = Some(id),
                Lookup::WrongType => {}
                Lookup::Missing => missing.push(*point),
            }
        }
        self.pending = pending;
        // NOTE: not later: defining waits until nobody reads the names.
        drop(names);
        let mut outcome = Ok(());
        for bucket in self.target.buckets() {
            let of_bucket = missing.iter().filter(|p| self.bucket_of(p) == bucket);
            let wanted: Vec<Wanted<'_>> = of_bucket.map(|p| self.wanted(p)).collect();
            if !wanted.is_empty() {
                outcome = outcome.and(catalog.define(bucket, &wanted).map_err(IntakeError::from));
            }
        }
        outcome
    }

    /// Encodes points from the oldest on, until the record is long enough.
    fn encode_record(&mut self) -> Record {
        let limit = self.intake.record_bytes();
        let mut encoder = std::mem::take(&mut self.encoder);
        let mut record = Record::default();
        let names = self.intake.catalog.read();
        for point in &self.pending {
            if encoder.encoded_len() >= limit {
                break;
            }
            record.points += 1;
            match point.column.map_or_else(|| self.look_up(&names, point), Lookup::Column) {
                Lookup::Column(id) if is_storable(point.time) => encoder.push(id, point.time, self.value(point)),
                Lookup::Column(_) | Lookup::WrongType => record.wrong += 1,
                Lookup::Missing => record.nameless += 1,
            }
        }
        drop(names);
        self.encoder = encoder;
        record
    }

    /// Hands the encoded record to the journal.
    fn append(&mut self) -> Result<(), IntakeError> {
        let values = self.encoder.len();
        if values > 0 {
            self.intake.journal.append_wait(self.encoder.finish(), values as u32)?;
        }
        Ok(())
    }

    fn look_up(&self, names: &Names, point: &Pending) -> Lookup {
        let Some(series) = names.series(self.bucket_of(point), self.bytes(point.key)) else { return Lookup::Missing };
        match names.column(series, 0, self.str(point.field)) {
            Some((id, kind)) if kind == kind_of(point.value) => Lookup::Column(id),
            Some(_) => Lookup::WrongType,
            None => Lookup::Missing,
        }
    }

    fn bucket_of(&self, point: &Pending) -> BucketId {
        self.target.bucket_of(self.bytes(point.key))
    }

    fn wanted(&self, point: &Pending) -> Wanted<'_> {
        Wanted { key: self.bytes(point.key), field: self.str(point.field), kind: kind_of(point.value) }
    }

    fn value(&self, point: &Pending) -> FieldValue<'_> {
        match point.value {
            PendingValue::Float(v) => FieldValue::Float(v),
            PendingValue::Integer(v) => FieldValue::Integer(v),
            PendingValue::Unsigned(v) => FieldValue::Unsigned(v),
            PendingValue::Boolean(v) => FieldValue::Boolean(v),
            PendingValue::Text(span) => FieldValue::String(self.str(span)),
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        Span { start, end: self.text.len() }
    }

    fn bytes(&self, span: Span) -> &[u8] {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    fn str(&self, span: Span) -> &str {
        // Spans of field keys and text values were made of `str`s, so they are UTF-8.
        std::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }
}

/// Whoever gives a batch up gives up what it still holds.
impl Drop for PointBatch {
    fn drop(&mut self) {
        self.book_received();
        let given_up = self.pending.len() as u64;
        self.intake.counters.of(self.origin).book(|c| c.lose(given_up));
    }
}

fn kind_of(value: PendingValue) -> FieldType {
    match value {
        PendingValue::Float(_) => FieldType::Float,
        PendingValue::Integer(_) => FieldType::Integer,
        PendingValue::Unsigned(_) => FieldType::Unsigned,
        PendingValue::Boolean(_) => FieldType::Boolean,
        PendingValue::Text(_) => FieldType::String,
    }
}
