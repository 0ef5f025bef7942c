//! What a Parquet file of hissrv says about itself, as JSON under the key `hissrv` of its metadata. The archive writes the same with more
//! (database, retention policy, day), which is passed over here.

use model::FieldType;
use serde::{Deserialize, Serialize};

/// The key.
pub(crate) const METADATA: &str = "hissrv";

/// Names of a file's columns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Description {
    pub(crate) measurement: String,
    pub(crate) columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Column {
    /// Its name in the file. Differs from `name` where a tag or another field has that already.
    pub(crate) column: String,
    pub(crate) role: Role,
    /// Key of the tag or field; `time`.
    pub(crate) name: String,
    /// Type of a field.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Time,
    Tag,
    Field,
}

impl Description {
    /// Names the columns: `time`, tags, fields. Each name stands once, also for readers that do not tell `a` from `A`.
    pub(crate) fn of(measurement: &str, tags: &[String], fields: &[(String, FieldType)]) -> Self {
        let mut taken = Vec::new();
        let mut column = |role, name: &str, kind: Option<FieldType>| {
            let suffix = if role == Role::Tag { "_tag" } else { "_field" };
            let column = take(&mut taken, name, suffix);
            Column { column, role, name: name.to_owned(), kind: kind.map(|kind| kind.to_string()) }
        };
        let mut columns = vec![column(Role::Time, "time", None)];
        columns.extend(tags.iter().map(|tag| column(Role::Tag, tag, None)));
        columns.extend(fields.iter().map(|(name, kind)| column(Role::Field, name, Some(*kind))));
        Self { measurement: measurement.to_owned(), columns }
    }
}

impl Column {
    /// Type of a field; `None` for other columns and what is no type.
    pub(crate) fn field_type(&self) -> Option<FieldType> {
        let kind = self.kind.as_deref()?;
        FieldType::ALL.into_iter().find(|t| t.to_string() == kind)
    }
}

/// `name`, else with `suffix`, else with the first number that is free.
fn take(taken: &mut Vec<String>, name: &str, suffix: &str) -> String {
    let numbered = (2..).map(|n| format!("{name}{suffix}_{n}"));
    let candidates = [name.to_owned(), format!("{name}{suffix}")].into_iter().chain(numbered);
    let mut free = candidates.filter(|candidate| !taken.contains(&candidate.to_lowercase()));
    let chosen = free.next().unwrap_or_default();
    taken.push(chosen.to_lowercase());
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_would_have_the_same_name_are_told_apart() {
        let fields = ["A", "a", "Time"].map(|name| (name.to_owned(), FieldType::Float));
        let columns = Description::of("m", &["a".to_owned()], &fields).columns;
        let names: Vec<_> = columns.iter().map(|c| c.column.as_str()).collect();
        assert_eq!(names, ["time", "a", "A_field", "a_field_2", "Time_field"]);
    }
}
