//! A batch that a source fills point by point and hands over as a whole. Names are looked up when it is handed over.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use catalog::{Names, Wanted};
use model::wire::BatchEncoder;
use model::{BucketId, ColumnId, FieldType, FieldValue, TimestampNs};

use crate::counters::Origin;
use crate::{Intake, IntakeError};

/// Points that wait to be journaled.
pub struct PointBatch {
    intake: Intake,
    bucket: BucketId,
    origin: Origin,
    /// Texts of all pending points: series keys, field keys, text values.
    text: Vec<u8>,
    pending: Vec<Pending>,
    encoder: BatchEncoder,
}

#[derive(Clone, Copy)]
struct Pending {
    key: Span,
    field: Span,
    time: TimestampNs,
    value: PendingValue,
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

impl PointBatch {
    pub(crate) fn new(intake: Intake, bucket: BucketId, origin: Origin) -> Self {
        let encoder = BatchEncoder::default();
        Self { intake, bucket, origin, text: Vec::new(), pending: Vec::new(), encoder }
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
        self.pending.push(Pending { key, field, time, value });
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
    /// [`IntakeError`]: when it is retryable (the journal is full for now) everything is kept, flush again later; else the
    /// values are gone and counted as dropped.
    pub fn flush(&mut self) -> Result<(), IntakeError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let outcome = self.encode().and_then(|rejected| Ok((rejected, self.append()?)));
        if outcome.as_ref().is_err_and(IntakeError::is_retryable) {
            return outcome.map(|_| ());
        }
        self.count(outcome.as_ref().ok().copied());
        self.pending.clear();
        self.text.clear();
        outcome.map(|_| ())
    }

    /// Books what became of everything pending: rejected and journaled, or all dropped.
    fn count(&self, outcome: Option<(u64, u64)>) {
        let count = self.pending.len() as u64;
        self.counters().received.fetch_add(count, Relaxed);
        match outcome {
            Some((rejected, journaled)) => {
                self.counters().rejected.fetch_add(rejected, Relaxed);
                self.counters().journaled.fetch_add(journaled, Relaxed);
            }
            None => _ = self.counters().dropped.fetch_add(count, Relaxed),
        }
    }

    fn counters(&self) -> &crate::counters::OriginCounters {
        self.intake.counters.of(self.origin)
    }

    /// Turns names into identifiers, defining what is missing. Tells how many points contradict their field's type.
    fn encode(&mut self) -> Result<u64, IntakeError> {
        let catalog = Arc::clone(&self.intake.catalog);
        let names = catalog.read();
        let missing: Vec<Pending> =
            self.pending.iter().filter(|p| matches!(self.look_up(&names, p), Lookup::Missing)).copied().collect();
        drop(names);
        if !missing.is_empty() {
            let wanted: Vec<Wanted<'_>> = missing.iter().map(|p| self.wanted(p)).collect();
            catalog.define(self.bucket, &wanted)?;
        }
        let names = catalog.read();
        let mut encoder = std::mem::take(&mut self.encoder);
        let mut rejected = 0;
        for point in &self.pending {
            match self.look_up(&names, point) {
                Lookup::Column(id) if point.time < TimestampNs::MAX => encoder.push(id, point.time, self.value(point)),
                _ => rejected += 1,
            }
        }
        self.encoder = encoder;
        Ok(rejected)
    }

    /// Tells how many values were journaled.
    fn append(&mut self) -> Result<u64, IntakeError> {
        let values = self.encoder.len();
        if values == 0 {
            return Ok(0);
        }
        self.intake.journal.append_wait(self.encoder.finish(), values as u32)?;
        Ok(values as u64)
    }

    fn look_up(&self, names: &Names, point: &Pending) -> Lookup {
        let Some(series) = names.series(self.bucket, self.bytes(point.key)) else { return Lookup::Missing };
        match names.column(series, 0, self.str(point.field)) {
            Some((id, kind)) if kind == kind_of(point.value) => Lookup::Column(id),
            Some(_) => Lookup::WrongType,
            None => Lookup::Missing,
        }
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

fn kind_of(value: PendingValue) -> FieldType {
    match value {
        PendingValue::Float(_) => FieldType::Float,
        PendingValue::Integer(_) => FieldType::Integer,
        PendingValue::Unsigned(_) => FieldType::Unsigned,
        PendingValue::Boolean(_) => FieldType::Boolean,
        PendingValue::Text(_) => FieldType::String,
    }
}
