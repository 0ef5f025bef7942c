//! A batch of values as the journal keeps it: identifiers and columns instead of names and text, about ten bytes a value.
//!
//! ```text
//! batch   = version:u8 (1) | kind:u8 | body
//! points  = kind 0: section*
//! section = type:u8 | count:varint | column deltas | time deltas | values
//!           column delta: zigzag varint, against the value before it (first: against 0)
//!           time delta:   zigzag varint, nanoseconds, against the value before it (first: against 0)
//!           values:       float, integer, unsigned: 8 bytes little endian each; boolean: 1 byte each;
//!                         string: varint length, then UTF-8
//! delete  = kind 1: start:i64le | end:i64le | count:varint | column ids, delta varints (ascending)
//! ```
//! Sections are read in order, values of a section in order: a later value for the same column and time wins. A column
//! has one type and so stands in one kind of section only, which keeps that order inside a batch.

use crate::{ColumnId, FieldType, FieldValue, TimeRange, TimestampNs};

const VERSION: u8 = 1;
const KIND_POINTS: u8 = 0;
const KIND_DELETE: u8 = 1;

/// Why a payload cannot be read. The journal's checksum held, so this is a fault of ours or a newer version's data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Written by a later hissrv.
    #[error("batch version {0} is not known to this build (it reads version {VERSION})")]
    Version(u8),
    /// The bytes end early or name something that does not exist.
    #[error("batch is malformed: {0}")]
    Malformed(&'static str),
}

/// Collects values and encodes them as one points batch. Reusable: `finish` leaves it empty with its memory kept.
#[derive(Debug, Default)]
pub struct BatchEncoder {
    sections: [Section; FieldType::ALL.len()],
}

#[derive(Debug, Default)]
struct Section {
    count: usize,
    last_column: i64,
    last_time: i64,
    columns: Vec<u8>,
    times: Vec<u8>,
    values: Vec<u8>,
}

impl BatchEncoder {
    /// Adds one value. The type of `value` must be that of `column`.
    #[inline]
    pub fn push(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'_>) {
        #[expect(clippy::indexing_slicing, reason = "a type's code is below the number of types")]
        let section = &mut self.sections[usize::from(value.field_type().code())];
        section.push_key(column, time);
        match value {
            FieldValue::Float(v) => section.values.extend_from_slice(&v.to_bits().to_le_bytes()),
            FieldValue::Integer(v) => section.values.extend_from_slice(&v.to_le_bytes()),
            FieldValue::Unsigned(v) => section.values.extend_from_slice(&v.to_le_bytes()),
            FieldValue::Boolean(v) => section.values.push(u8::from(v)),
            FieldValue::String(v) => {
                put_varint(&mut section.values, v.len() as u64);
                section.values.extend_from_slice(v.as_bytes());
            }
        }
    }

    /// Values collected so far.
    pub fn len(&self) -> usize {
        self.sections.iter().map(|s| s.count).sum()
    }

    /// True when nothing was pushed since the last `finish`.
    pub fn is_empty(&self) -> bool {
        self.sections.iter().all(|s| s.count == 0)
    }

    /// Bytes the batch would take if finished now (a few bytes of headers aside).
    pub fn encoded_len(&self) -> usize {
        self.sections.iter().map(|s| s.columns.len() + s.times.len() + s.values.len()).sum()
    }

    /// The encoded batch; the encoder is empty afterwards.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len() + 64);
        out.extend_from_slice(&[VERSION, KIND_POINTS]);
        for (section, kind) in self.sections.iter_mut().zip(FieldType::ALL) {
            section.drain_into(kind, &mut out);
        }
        out
    }
}

impl Section {
    #[inline]
    fn push_key(&mut self, column: ColumnId, time: TimestampNs) {
        let column = i64::from(column.0);
        put_zigzag(&mut self.columns, column - self.last_column);
        put_zigzag(&mut self.times, time.0.wrapping_sub(self.last_time));
        self.last_column = column;
        self.last_time = time.0;
        self.count += 1;
    }

    fn drain_into(&mut self, kind: FieldType, out: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        out.push(kind.code());
        put_varint(out, self.count as u64);
        out.append(&mut self.columns);
        out.append(&mut self.times);
        out.append(&mut self.values);
        self.count = 0;
        self.last_column = 0;
        self.last_time = 0;
    }
}

/// An encoded deletion of `columns` (ascending) inside `range`.
pub fn encode_delete(columns: &[ColumnId], range: TimeRange) -> Vec<u8> {
    debug_assert!(columns.is_sorted());
    let mut out = vec![VERSION, KIND_DELETE];
    out.extend_from_slice(&range.start.0.to_le_bytes());
    out.extend_from_slice(&range.end.0.to_le_bytes());
    put_varint(&mut out, columns.len() as u64);
    let mut last = 0;
    for column in columns {
        put_varint(&mut out, u64::from(column.0 - last));
        last = column.0;
    }
    out
}

/// Receives a decoded batch, in order.
pub trait BatchVisitor {
    /// One value.
    fn value(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'_>);
    /// All values of `columns` inside `range` are to be removed.
    fn delete(&mut self, columns: &[ColumnId], range: TimeRange);
}

/// Walks an encoded batch. What was visited before an error stays visited.
///
/// # Errors
/// [`WireError`] when the version is unknown or the bytes are malformed.
pub fn decode(batch: &[u8], visitor: &mut impl BatchVisitor) -> Result<(), WireError> {
    let mut r = Cursor(batch);
    match r.byte()? {
        VERSION => {}
        other => return Err(WireError::Version(other)),
    }
    match r.byte()? {
        KIND_POINTS => {
            while !r.0.is_empty() {
                decode_section(&mut r, visitor)?;
            }
            Ok(())
        }
        KIND_DELETE => decode_delete(&mut r, visitor),
        _ => Err(WireError::Malformed("unknown kind")),
    }
}

fn decode_section(r: &mut Cursor<'_>, visitor: &mut impl BatchVisitor) -> Result<(), WireError> {
    let kind = FieldType::from_code(r.byte()?).ok_or(WireError::Malformed("unknown field type"))?;
    let count = usize::try_from(r.varint()?).map_err(|_| WireError::Malformed("count"))?;
    if count > r.0.len() {
        return Err(WireError::Malformed("count is larger than the batch"));
    }
    let mut columns = *r;
    skip_varints(r, count)?;
    let mut times = *r;
    skip_varints(r, count)?;
    let (mut column, mut time) = (0i64, 0i64);
    for _ in 0..count {
        column = column.checked_add(columns.zigzag()?).ok_or(WireError::Malformed("column out of range"))?;
        time = time.wrapping_add(times.zigzag()?);
        let id = ColumnId(u32::try_from(column).map_err(|_| WireError::Malformed("column out of range"))?);
        visitor.value(id, TimestampNs(time), decode_value(r, kind)?);
    }
    Ok(())
}

#[inline]
fn decode_value<'a>(r: &mut Cursor<'a>, kind: FieldType) -> Result<FieldValue<'a>, WireError> {
    Ok(match kind {
        FieldType::Float => FieldValue::Float(f64::from_bits(u64::from_le_bytes(r.array()?))),
        FieldType::Integer => FieldValue::Integer(i64::from_le_bytes(r.array()?)),
        FieldType::Unsigned => FieldValue::Unsigned(u64::from_le_bytes(r.array()?)),
        FieldType::Boolean => FieldValue::Boolean(r.byte()? != 0),
        FieldType::String => {
            let len = usize::try_from(r.varint()?).map_err(|_| WireError::Malformed("string length"))?;
            let text = std::str::from_utf8(r.take(len)?).map_err(|_| WireError::Malformed("string is not UTF-8"))?;
            FieldValue::String(text)
        }
    })
}

fn decode_delete(r: &mut Cursor<'_>, visitor: &mut impl BatchVisitor) -> Result<(), WireError> {
    let start = TimestampNs(i64::from_le_bytes(r.array()?));
    let end = TimestampNs(i64::from_le_bytes(r.array()?));
    let count = usize::try_from(r.varint()?).map_err(|_| WireError::Malformed("count"))?;
    if count > r.0.len() {
        return Err(WireError::Malformed("count is larger than the batch"));
    }
    let mut columns = Vec::with_capacity(count);
    let mut last = 0u64;
    for _ in 0..count {
        last = last.saturating_add(r.varint()?);
        columns.push(ColumnId(u32::try_from(last).map_err(|_| WireError::Malformed("column out of range"))?));
    }
    visitor.delete(&columns, TimeRange::new(start, end));
    Ok(())
}

/// Appends `v` in groups of seven bits, lowest first, the high bit marking that more follow (LEB128).
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Appends a signed number so that small magnitudes of either sign stay short.
#[inline]
pub fn put_zigzag(out: &mut Vec<u8>, v: i64) {
    put_varint(out, ((v << 1) ^ (v >> 63)) as u64);
}

/// Reads what [`put_varint`] and [`put_zigzag`] wrote; every read is checked.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next byte.
    ///
    /// # Errors
    /// [`WireError::Malformed`] at the end, as for every method here.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, WireError> {
        let (&first, rest) = self.0.split_first().ok_or(WireError::Malformed("it ends early"))?;
        self.0 = rest;
        Ok(first)
    }

    /// The next `len` bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(WireError::Malformed("it ends early"))?;
        self.0 = rest;
        Ok(head)
    }

    /// The next `N` bytes by value.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(WireError::Malformed("it ends early"))?;
        self.0 = rest;
        Ok(*head)
    }

    /// An unsigned number of up to 64 bits.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WireError::Malformed("number is too long"))
    }

    /// A signed number.
    #[inline]
    pub fn zigzag(&mut self) -> Result<i64, WireError> {
        let v = self.varint()?;
        Ok((v >> 1) as i64 ^ -((v & 1) as i64))
    }
}

fn skip_varints(r: &mut Cursor<'_>, count: usize) -> Result<(), WireError> {
    let mut left = count;
    while left > 0 {
        if r.byte()? < 0x80 {
            left -= 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, PartialEq)]
    enum Owned {
        Float(u64),
        Integer(i64),
        Unsigned(u64),
        Boolean(bool),
        String(String),
    }

    impl Owned {
        fn of(v: FieldValue<'_>) -> Self {
            match v {
                FieldValue::Float(v) => Self::Float(v.to_bits()),
                FieldValue::Integer(v) => Self::Integer(v),
                FieldValue::Unsigned(v) => Self::Unsigned(v),
                FieldValue::Boolean(v) => Self::Boolean(v),
                FieldValue::String(v) => Self::String(v.to_owned()),
            }
        }

        fn borrow(&self) -> FieldValue<'_> {
            match self {
                Self::Float(v) => FieldValue::Float(f64::from_bits(*v)),
                Self::Integer(v) => FieldValue::Integer(*v),
                Self::Unsigned(v) => FieldValue::Unsigned(*v),
                Self::Boolean(v) => FieldValue::Boolean(*v),
                Self::String(v) => FieldValue::String(v),
            }
        }
    }

    #[derive(Default)]
    struct Collect {
        values: Vec<(u32, i64, Owned)>,
        deletes: Vec<(Vec<ColumnId>, TimeRange)>,
    }

    impl BatchVisitor for Collect {
        fn value(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'_>) {
            self.values.push((column.0, time.0, Owned::of(value)));
        }

        fn delete(&mut self, columns: &[ColumnId], range: TimeRange) {
            self.deletes.push((columns.to_vec(), range));
        }
    }

    fn any_value() -> impl Strategy<Value = (u32, i64, Owned)> {
        let value = prop_oneof![
            any::<u64>().prop_map(Owned::Float),
            any::<i64>().prop_map(Owned::Integer),
            any::<u64>().prop_map(Owned::Unsigned),
            any::<bool>().prop_map(Owned::Boolean),
            ".{0,20}".prop_map(Owned::String),
        ];
        (any::<u32>(), any::<i64>(), value)
    }

    fn kind(v: &Owned) -> u8 {
        v.borrow().field_type().code()
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_in_order_per_type(values in prop::collection::vec(any_value(), 0..200)) {
            let mut encoder = BatchEncoder::default();
            for (column, time, value) in &values {
                encoder.push(ColumnId(*column), TimestampNs(*time), value.borrow());
            }
            prop_assert_eq!(encoder.len(), values.len());
            let batch = encoder.finish();
            prop_assert!(encoder.is_empty());
            let mut seen = Collect::default();
            decode(&batch, &mut seen).unwrap();
            let mut expected = values;
            expected.sort_by_key(|v| kind(&v.2));
            prop_assert_eq!(seen.values, expected);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let outcome = decode(&bytes, &mut Collect::default());
            prop_assert!(outcome.is_ok() || outcome.is_err());
        }
    }

    #[test]
    fn a_delete_comes_back_as_it_was() {
        let columns = vec![ColumnId(3), ColumnId(4), ColumnId(900)];
        let range = TimeRange::new(TimestampNs(-5), TimestampNs(77));
        let mut seen = Collect::default();
        decode(&encode_delete(&columns, range), &mut seen).unwrap();
        assert_eq!(seen.deletes, vec![(columns, range)]);
    }

    #[test]
    fn a_newer_version_is_named_in_the_error() {
        assert_eq!(decode(&[9, 0], &mut Collect::default()), Err(WireError::Version(9)));
    }
}
