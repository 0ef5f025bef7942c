//! Answers as JSON:
//!
//! ```text
//! {"results":[{"statement_id":0,"series":[{"name":"m","tags":{"k":"v"},"columns":["time","value"],
//!   "values":[["2024-03-10T00:00:00Z",25.5],..],"partial":true}],"messages":[..],"partial":true,"error":".."}]}
//! ```
//! Every key but `statement_id` and `columns` is left out where it says nothing; a document ends with a line break.

use std::ops::Range;
use std::slice::Iter;

use model::Precision;
use query::{Cell, Message, Table};

use super::encode::{Encoder, More};
use super::number::{write_integer, write_json as write_float};
use super::pretty::Indent;
use super::text;
use super::time::Times;

/// Bytes set aside for a row and each of its cells, so that the buffer seldom grows.
const TIME_BYTES_GUESS: usize = 30;
const CELL_BYTES_GUESS: usize = 12;

/// Whether it is written for programs or for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Compact,
    Pretty,
}

/// Writes JSON.
pub(super) struct Json {
    out: Vec<u8>,
    times: Times,
    pretty: Option<Pretty>,
    /// Results of the open document; `None` when none is open.
    results: Option<usize>,
    /// Series of the open result.
    series: usize,
    /// Rows of the open series.
    rows: usize,
    /// Where the open result has nothing but its number.
    start: Place,
}

/// How far the bytes are indented.
#[derive(Debug, Clone, Copy, Default)]
struct Pretty {
    indent: Indent,
    settled: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    len: usize,
    pretty: Option<Pretty>,
}

impl Json {
    pub(super) fn new(layout: Layout, epoch: Option<Precision>) -> Self {
        Self {
            out: Vec::new(),
            times: Times::new(epoch),
            pretty: (layout == Layout::Pretty).then(Pretty::default),
            results: None,
            series: 0,
            rows: 0,
            start: Place::default(),
        }
    }

    fn text(&mut self, text: &str) {
        text::write_json(&mut self.out, text);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Indents what was written since the last call.
    fn settle(&mut self) {
        if let Some(pretty) = &mut self.pretty {
            let piece = self.out.split_off(pretty.settled.min(self.out.len()));
            pretty.indent.write(&piece, &mut self.out);
            pretty.settled = self.out.len();
        }
    }

    fn tags(&mut self, tags: &[(String, String)]) {
        self.put(b"\"tags\":{");
        for (index, (key, value)) in tags.iter().enumerate() {
            if index > 0 {
                self.put(b",");
            }
            self.text(key);
            self.put(b":");
            self.text(value);
        }
        self.put(b"},");
    }

    fn close_list(&mut self, items: usize) {
        if items > 0 {
            self.put(b"]");
        }
    }

    fn partial(&mut self, more: More) {
        if more == More::Yes {
            self.put(b",\"partial\":true");
        }
    }

    fn messages(&mut self, messages: &[Message]) {
        for (index, message) in messages.iter().enumerate() {
            self.put(if index == 0 { b",\"messages\":[" } else { b"," });
            self.put(b"{\"level\":");
            self.text(message.level.name());
            self.put(b",\"text\":");
            self.text(&message.text);
            self.put(b"}");
        }
        self.close_list(messages.len());
    }

    /// Ends a document with its line break, which is not indented.
    fn end_document(&mut self, end: &[u8]) {
        self.put(end);
        self.settle();
        self.put(b"\n");
        if let Some(pretty) = &mut self.pretty {
            *pretty = Pretty::default();
        }
        self.results = None;
    }
}

impl Encoder for Json {
    fn begin(&mut self, statement: usize) {
        self.put(if self.results.is_some() { b",{\"statement_id\":" } else { b"{\"results\":[{\"statement_id\":" });
        write_integer(&mut self.out, statement);
        self.settle();
        self.results = Some(self.results.unwrap_or(0) + 1);
        self.series = 0;
        self.start = Place { len: self.out.len(), pretty: self.pretty };
    }

    fn series(&mut self, table: &Table) {
        self.put(if self.series == 0 { b",\"series\":[{" } else { b",{" });
        self.series += 1;
        self.rows = 0;
        if !table.name.is_empty() {
            self.put(b"\"name\":");
            self.text(&table.name);
            self.put(b",");
        }
        if !table.tags.is_empty() {
            self.tags(&table.tags);
        }
        self.put(b"\"columns\":[");
        for (index, column) in table.columns.iter().enumerate() {
            if index > 0 {
                self.put(b",");
            }
            self.text(column);
        }
        self.put(b"]");
    }

    fn rows(&mut self, table: &Table, rows: Range<usize>) {
        self.times.set_zone(table.zone.as_ref());
        let mut times = table.times.as_ref().and_then(|times| times.get(rows.clone())).map(<[_]>::iter);
        let mut columns: Vec<Iter<'_, Cell>> =
            table.cells.iter().map(|cells| cells.get(rows.clone()).unwrap_or_default().iter()).collect();
        self.out.reserve(rows.len() * (TIME_BYTES_GUESS + columns.len() * CELL_BYTES_GUESS));
        for _ in rows {
            self.out.extend_from_slice(if self.rows == 0 { b",\"values\":[[" } else { b",[" });
            self.rows += 1;
            if let Some(&time) = times.as_mut().and_then(Iterator::next) {
                self.times.write_json(&mut self.out, time);
                self.out.push(b',');
            }
            for cells in &mut columns {
                write_cell(&mut self.out, cells.next().unwrap_or(&Cell::Null));
                self.out.push(b',');
            }
            // The last comma becomes the end of the row.
            match self.out.last_mut() {
                Some(last @ b',') => *last = b']',
                _ => self.out.push(b']'),
            }
        }
        self.settle();
    }

    fn end_series(&mut self, more: More) {
        self.close_list(self.rows);
        self.partial(more);
        self.put(b"}");
    }

    fn end(&mut self, messages: &[Message], more: More) {
        self.close_list(self.series);
        self.messages(messages);
        self.partial(more);
        self.put(b"}");
        self.settle();
    }

    fn fail(&mut self, message: &str) {
        self.out.truncate(self.start.len);
        self.pretty = self.start.pretty;
        self.put(b",\"error\":");
        self.text(message);
        self.put(b"}");
        self.settle();
    }

    fn finish(&mut self) {
        self.end_document(if self.results.is_some() { b"]}" } else { b"{}" });
    }

    fn refuse(&mut self, message: &str) {
        self.put(b"{\"error\":");
        self.text(message);
        self.end_document(b"}");
    }

    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}

fn write_cell(out: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Float(v) => write_float(out, *v),
        Cell::Integer(v) => write_integer(out, *v),
        Cell::Unsigned(v) => write_integer(out, *v),
        Cell::Boolean(true) => out.extend_from_slice(b"true"),
        Cell::Boolean(false) => out.extend_from_slice(b"false"),
        Cell::String(v) => text::write_json(out, v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;
    use std::time::Instant;

    #[test]
    fn every_kind_of_cell_is_written() {
        let cells = [
            Cell::Null,
            Cell::Float(1e21),
            Cell::Float(f64::INFINITY),
            Cell::Integer(i64::MIN),
            Cell::Unsigned(u64::MAX),
            Cell::Boolean(true),
            Cell::Boolean(false),
            Cell::String("a<b".to_owned()),
        ];
        let table = Table {
            name: "m".to_owned(),
            columns: (0..9).map(|i| format!("c{i}")).collect(),
            times: Some(vec![TimestampNs(0)]),
            cells: cells.map(|cell| vec![cell]).to_vec(),
            zone: Some(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()),
            ..Table::default()
        };
        let mut json = Json::new(Layout::Compact, None);
        json.rows(&table, 0..1);
        let row = r#"["1970-01-01T08:00:00+08:00",null,1e+21,null,-9223372036854775808,18446744073709551615,true,false,"a\u003cb"]"#;
        assert_eq!(String::from_utf8(json.out).unwrap(), format!(",\"values\":[{row}"));
    }

    #[test]
    fn a_row_of_a_table_that_is_shorter_than_it_says_is_filled_with_null() {
        let times = Some(vec![TimestampNs(0), TimestampNs(1)]);
        let table = Table { times, cells: vec![vec![Cell::Boolean(true)]], ..Table::default() };
        let mut json = Json::new(Layout::Compact, Some(Precision::Nanosecond));
        json.rows(&table, 0..2);
        assert_eq!(json.out, b",\"values\":[[0,null],[1,null]");
    }

    /// `cargo test --release -p server -- --ignored --nocapture encodes`
    #[test]
    #[ignore = "measures"]
    fn encodes_170_000_rows_of_a_time_and_a_float() {
        let rows = 170_000;
        let table = |zone: Option<&str>| Table {
            name: "measurement".to_owned(),
            columns: vec!["time".to_owned(), "value".to_owned()],
            times: Some((0..rows).map(|i| TimestampNs(1_700_000_000_123_000_000 + i * 1_000_000_000)).collect()),
            cells: vec![(0..rows).map(|i| Cell::Float(i as f64 * 0.0137 + 25.0)).collect()],
            zone: zone.map(|zone| jiff::tz::TimeZone::get(zone).unwrap()),
            ..Table::default()
        };
        let formats = [
            ("rfc3339", Layout::Compact, None, table(None)),
            ("zone", Layout::Compact, None, table(Some("Europe/Berlin"))),
            ("epoch", Layout::Compact, Some(Precision::Millisecond), table(None)),
            ("pretty", Layout::Pretty, None, table(None)),
        ];
        for (name, layout, epoch, table) in formats {
            for _ in 0..3 {
                let started = Instant::now();
                let mut json = Json::new(layout, epoch);
                json.begin(0);
                json.series(&table);
                for start in (0..table.len()).step_by(4096) {
                    json.rows(&table, start..table.len().min(start + 4096));
                }
                json.end_series(More::No);
                json.end(&[], More::No);
                json.finish();
                let encoded = started.elapsed();
                let packed = crate::influx::compress(&json.out).unwrap().unwrap().len();
                println!(
                    "{name}: {} bytes in {encoded:?}; gzip {packed} bytes, {:?}",
                    json.out.len(),
                    started.elapsed() - encoded
                );
            }
        }
    }
}
