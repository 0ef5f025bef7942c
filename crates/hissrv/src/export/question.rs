//! What is to be exported, from the parameters of a request: `database`, `policy`, `measurement` (any number, patterns), `start`, `end`,
//! `tag.NAME` (any number; of one tag any of the values), `format`; or `query`, a SELECT or SHOW of InfluxQL.

use std::collections::BTreeMap;

use catalog::{Catalog, TagCondition, TagWanted};
use model::{TimeRange, TimestampNs, glob};
use query::RequestContext;
use query::request::TimeReader;
use server::{ApiError, ErrorKind};

use super::{Part, unknown};

/// Forms of what is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Line protocol.
    Lines,
    /// CSV that describes itself.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// A JSON object a row; for answers to queries.
    Json,
    /// Only the names of policies and measurements, as JSON.
    List,
}

/// What is to be exported.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(super) wanted: Wanted,
    pub(super) selection: Selection,
    pub(super) format: Format,
}

#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// What is stored.
    Points,
    /// What this request in InfluxQL gives.
    Answer(String),
}

/// Which points.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) database: String,
    /// `None`: each measurement's own, as in queries.
    pub(super) policy: Option<String>,
    /// Patterns; none means all.
    pub(super) measurements: Vec<String>,
    /// Values by tag.
    pub(super) tags: BTreeMap<String, Vec<String>>,
    pub(super) range: TimeRange,
}

impl Question {
    /// Reads the parameters of a request; `now` is for times such as `now-1h`.
    ///
    /// # Errors
    /// The parameter that is wrong.
    pub(crate) fn read(parameters: &[(String, String)], database: &str, now: TimestampNs) -> Result<Self, ApiError> {
        let times = TimeReader::new(&RequestContext { database: database.to_owned(), now, epoch: None });
        let mut selection = Selection {
            database: database.to_owned(),
            policy: None,
            measurements: Vec::new(),
            tags: BTreeMap::new(),
            range: TimeRange::ALL,
        };
        let (mut format, mut wanted) = (None, Wanted::Points);
        for (key, value) in parameters {
            let text = || value.clone();
            match (key.as_str(), key.strip_prefix("tag.")) {
                (_, Some(tag)) => selection.tags.entry(tag.to_owned()).or_default().push(text()),
                ("database", _) => selection.database = text(),
                ("policy", _) => selection.policy = Some(text()),
                ("measurement", _) => selection.measurements.push(text()),
                ("start", _) => selection.range.start = times.text(key, value)?,
                ("end", _) => selection.range.end = times.text(key, value)?,
                ("format", _) => format = Some(Format::parse(value)?),
                ("query", _) => wanted = Wanted::Answer(text()),
                _ => return Err(wrong(format!("unknown parameter `{key}`"))),
            }
        }
        let question = Self { wanted, selection, format: format.unwrap_or(Format::Lines) };
        question.check()?;
        Ok(question)
    }

    fn check(&self) -> Result<(), ApiError> {
        let chosen = &self.selection;
        if chosen.range.end < chosen.range.start {
            return Err(wrong("`end` is before `start`"));
        }
        let is_narrowed = !chosen.measurements.is_empty() || !chosen.tags.is_empty() || chosen.range != TimeRange::ALL;
        match (&self.wanted, self.format) {
            (Wanted::Answer(_), _) if is_narrowed => {
                Err(wrong("measurement, tags and times of a query stand in the query"))
            }
            (Wanted::Answer(_), Format::List) => Err(wrong("format=list lists what is stored, not answers")),
            (Wanted::Points, Format::Json) => {
                Err(wrong("format=json is for answers to queries: points are lines, csv or parquet"))
            }
            _ => Ok(()),
        }
    }
}

impl Format {
    fn parse(text: &str) -> Result<Self, ApiError> {
        Ok(match text {
            "lines" => Self::Lines,
            "csv" => Self::Csv,
            "parquet" => Self::Parquet,
            "json" => Self::Json,
            "list" => Self::List,
            _ => return Err(wrong(format!("format={text} is unknown: lines, csv, parquet, json or list"))),
        })
    }

    /// How it is called in parameters.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Json => "json",
            Self::List => "list",
        }
    }
}

impl Selection {
    /// Every part that may have points, of all policies unless one is named.
    pub(super) fn parts(&self, catalog: &Catalog) -> Result<Vec<Part>, ApiError> {
        let meta = catalog.meta();
        let mut policies = match &self.policy {
            Some(policy) => vec![policy.clone()],
            None => {
                meta.policy(&self.database, None).map_err(unknown)?;
                meta.database(&self.database)
                    .map_or_else(Vec::new, |d| d.policies.iter().map(|p| p.name.clone()).collect())
            }
        };
        policies.sort_unstable();
        let mut parts = Vec::new();
        for policy in policies {
            let names = catalog.measurements_of(&self.database, Some(&policy)).map_err(unknown)?;
            let meant = names.into_iter().filter(|name| self.means(name));
            parts.extend(meant.map(|measurement| Part { policy: policy.clone(), measurement }));
        }
        Ok(parts)
    }

    /// Whether a measurement is meant.
    pub(super) fn means(&self, measurement: &str) -> bool {
        let fits = |wanted: &String| wanted == measurement || glob::matches(wanted.as_bytes(), measurement.as_bytes());
        self.measurements.is_empty() || self.measurements.iter().any(fits)
    }

    /// What the tags of a series must be.
    pub(super) fn conditions(&self) -> Vec<TagCondition<'_>> {
        let conditions = self.tags.iter();
        conditions.map(|(key, values)| TagCondition { key, wanted: TagWanted::In(values) }).collect()
    }
}

pub(super) fn wrong(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parameters: &[(&str, &str)]) -> Result<Question, ApiError> {
        let list: Vec<_> = parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Question::read(&list, "telemetry", TimestampNs(7_200_000_000_000))
    }

    #[test]
    fn parameters_choose_points() {
        let question = read(&[
            ("measurement", "pcs*"),
            ("measurement", "a[1]"),
            ("tag.unit", "1"),
            ("tag.unit", "2"),
            ("start", "now-1h"),
            ("end", "1970-01-01T02:00:00Z"),
            ("format", "csv"),
        ])
        .unwrap();
        let chosen = &question.selection;
        assert_eq!(chosen.range, TimeRange::new(TimestampNs(3_600_000_000_000), TimestampNs(7_200_000_000_000)));
        assert_eq!(chosen.tags["unit"], ["1", "2"]);
        assert!(chosen.means("pcs7") && chosen.means("a[1]") && chosen.means("a1") && !chosen.means("b"));
        assert_eq!((question.format, chosen.database.as_str()), (Format::Csv, "telemetry"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (parameters, words) in [
            (&[("format", "xml")][..], "format=xml"),
            (&[("colour", "red")], "colour"),
            (&[("start", "soon")], "start"),
            (&[("start", "now"), ("end", "now-1h")], "before"),
            (&[("query", "SELECT 1"), ("measurement", "m")], "in the query"),
            (&[("query", "SELECT 1"), ("format", "list")], "format=list"),
            (&[("format", "json")], "format=json"),
        ] {
            let error = read(parameters).unwrap_err();
            assert!(error.kind == ErrorKind::BadRequest && error.message.contains(words), "{error:?}");
        }
    }
}
