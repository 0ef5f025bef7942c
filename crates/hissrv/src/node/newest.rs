//! The answer to a rule's question: of each series the newest row that holds anything.

use std::collections::BTreeMap;

use alerts::{Labels, Observation, Seen};
use model::TimestampNs;
use query::{Answer, Cell, Outcome, QueryError, Table};

/// Takes an answer; rows come in any order of time.
#[derive(Debug, Default)]
pub(super) struct Newest {
    /// Where all rows are from.
    measurement: Option<String>,
    rows: BTreeMap<Labels, Row>,
    failure: Option<String>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    time: TimestampNs,
    value: Option<f64>,
}

impl Newest {
    /// What was seen.
    ///
    /// # Errors
    /// Why nothing can be said.
    pub(super) fn into_observations(self) -> Result<Vec<Observation>, String> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let seen = |Row { time, value }| Seen::Row { time, value };
        Ok(self.rows.into_iter().map(|(labels, row)| Observation { labels, seen: seen(row) }).collect())
    }

    fn take(&mut self, labels: Labels, row: Row) {
        let known = self.rows.entry(labels).or_insert(row);
        if row.time >= known.time {
            *known = row;
        }
    }
}

impl Answer for Newest {
    fn begin(&mut self, _statement: usize) {}

    fn table(&mut self, table: Table) -> Result<(), QueryError> {
        let first = self.measurement.get_or_insert_with(|| table.name.clone());
        // Their series may have the same tags, and would be one alert.
        if *first != table.name {
            let message = format!("the answer is of `{first}` and `{}`: make a rule for each measurement", table.name);
            return Err(QueryError::Invalid { message, hint: None });
        }
        let tags = table.tags.iter().filter(|(_, value)| !value.is_empty()).cloned();
        let labels: Labels = tags.collect();
        for row in rows(&table) {
            self.take(labels.clone(), row);
        }
        Ok(())
    }

    fn end(&mut self, outcome: Outcome) {
        if let Outcome::Failed(message) = outcome {
            self.failure = Some(message);
        }
    }
}

/// Rows without any value only stand for windows without points.
fn rows(table: &Table) -> impl Iterator<Item = Row> {
    let holds_something =
        |row: usize| table.cells.iter().any(|column| !matches!(column.get(row), None | Some(Cell::Null)));
    (0..table.len()).filter(move |row| holds_something(*row)).map(|row| Row {
        time: table.times.as_ref().and_then(|times| times.get(row)).copied().unwrap_or(TimestampNs(0)),
        value: table.cells.first().and_then(|column| column.get(row)).and_then(number),
    })
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Float(value) => Some(*value),
        Cell::Integer(value) => Some(*value as f64),
        Cell::Unsigned(value) => Some(*value as f64),
        Cell::Boolean(value) => Some(f64::from(u8::from(*value))),
        Cell::String(_) | Cell::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, host: &str, rows: &[(i64, Cell)]) -> Table {
        Table {
            name: name.to_owned(),
            tags: vec![("host".to_owned(), host.to_owned()), ("site".to_owned(), String::new())],
            columns: vec!["time".to_owned(), "v".to_owned()],
            times: Some(rows.iter().map(|(time, _)| TimestampNs(*time)).collect()),
            cells: vec![rows.iter().map(|(_, cell)| cell.clone()).collect()],
            zone: None,
        }
    }

    fn seen(tables: Vec<Table>) -> Result<Vec<(Labels, Seen)>, String> {
        let mut newest = Newest::default();
        for table in tables {
            newest.table(table).map_err(|e| e.to_string())?;
        }
        Ok(newest.into_observations()?.into_iter().map(|o| (o.labels, o.seen)).collect())
    }

    #[test]
    fn of_each_series_the_newest_row_with_a_value_counts_whatever_the_order() {
        let rows = [(1, Cell::Float(1.5)), (3, Cell::Integer(7)), (4, Cell::Null)];
        let reversed = [(3, Cell::Boolean(true)), (1, Cell::Boolean(false))];
        let text = [(9, Cell::String("x".to_owned()))];
        let found = seen(vec![table("m", "a", &rows), table("m", "b", &reversed), table("m", "c", &text)]).unwrap();
        let host = |name: &str| Labels::from([("host".to_owned(), name.to_owned())]);
        let row = |time, value| Seen::Row { time: TimestampNs(time), value };
        assert_eq!(found, [(host("a"), row(3, Some(7.0))), (host("b"), row(3, Some(1.0))), (host("c"), row(9, None))]);
    }

    #[test]
    fn series_of_two_measurements_are_not_mixed_up() {
        let rows = [(1, Cell::Float(1.5))];
        let error = seen(vec![table("m", "a", &rows), table("n", "a", &rows)]).unwrap_err();
        assert!(error.contains("`m` and `n`"), "{error}");
    }

    #[test]
    fn a_failed_question_is_an_error() {
        let mut newest = Newest::default();
        newest.end(Outcome::Failed("database not found: d".to_owned()));
        assert_eq!(newest.into_observations().unwrap_err(), "database not found: d");
    }
}
