//! One document of an answer:
//!
//! ```text
//! {"results":[{"statement_id":0,"series":[{"name":"m","tags":{"k":"v"},"columns":["time","value"],
//!   "values":[[1710028800000000000,25.5],..],"partial":true}],"messages":[{"level":"warning","text":".."}],"partial":true}]}
//! ```
//! or `{"error":".."}`, which may also stand in a result. Keys that are not known are passed over.

use std::collections::BTreeMap;
use std::fmt;

use query::Cell;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

/// A document.
#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    pub(super) results: Vec<StatementResult>,
    pub(super) error: Option<String>,
}

/// A part of the answer to a statement.
#[derive(Deserialize)]
pub(super) struct StatementResult {
    #[serde(default)]
    pub(super) series: Vec<Part>,
    #[serde(default)]
    pub(super) messages: Vec<Message>,
    /// More of it follows.
    #[serde(default)]
    pub(super) partial: bool,
    pub(super) error: Option<String>,
}

/// Something the reader should know.
#[derive(Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) text: String,
}

/// Rows of a series.
#[derive(Deserialize)]
pub(in super::super) struct Part {
    /// Measurement, or what a statement calls its rows.
    #[serde(default)]
    pub(in super::super) name: String,
    /// Tags that were grouped by.
    #[serde(default)]
    pub(in super::super) tags: BTreeMap<String, String>,
    /// Names of the columns.
    #[serde(default)]
    pub(in super::super) columns: Vec<String>,
    /// Its cells, column by column. Numbers without a point are integers.
    #[serde(default, rename = "values")]
    pub(in super::super) cells: Grid,
}

/// Cells by column, each column of the same length.
#[derive(Default)]
pub(in super::super) struct Grid(pub(in super::super) Vec<Vec<Cell>>);

impl<'de> Deserialize<'de> for Grid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = Grid;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of rows")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Grid, A::Error> {
                let mut grid = Grid::default();
                let mut count = 0;
                while rows.next_element_seed(Row { grid: &mut grid, number: count })?.is_some() {
                    count += 1;
                }
                Ok(grid)
            }
        }
        deserializer.deserialize_seq(Rows)
    }
}

/// A row on its way into the columns; the first one says how many there are.
struct Row<'g> {
    grid: &'g mut Grid,
    number: usize,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<(), A::Error> {
        let columns = &mut self.grid.0;
        let mut count = 0;
        while let Some(Held(cell)) = cells.next_element()? {
            if self.number == 0 {
                columns.push(Vec::new());
            }
            let column = columns.get_mut(count).ok_or_else(|| A::Error::custom("a row is longer than the first"))?;
            column.push(cell);
            count += 1;
        }
        if count == columns.len() { Ok(()) } else { Err(A::Error::custom("a row is shorter than the first")) }
    }
}

/// A cell as it stands there.
struct Held(Cell);

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Held;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a text, a boolean or null")
            }

            fn visit_unit<E: Error>(self) -> Result<Held, E> {
                Ok(Held(Cell::Null))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Held, E> {
                Ok(Held(Cell::Boolean(value)))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Held, E> {
                Ok(Held(Cell::Integer(value)))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Held, E> {
                Ok(Held(i64::try_from(value).map_or(Cell::Unsigned(value), Cell::Integer)))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Held, E> {
                Ok(Held(Cell::Float(value)))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Held, E> {
                Ok(Held(Cell::String(value.to_owned())))
            }

            fn visit_string<E: Error>(self, value: String) -> Result<Held, E> {
                Ok(Held(Cell::String(value)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
