//! Some rows of a Parquet file, decoded column by column.

use model::{FieldValue, TimestampNs};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, Int96};
use parquet::errors::{ParquetError, Result};

use super::column::Form;
use crate::table::{Cell, Row};

/// Nanoseconds of a day, and the day 1970-01-01 in the calendar of [`Int96`].
const DAY_NS: i128 = 86_400_000_000_000;
const EPOCH_DAY: i128 = 2_440_588;

/// Decoded rows. Columns that nobody needs are `None`.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) columns: Vec<Option<Cells>>,
    pub(super) rows: usize,
}

/// One row of a batch.
pub(super) struct BatchRow<'a> {
    pub(super) batch: &'a Batch,
    pub(super) row: usize,
}

impl Row for BatchRow<'_> {
    #[inline]
    fn cell(&self, column: usize) -> Cell<'_> {
        match self.batch.columns.get(column) {
            Some(Some(cells)) => cells.get(self.row),
            _ => Cell::Null,
        }
    }
}

/// A column's values of some rows.
pub(super) struct Cells {
    /// For each row where its value stands; [`ABSENT`] for null.
    places: Vec<u32>,
    values: Values,
}

const ABSENT: u32 = u32::MAX;

enum Values {
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
    Unsigned(Vec<u64>),
    Float(Vec<f64>),
    Text(Vec<ByteArray>),
    /// Nanoseconds; those that do not fit are at the limit, which no point can have.
    Times {
        ns: Vec<i64>,
        is_utc: bool,
    },
}

impl Cells {
    /// Up to `rows` rows of a column.
    pub(super) fn read(reader: &mut ColumnReader, form: Form, rows: usize) -> Result<Self> {
        let mut places = Vec::new();
        let p = &mut places;
        let values = match reader {
            ColumnReader::BoolColumnReader(r) => Values::Boolean(read(r, rows, p)?),
            ColumnReader::Int32ColumnReader(r) => {
                let values = read(r, rows, p)?.into_iter();
                match form {
                    Form::Unsigned => Values::Unsigned(values.map(|v| u64::from(v.cast_unsigned())).collect()),
                    _ => Values::of_integers(values.map(i64::from).collect(), form),
                }
            }
            ColumnReader::Int64ColumnReader(r) => Values::of_integers(read(r, rows, p)?, form),
            ColumnReader::Int96ColumnReader(r) => {
                Values::Times { ns: read(r, rows, p)?.iter().map(int96_ns).collect(), is_utc: true }
            }
            ColumnReader::FloatColumnReader(r) => Values::Float(read(r, rows, p)?.into_iter().map(f64::from).collect()),
            ColumnReader::DoubleColumnReader(r) => Values::Float(read(r, rows, p)?),
            ColumnReader::ByteArrayColumnReader(r) => {
                let values = read(r, rows, p)?;
                match form {
                    Form::Decimal { scale } => {
                        Values::Float(values.iter().map(|v| of_bytes(v.data(), scale)).collect())
                    }
                    _ => Values::Text(values),
                }
            }
            ColumnReader::FixedLenByteArrayColumnReader(r) => {
                let Form::Decimal { scale } = form else {
                    return Err(ParquetError::General("a column changed its type".to_owned()));
                };
                Values::Float(read(r, rows, p)?.iter().map(|v| of_bytes(v.data(), scale)).collect())
            }
        };
        Ok(Self { places, values })
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    #[inline]
    fn get(&self, row: usize) -> Cell<'_> {
        let Some(place) = self.places.get(row).filter(|place| **place != ABSENT).map(|place| *place as usize) else {
            return Cell::Null;
        };
        let value = match &self.values {
            Values::Boolean(v) => v.get(place).map(|v| FieldValue::Boolean(*v)),
            Values::Integer(v) => v.get(place).map(|v| FieldValue::Integer(*v)),
            Values::Unsigned(v) => v.get(place).map(|v| FieldValue::Unsigned(*v)),
            Values::Float(v) => v.get(place).map(|v| FieldValue::Float(*v)),
            Values::Text(v) => {
                return v.get(place).map_or(Cell::Null, |v| Cell::Text { text: v.data(), is_quoted: true });
            }
            Values::Times { ns, is_utc } => return ns.get(place).map_or(Cell::Null, |ns| time(*ns, *is_utc)),
        };
        value.map_or(Cell::Null, Cell::Value)
    }
}

fn time(ns: i64, is_utc: bool) -> Cell<'static> {
    // What is at the limit did not fit; in no zone it would.
    if is_utc || matches!(ns, i64::MAX | i64::MIN) { Cell::Time(TimestampNs(ns)) } else { Cell::LocalTime(ns) }
}

impl Values {
    fn of_integers(values: Vec<i64>, form: Form) -> Self {
        match form {
            Form::Unsigned => Self::Unsigned(values.into_iter().map(i64::cast_unsigned).collect()),
            Form::Time { ns: 1, is_utc } => Self::Times { ns: values, is_utc },
            Form::Time { ns, is_utc } => {
                Self::Times { ns: values.into_iter().map(|v| v.saturating_mul(ns)).collect(), is_utc }
            }
            Form::Decimal { scale } => Self::Float(values.into_iter().map(|v| decimal(i128::from(v), scale)).collect()),
            _ => Self::Integer(values),
        }
    }
}

fn int96_ns(value: &Int96) -> i64 {
    let [low, high, day] = *value.data() else { return i64::MAX };
    let ns = (i128::from(day.cast_signed()) - EPOCH_DAY) * DAY_NS + (i128::from(high) << 32 | i128::from(low));
    i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
}

/// An unscaled number of up to 16 bytes, the highest first; longer ones are no values.
fn of_bytes(bytes: &[u8], scale: i32) -> f64 {
    if bytes.is_empty() || bytes.len() > 16 {
        return f64::NAN;
    }
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
    decimal(bytes.iter().fold(sign, |value, byte| value << 8 | i128::from(*byte)), scale)
}

/// The float next to `unscaled / 10^scale`.
fn decimal(unscaled: i128, scale: i32) -> f64 {
    fast_float2::parse(format!("{unscaled}e{}", -i64::from(scale))).unwrap_or(f64::NAN)
}

/// Reads up to `rows` rows: the values, and into `places` where each row's stands.
fn read<T: DataType>(reader: &mut ColumnReaderImpl<T>, rows: usize, places: &mut Vec<u32>) -> Result<Vec<T::T>> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (records, ..) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    if levels.is_empty() {
        levels.resize(records, 1);
    }
    let mut next = 0;
    places.extend(levels.iter().map(|level| {
        if *level == 0 {
            return ABSENT;
        }
        next += 1;
        next - 1
    }));
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_form_of_times_is_read() {
        let mut value = Int96::new();
        value.set_data(1_000_000_000, 0, 2_440_589);
        assert_eq!(int96_ns(&value), 86_401_000_000_000);
        value.set_data(0, 0, 2_440_587);
        assert_eq!(int96_ns(&value), -86_400_000_000_000);
        value.set_data(0, 0, 9_999_999);
        assert_eq!(int96_ns(&value), i64::MAX);
    }

    #[test]
    fn decimals_are_rounded_once() {
        assert_eq!(decimal(12_345, 2), 123.45);
        assert_eq!(of_bytes(&[0xff, 0x9c], 1), -10.0);
        assert_eq!(of_bytes(&[0x01, 0x00], 0), 256.0);
        assert!(of_bytes(&[], 0).is_nan());
    }
}
