//! Points in memory.

use std::ops::Range;

use model::{FieldType, FieldValue, TimestampNs};

use super::{Destination, Point, Points};

/// Points one after another, with their texts.
#[derive(Debug, Clone)]
pub struct PointList {
    place: Destination,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    series: Vec<u8>,
    field: String,
    kind: FieldType,
    /// The bits of a number or a boolean.
    bits: u64,
    text: String,
    time: TimestampNs,
}

impl PointList {
    /// An empty list of points for this place.
    pub fn new(place: Destination) -> Self {
        Self { place, entries: Vec::new() }
    }

    /// Adds one.
    pub fn push(&mut self, point: Point<'_>) {
        let (bits, text) = match point.value {
            FieldValue::Float(v) => (v.to_bits(), ""),
            FieldValue::Integer(v) => (v.cast_unsigned(), ""),
            FieldValue::Unsigned(v) => (v, ""),
            FieldValue::Boolean(v) => (u64::from(v), ""),
            FieldValue::String(v) => (0, v),
        };
        self.entries.push(Entry {
            series: point.series.to_vec(),
            field: point.field.to_owned(),
            kind: point.value.field_type(),
            bits,
            text: text.to_owned(),
            time: point.time,
        });
    }
}

impl Entry {
    fn point(&self) -> Point<'_> {
        let value = match self.kind {
            FieldType::Float => FieldValue::Float(f64::from_bits(self.bits)),
            FieldType::Integer => FieldValue::Integer(self.bits.cast_signed()),
            FieldType::Unsigned => FieldValue::Unsigned(self.bits),
            FieldType::Boolean => FieldValue::Boolean(self.bits != 0),
            FieldType::String => FieldValue::String(&self.text),
        };
        Point { series: &self.series, field: &self.field, value, time: self.time }
    }
}

impl Points for PointList {
    fn place(&self) -> &Destination {
        &self.place
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn visit(&self, range: Range<usize>, each: &mut dyn FnMut(Point<'_>)) {
        let wanted = self.entries.get(range).unwrap_or_default();
        wanted.iter().for_each(|entry| each(entry.point()));
    }
}
