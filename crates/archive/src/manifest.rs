//! What a file of the archive holds, as JSON beside it: `2026-11-22.json` next to `2026-11-22.parquet`. It is written after the
//! data, and replaced as a whole, which folders and object stores both can do; a crash in between leaves a manifest that does not fit
//! its file, and a day that is still due.

use model::FieldType;
use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::names;
use crate::rows::Field;

/// Version of files and manifests.
pub(crate) const VERSION: u32 = 1;

/// One file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Manifest {
    /// Version of the format, 1.
    pub format: u32,
    /// Version of hissrv that wrote it.
    pub hissrv: String,
    /// What the file has.
    #[serde(flatten)]
    pub content: Content,
    /// Rows: one a series and time.
    pub rows: u64,
    /// Field values.
    pub values: u64,
    /// Series.
    pub series: u64,
    /// Time of the first row, in nanoseconds since 1970.
    pub first_time_ns: i64,
    /// Time of the last row.
    pub last_time_ns: i64,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Every record of the journal up to this position is in it, as far as it is about this day.
    pub complete_to: u64,
    /// Parts of the store that could not be read and are missing, at most 20 sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// Names of a file's content: in the manifest, and in the file itself under the key `hissrv`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Content {
    /// Database.
    pub database: String,
    /// Retention policy.
    pub policy: String,
    /// Measurement.
    pub measurement: String,
    /// Day in UTC.
    pub day: Day,
    /// The file's columns, in their order.
    pub columns: Vec<Column>,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Column {
    /// Its name in the file. Differs from `name` where a tag or another field has that already.
    pub column: String,
    /// What it is.
    pub role: Role,
    /// Key of the tag or field; `time`.
    pub name: String,
    /// Type of a field: float, integer, unsigned, boolean or string.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Time of the row.
    Time,
    /// A tag; null where the series has none.
    Tag,
    /// A field; null where the row has no value.
    Field,
}

impl Manifest {
    /// Where the file is in the archive, without its ending.
    pub fn stem(&self) -> String {
        self.content.stem()
    }
}

impl Content {
    /// Names the columns: `time`, tags, fields. Each name stands once, also for readers that do not tell `a` from `A`.
    pub(crate) fn new(place: [&str; 3], day: Day, tags: &[String], fields: &[Field]) -> Self {
        let [database, policy, measurement] = place.map(str::to_owned);
        let mut taken = Taken(Vec::new());
        let mut columns =
            vec![Column { column: taken.take("time", ""), role: Role::Time, name: "time".to_owned(), kind: None }];
        columns.extend(tags.iter().map(|tag| Column {
            column: taken.take(tag, "_tag"),
            role: Role::Tag,
            name: tag.clone(),
            kind: None,
        }));
        columns.extend(fields.iter().map(|field| Column {
            column: taken.take(&field.name, "_field"),
            role: Role::Field,
            name: field.name.clone(),
            kind: Some(field.kind.to_string()),
        }));
        Self { database, policy, measurement, day, columns }
    }

    pub(crate) fn stem(&self) -> String {
        names::stem(&self.database, &self.policy, &self.measurement, self.day)
    }
}

impl Column {
    /// Type of a field; `None` for other columns and what is no type.
    pub(crate) fn field_type(&self) -> Option<FieldType> {
        let kind = self.kind.as_deref()?;
        FieldType::ALL.into_iter().find(|t| t.to_string() == kind)
    }
}

/// Names given out so far, in lower case.
struct Taken(Vec<String>);

impl Taken {
    /// `name`, else with `suffix`, else with the first number that is free.
    fn take(&mut self, name: &str, suffix: &str) -> String {
        let numbered = (2..).map(|n| format!("{name}{suffix}_{n}"));
        let candidates = [name.to_owned(), format!("{name}{suffix}")].into_iter().chain(numbered);
        let mut free = candidates.filter(|c| !self.0.contains(&c.to_lowercase()));
        let chosen = free.next().unwrap_or_default();
        self.0.push(chosen.to_lowercase());
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_would_have_the_same_name_are_told_apart() {
        let fields =
            ["A", "a", "a_field", "Time", "b"].map(|name| Field { name: name.to_owned(), kind: FieldType::Float });
        let tags = ["a".to_owned(), "time_field".to_owned()];
        let content = Content::new(["d", "p", "m"], "2026-11-22".parse().unwrap(), &tags, &fields);
        let columns: Vec<_> = content.columns.iter().map(|c| (c.column.as_str(), c.name.as_str())).collect();
        let expected = [
            ("time", "time"),
            ("a", "a"),
            ("time_field", "time_field"),
            ("A_field", "A"),
            ("a_field_2", "a"),
            ("a_field_field", "a_field"),
            ("Time_field_2", "Time"),
            ("b", "b"),
        ];
        assert_eq!(columns, expected);
    }

    #[test]
    fn types_are_read_back() {
        for kind in FieldType::ALL {
            let column =
                Column { column: "v".into(), role: Role::Field, name: "v".into(), kind: Some(kind.to_string()) };
            assert_eq!(column.field_type(), Some(kind));
        }
    }
}
