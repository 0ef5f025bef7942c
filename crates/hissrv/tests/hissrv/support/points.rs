//! Answers of queries as rows one can compare.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Client};

/// One series of an answer.
#[derive(Debug)]
pub(crate) struct Series {
    /// Without tags that are empty.
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) rows: Vec<Row>,
}

/// Time, in the unit asked for, and the columns that are not null.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) time: i64,
    pub(crate) values: BTreeMap<String, Value>,
}

impl Row {
    pub(crate) fn float(&self, column: &str) -> Option<f64> {
        self.values.get(column)?.as_f64()
    }

    pub(crate) fn integer(&self, column: &str) -> Option<i64> {
        self.values.get(column)?.as_i64()
    }
}

impl Series {
    /// The series of an answer whose times are integers.
    #[track_caller]
    pub(crate) fn read(answer: &Answer) -> Vec<Self> {
        answer.json()["series"].as_array().expect("series").iter().map(Self::of).collect()
    }

    fn of(series: &Value) -> Self {
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let columns: Vec<String> = series["columns"].as_array().unwrap().iter().map(text).collect();
        let tags = series["tags"].as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value)));
        let row = |row: &Value| {
            let cells = row.as_array().unwrap();
            assert_eq!(cells.len(), columns.len(), "a cell for each column");
            let named = columns.iter().cloned().zip(cells.iter().cloned()).skip(1).filter(|(_, cell)| !cell.is_null());
            Row { time: cells[0].as_i64().expect("an integer time"), values: named.collect() }
        };
        Self {
            tags: tags.filter(|(_, value)| !value.is_empty()).collect(),
            rows: series["values"].as_array().unwrap().iter().map(row).collect(),
        }
    }
}

/// Every row of a measurement, of all series, times in nanoseconds; none where the measurement is unknown.
#[track_caller]
pub(crate) fn rows_of(client: &mut Client, measurement: &str) -> Vec<Row> {
    let question = json!({ "measurement": measurement, "group_by": ["*"], "order": "asc" });
    let answer = client.post("/api/v1/query/series?epoch=ns", question.to_string());
    if answer.status == 404 {
        return Vec::new();
    }
    Series::read(&answer.ok()).into_iter().flat_map(|series| series.rows).collect()
}
