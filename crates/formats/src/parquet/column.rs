//! What the columns of a Parquet file are to us.

use parquet::basic::{Compression, ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::ColumnDescriptor;

use crate::error::Error;
use crate::table::{Content, Kind};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// How a column's values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Boolean,
    Integer,
    Unsigned,
    Float,
    Text,
    /// Units since 1970, of so many nanoseconds.
    Time {
        ns: i64,
        is_utc: bool,
    },
    /// The old form of 12 bytes.
    Int96,
    /// A number to be divided by this power of ten.
    Decimal {
        scale: i32,
    },
}

/// `None` for nested columns and types that are no values of points.
pub(super) fn form_of(column: &ColumnDescriptor) -> Option<Form> {
    if column.max_rep_level() > 0 || column.max_def_level() > 1 || column.path().parts().len() > 1 {
        return None;
    }
    if let Some(logical) = column.logical_type_ref() {
        return of_logical(logical, column.physical_type());
    }
    match column.converted_type() {
        ConvertedType::TIMESTAMP_MILLIS => Some(Form::Time { ns: 1_000_000, is_utc: true }),
        ConvertedType::TIMESTAMP_MICROS => Some(Form::Time { ns: 1000, is_utc: true }),
        ConvertedType::DATE => Some(Form::Time { ns: DAY_NS, is_utc: false }),
        ConvertedType::DECIMAL => Some(Form::Decimal { scale: column.type_scale() }),
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
            Some(Form::Unsigned)
        }
        ConvertedType::INTERVAL => None,
        _ => of_physical(column.physical_type()),
    }
}

fn of_logical(logical: &LogicalType, physical: Physical) -> Option<Form> {
    match logical {
        LogicalType::Timestamp(time) => {
            let ns = match time.unit {
                TimeUnit::MILLIS => 1_000_000,
                TimeUnit::MICROS => 1000,
                TimeUnit::NANOS => 1,
            };
            Some(Form::Time { ns, is_utc: time.is_adjusted_to_u_t_c })
        }
        LogicalType::Date => Some(Form::Time { ns: DAY_NS, is_utc: false }),
        LogicalType::Decimal(decimal) => Some(Form::Decimal { scale: decimal.scale }),
        LogicalType::Integer(integer) if !integer.is_signed => Some(Form::Unsigned),
        LogicalType::Integer(_)
        | LogicalType::String
        | LogicalType::Enum
        | LogicalType::Json
        | LogicalType::Time(_) => of_physical(physical),
        _ => None,
    }
}

fn of_physical(physical: Physical) -> Option<Form> {
    match physical {
        Physical::BOOLEAN => Some(Form::Boolean),
        Physical::INT32 | Physical::INT64 => Some(Form::Integer),
        Physical::INT96 => Some(Form::Int96),
        Physical::FLOAT | Physical::DOUBLE => Some(Form::Float),
        Physical::BYTE_ARRAY => Some(Form::Text),
        Physical::FIXED_LEN_BYTE_ARRAY => None,
    }
}

impl Form {
    /// What the column holds where nothing else is said.
    pub(super) fn content(self) -> Content {
        match self {
            Self::Boolean => Content::Values(Kind::Boolean),
            Self::Integer => Content::Values(Kind::Integer),
            Self::Unsigned => Content::Values(Kind::Unsigned),
            Self::Float | Self::Decimal { .. } => Content::Values(Kind::Float),
            Self::Text => Content::Values(Kind::String),
            Self::Time { .. } | Self::Int96 => Content::Times,
        }
    }
}

/// All pages must be compressed in a way that is built in.
pub(super) fn check_compression(metadata: &ParquetMetaData) -> Result<(), Error> {
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let codec = column.compression();
        if !matches!(
            codec,
            Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) | Compression::ZSTD(_)
        ) {
            return Err(Error::Parquet(format!(
                "column `{}` is compressed by {codec}, which is not read here: write the file again with Zstandard, Snappy or gzip",
                column.column_path().string()
            )));
        }
    }
    Ok(())
}
