//! What the user says about the columns of a table.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use model::FieldType;
use serde::{Deserialize, Serialize};

use crate::time::{TimeFormat, Twice};

/// Words for a missing value, besides the empty cell.
const NULLS: [&str; 4] = ["NA", "NaN", "null", "?"];

/// Which column is what. What is not said is found out from the names and the first records:
///
/// - the time is the first column whose cells are all times, or a column of dates with one of times of day;
/// - fields are the other columns of numbers (floats) and of `true` and `false`, and also of texts once `tags` are said;
/// - tags are the other columns of texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// Measurement of the points. Default: none, and then it must be given, unless the file describes itself.
    pub measurement: Option<Measurement>,
    /// Where the time is. Default: found out.
    pub time: TimeOptions,
    /// Columns that are tags, and no others. Default: found out.
    pub tags: Option<Vec<String>>,
    /// Columns that are fields, and no others. Default: found out.
    pub fields: Option<Vec<FieldColumn>>,
    /// Columns that are left out. Default: none.
    pub ignore: Vec<String>,
    /// Other names for columns as tags, fields or series. Default: none.
    pub rename: BTreeMap<String, String>,
    /// What becomes of the columns that are fields. Default: `fields`.
    pub layout: Layout,
    /// Field key where columns are series. Default `value`.
    pub value_field: String,
    /// Decimal sign. Default `.`.
    pub decimal: char,
    /// Sign between thousands, which is passed over. Default: none.
    pub thousands: Option<char>,
    /// Words for a missing value, besides the empty cell; lower and upper case are the same. Default `NA`, `NaN`, `null`, `?`.
    pub nulls: Vec<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            measurement: None,
            time: TimeOptions::default(),
            tags: None,
            fields: None,
            ignore: Vec::new(),
            rename: BTreeMap::new(),
            layout: Layout::default(),
            value_field: "value".to_owned(),
            decimal: '.',
            thousands: None,
            nulls: NULLS.map(str::to_owned).to_vec(),
        }
    }
}

/// Where the measurement's name comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measurement {
    /// The same for all points.
    Named(String),
    /// From a column.
    Column(String),
}

/// Where the time is, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeOptions {
    /// One column, or that of the date and that of the time of day, which are read with a blank between. Default: found out.
    pub columns: Vec<String>,
    /// How it is written. Default `auto`.
    pub format: TimeFormat,
    /// IANA name of the zone of times without an offset. Local times that clocks pass over when they are set forward are rejected. Default `UTC`.
    pub zone: String,
    /// Which of the two a local time means that comes twice when clocks are set back: `earlier`, `later`, or `reject`. Default `earlier`.
    pub twice: Twice,
}

impl Default for TimeOptions {
    fn default() -> Self {
        Self { columns: Vec::new(), format: TimeFormat::Auto, zone: "UTC".to_owned(), twice: Twice::default() }
    }
}

/// What becomes of the columns that are fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Each is a field of the row's series.
    #[default]
    Fields,
    /// Each is a series of its own: its name is the value of the tag of this key, its values are those of the field `value_field`.
    Tag(String),
    /// One column has the name of the field, another its value. (Where columns name the series, they are tags.)
    Long {
        /// Column with the field key.
        field: String,
        /// Column with the value.
        value: String,
    },
}

impl FromStr for Layout {
    type Err = String;

    /// `fields`, `tag:NAME`, `long:FIELD_COLUMN,VALUE_COLUMN`.
    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.split_once(':')) {
            ("fields", _) => Ok(Self::Fields),
            (_, Some(("tag", name))) if !name.is_empty() => Ok(Self::Tag(name.to_owned())),
            (_, Some(("long", columns))) => match columns.split_once(',') {
                Some((field, value)) => Ok(Self::Long { field: field.to_owned(), value: value.to_owned() }),
                None => Err(format!("`{text}`: expected two columns, long:FIELD_COLUMN,VALUE_COLUMN")),
            },
            _ => Err(format!("`{text}`: expected fields, tag:NAME or long:FIELD_COLUMN,VALUE_COLUMN")),
        }
    }
}

/// A column that is a field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FieldColumn {
    /// Its name.
    pub column: String,
    /// Type of the field. Default: float for CSV, that of the column for Parquet.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
}

impl FromStr for FieldColumn {
    type Err = String;

    /// `COLUMN` or `COLUMN:TYPE`. What is behind a colon but no type belongs to the name.
    fn from_str(text: &str) -> Result<Self, String> {
        let typed = text.rsplit_once(':').and_then(|(column, kind)| Some((column, kind.parse().ok()?)));
        let (column, kind) = typed.map_or((text, None), |(column, kind)| (column, Some(kind)));
        if column.is_empty() {
            return Err(format!("`{text}`: expected a column, as in COLUMN or COLUMN:integer"));
        }
        Ok(Self { column: column.to_owned(), kind })
    }
}

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 64-bit float.
    Float,
    /// Signed 64-bit integer.
    Integer,
    /// Unsigned 64-bit integer.
    Unsigned,
    /// `true`, `t`, `yes`, `on`, `1` and their opposites.
    Boolean,
    /// Text.
    String,
}

impl From<Kind> for FieldType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Float => Self::Float,
            Kind::Integer => Self::Integer,
            Kind::Unsigned => Self::Unsigned,
            Kind::Boolean => Self::Boolean,
            Kind::String => Self::String,
        }
    }
}

impl From<FieldType> for Kind {
    fn from(kind: FieldType) -> Self {
        match kind {
            FieldType::Float => Self::Float,
            FieldType::Integer => Self::Integer,
            FieldType::Unsigned => Self::Unsigned,
            FieldType::Boolean => Self::Boolean,
            FieldType::String => Self::String,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FieldType::from(*self).fmt(f)
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = FieldType::ALL.into_iter().find(|kind| kind.to_string() == text);
        found.map(Self::from).ok_or_else(|| format!("`{text}`: expected float, integer, unsigned, boolean or string"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_said_with_and_without_a_type() {
        let field = |text: &str| text.parse::<FieldColumn>().map(|f| (f.column, f.kind));
        assert_eq!(field("a"), Ok(("a".to_owned(), None)));
        assert_eq!(field("a:integer"), Ok(("a".to_owned(), Some(Kind::Integer))));
        assert_eq!(field("a:b"), Ok(("a:b".to_owned(), None)));
        assert!(field(":float").is_err());
    }

    #[test]
    fn layouts_are_said_in_a_word() {
        assert_eq!("tag:point".parse(), Ok(Layout::Tag("point".to_owned())));
        assert_eq!("long:a,b".parse(), Ok(Layout::Long { field: "a".to_owned(), value: "b".to_owned() }));
        for text in ["", "tag:", "long:a", "wide"] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }

    #[test]
    fn options_are_read_from_a_configuration() {
        let text = r#"{"measurement": {"named": "m"}, "time": {"columns": ["d", "t"], "format": "%d/%m/%Y %T"},
            "fields": [{"column": "a", "type": "integer"}], "layout": {"tag": "point"}, "decimal": ","}"#;
        let mapping: Mapping = serde_json::from_str(text).unwrap();
        assert_eq!(mapping.layout, Layout::Tag("point".to_owned()));
        assert_eq!(serde_json::from_str::<Mapping>(&serde_json::to_string(&mapping).unwrap()).unwrap(), mapping);
        assert!(serde_json::from_str::<Mapping>(r#"{"time": {"format": "dd/mm"}}"#).is_err());
    }
}
