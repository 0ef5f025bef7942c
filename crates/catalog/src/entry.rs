//! One definition, or the end of some, and its bytes.
//!
//! ```text
//! entry       = tag:u8 | fields
//! bucket      = 1 | id | database | policy
//! measurement = 2 | id | bucket id | name
//! field       = 3 | measurement id | index | type:u8 | name
//! series      = 4 | id | measurement id | canonical key
//! column      = 5 | id | series id | field index
//! dropped     = 6 | bucket id                                               with all its measurements
//!             | 7 | measurement id                                          with its fields and series
//!             | 8 | count | series id, each minus the one before*           with their columns; ascending
//! ```
//! Numbers are varints; texts a varint length and UTF-8. Identifiers are written out, so a lost entry moves none of the others.

use model::wire::{Cursor, WireError, put_varint};
use model::{BucketId, ColumnId, FieldType, MeasurementId, SeriesId};

/// A definition, or the end of some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Bucket {
        id: BucketId,
        database: String,
        policy: String,
    },
    Measurement {
        id: MeasurementId,
        bucket: BucketId,
        name: String,
    },
    Field {
        measurement: MeasurementId,
        index: u16,
        kind: FieldType,
        name: String,
    },
    Series {
        id: SeriesId,
        measurement: MeasurementId,
        key: Vec<u8>,
    },
    Column {
        id: ColumnId,
        series: SeriesId,
        field: u16,
    },
    DropBucket {
        id: BucketId,
    },
    DropMeasurement {
        id: MeasurementId,
    },
    /// Ascending, without repetition.
    DropSeries {
        ids: Vec<SeriesId>,
    },
}

impl Entry {
    /// Appends the bytes of this entry.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bucket { id, database, policy } => {
                put_head(out, 1, &[id.0]);
                put_bytes(out, database.as_bytes());
                put_bytes(out, policy.as_bytes());
            }
            Self::Measurement { id, bucket, name } => {
                put_head(out, 2, &[id.0, bucket.0]);
                put_bytes(out, name.as_bytes());
            }
            Self::Field { measurement, index, kind, name } => {
                put_head(out, 3, &[measurement.0, u32::from(*index)]);
                out.push(kind.code());
                put_bytes(out, name.as_bytes());
            }
            Self::Series { id, measurement, key } => {
                put_head(out, 4, &[id.0, measurement.0]);
                put_bytes(out, key);
            }
            Self::Column { id, series, field } => put_head(out, 5, &[id.0, series.0, u32::from(*field)]),
            Self::DropBucket { id } => put_head(out, 6, &[id.0]),
            Self::DropMeasurement { id } => put_head(out, 7, &[id.0]),
            Self::DropSeries { ids } => {
                put_head(out, 8, &[ids.len() as u32]);
                let before = [0].into_iter().chain(ids.iter().map(|id| id.0));
                ids.iter().zip(before).for_each(|(id, before)| put_varint(out, u64::from(id.0.wrapping_sub(before))));
            }
        }
    }

    /// Reads one entry.
    pub(crate) fn decode(r: &mut Cursor<'_>) -> Result<Self, WireError> {
        Ok(match r.byte()? {
            1 => Self::Bucket { id: BucketId(number(r)?), database: text(r)?, policy: text(r)? },
            2 => Self::Measurement { id: MeasurementId(number(r)?), bucket: BucketId(number(r)?), name: text(r)? },
            3 => Self::Field {
                measurement: MeasurementId(number(r)?),
                index: small(r)?,
                kind: FieldType::from_code(r.byte()?).ok_or(WireError::Malformed("unknown field type"))?,
                name: text(r)?,
            },
            4 => Self::Series { id: SeriesId(number(r)?), measurement: MeasurementId(number(r)?), key: bytes(r)? },
            5 => Self::Column { id: ColumnId(number(r)?), series: SeriesId(number(r)?), field: small(r)? },
            6 => Self::DropBucket { id: BucketId(number(r)?) },
            7 => Self::DropMeasurement { id: MeasurementId(number(r)?) },
            8 => Self::DropSeries { ids: series_ids(r)? },
            _ => return Err(WireError::Malformed("unknown catalog entry")),
        })
    }
}

fn put_head(out: &mut Vec<u8>, tag: u8, numbers: &[u32]) {
    out.push(tag);
    numbers.iter().for_each(|n| put_varint(out, u64::from(*n)));
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn series_ids(r: &mut Cursor<'_>) -> Result<Vec<SeriesId>, WireError> {
    let count = number(r)?;
    let mut ids = Vec::new();
    let mut last = 0u32;
    for _ in 0..count {
        last = last.checked_add(number(r)?).ok_or(WireError::Malformed("identifier out of range"))?;
        ids.push(SeriesId(last));
    }
    Ok(ids)
}

fn number(r: &mut Cursor<'_>) -> Result<u32, WireError> {
    u32::try_from(r.varint()?).map_err(|_| WireError::Malformed("identifier out of range"))
}

fn small(r: &mut Cursor<'_>) -> Result<u16, WireError> {
    u16::try_from(r.varint()?).map_err(|_| WireError::Malformed("field index out of range"))
}

fn bytes(r: &mut Cursor<'_>) -> Result<Vec<u8>, WireError> {
    let len = usize::try_from(r.varint()?).map_err(|_| WireError::Malformed("length"))?;
    Ok(r.take(len)?.to_vec())
}

fn text(r: &mut Cursor<'_>) -> Result<String, WireError> {
    String::from_utf8(bytes(r)?).map_err(|_| WireError::Malformed("text is not UTF-8"))
}
