//! The columns of a file as Parquet sees them.

use std::sync::Arc;

use model::FieldType;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use crate::manifest::{Column, Content, Role};

use super::METADATA;

/// Columns whose values are often distinct, so that a dictionary would only be given up.
const DELTAS: [Physical; 1] = [Physical::INT64];

/// The message type of a file.
pub(super) fn schema(content: &Content) -> Result<TypePtr> {
    let columns = content.columns.iter().map(|column| column_type(column).map(Arc::new));
    Ok(Arc::new(Type::group_type_builder("hissrv").with_fields(columns.collect::<Result<_>>()?).build()?))
}

fn column_type(column: &Column) -> Result<Type> {
    let (physical, logical) =
        types(column).ok_or_else(|| ParquetError::General(format!("column {} has no type", column.column)))?;
    let repetition = if column.role == Role::Time { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    Type::primitive_type_builder(&column.column, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

/// `None` for a field of no type that we know.
pub(super) fn types(column: &Column) -> Option<(Physical, Option<LogicalType>)> {
    Some(match column.role {
        Role::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
        Role::Tag => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Role::Field => match column.field_type()? {
            FieldType::Float => (Physical::DOUBLE, None),
            FieldType::Integer => (Physical::INT64, None),
            FieldType::Unsigned => (Physical::INT64, Some(LogicalType::integer(64, false))),
            FieldType::Boolean => (Physical::BOOLEAN, None),
            FieldType::String => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        },
    })
}

/// How the file is written.
pub(super) fn properties(content: &Content) -> Result<WriterPropertiesPtr> {
    let names = serde_json::to_string(content).map_err(|e| ParquetError::General(e.to_string()))?;
    let metadata = KeyValue { key: METADATA.to_owned(), value: Some(names) };
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("hissrv ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_key_value_metadata(Some(vec![metadata]))
        // Limits of rows and bytes are ours, see `group`.
        .set_max_row_group_row_count(None);
    for column in &content.columns {
        if types(column).is_some_and(|(physical, _)| DELTAS.contains(&physical)) {
            let path = ColumnPath::from(column.column.clone());
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
            properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(Arc::new(properties.build()))
}
