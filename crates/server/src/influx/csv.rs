//! Answers as CSV:
//!
//! ```text
//! name,tags,time,value
//! measurement,"channel=1001,type=m",1710028800000000000,25.5
//! ```
//! A line of names begins each statement that has series, an empty line parts two statements. Times are nanoseconds where no
//! unit is asked for. NOTE: a statement that failed is a line `error` and its message; InfluxDB 1.6 leaves it out silently.

use std::ops::Range;

use model::Precision;
use query::{Cell, Message, Table};

use super::encode::{Encoder, More};
use super::number::{write_integer, write_plain};
use super::time::in_unit;

/// Writes CSV.
pub(super) struct Csv {
    out: Vec<u8>,
    unit: Precision,
    statement: usize,
    /// The statement whose line of names was written last.
    headed: Option<usize>,
    /// The first two cells of each row of the open series, with their commas.
    prefix: Vec<u8>,
    start: Start,
}

/// Where the statement under way begins.
#[derive(Debug, Clone, Copy, Default)]
struct Start {
    len: usize,
    headed: Option<usize>,
}

impl Csv {
    pub(super) fn new(epoch: Option<Precision>) -> Self {
        Self {
            out: Vec::new(),
            unit: epoch.unwrap_or(Precision::Nanosecond),
            statement: 0,
            headed: None,
            prefix: Vec::new(),
            start: Start::default(),
        }
    }

    fn part_from_the_last(&mut self) {
        if self.headed.is_some() {
            self.out.push(b'\n');
        }
        self.headed = Some(self.statement);
    }
}

impl Encoder for Csv {
    fn begin(&mut self, statement: usize) {
        self.statement = statement;
        self.start = Start { len: self.out.len(), headed: self.headed };
    }

    fn series(&mut self, table: &Table) {
        if self.headed != Some(self.statement) {
            self.part_from_the_last();
            self.out.extend_from_slice(b"name,tags");
            for column in &table.columns {
                self.out.push(b',');
                write_text(&mut self.out, column);
            }
            self.out.push(b'\n');
        }
        self.prefix.clear();
        write_text(&mut self.prefix, &table.name);
        self.prefix.push(b',');
        write_text(&mut self.prefix, &tags_text(&table.tags));
    }

    fn rows(&mut self, table: &Table, rows: Range<usize>) {
        let mut times = table.times.as_ref().and_then(|times| times.get(rows.clone())).map(<[_]>::iter);
        let mut columns: Vec<_> =
            table.cells.iter().map(|cells| cells.get(rows.clone()).unwrap_or_default().iter()).collect();
        for _ in rows {
            self.out.extend_from_slice(&self.prefix);
            if let Some(&time) = times.as_mut().and_then(Iterator::next) {
                self.out.push(b',');
                write_integer(&mut self.out, in_unit(time, self.unit));
            }
            for cells in &mut columns {
                self.out.push(b',');
                write_cell(&mut self.out, cells.next().unwrap_or(&Cell::Null));
            }
            self.out.push(b'\n');
        }
    }

    fn end_series(&mut self, _: More) {}

    fn end(&mut self, _: &[Message], _: More) {}

    fn fail(&mut self, message: &str) {
        self.out.truncate(self.start.len);
        self.headed = self.start.headed;
        self.part_from_the_last();
        self.refuse(message);
    }

    fn finish(&mut self) {}

    fn refuse(&mut self, message: &str) {
        self.out.extend_from_slice(b"error\n");
        write_text(&mut self.out, message);
        self.out.push(b'\n');
    }

    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}

/// As in line protocol: escaped, by key, those without a value left out.
fn tags_text(tags: &[(String, String)]) -> String {
    let mut present: Vec<_> = tags.iter().filter(|(_, value)| !value.is_empty()).collect();
    present.sort_unstable();
    let pairs: Vec<_> = present.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value))).collect();
    pairs.join(",")
}

fn escaped(text: &str) -> String {
    text.replace(',', "\\,").replace('=', "\\=").replace(' ', "\\ ")
}

fn write_cell(out: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Null => {}
        Cell::Float(v) => write_plain(out, *v),
        Cell::Integer(v) => write_integer(out, *v),
        Cell::Unsigned(v) => write_integer(out, *v),
        Cell::Boolean(true) => out.extend_from_slice(b"true"),
        Cell::Boolean(false) => out.extend_from_slice(b"false"),
        Cell::String(v) => write_text(out, v),
    }
}

/// Quoted where it must be, and where it begins with a blank or reads `\.` (the end of data to some databases).
fn write_text(out: &mut Vec<u8>, text: &str) {
    let special = text.contains([',', '"', '\r', '\n']) || text.starts_with(char::is_whitespace) || text == "\\.";
    if !special {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;

    #[test]
    fn cells_are_quoted_and_tags_escaped_as_influxdb_does_it() {
        let cells = [Cell::String("a<b>&\",x".to_owned()), Cell::String(" x".to_owned()), Cell::String(String::new())];
        let pairs = [("pt", "U,x y"), ("ch", "A"), ("none", "")];
        let table = Table {
            name: "m".to_owned(),
            tags: pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect(),
            columns: ["time", "s", "f", "b"].map(str::to_owned).to_vec(),
            times: Some(vec![TimestampNs(-1), TimestampNs(1_999_999), TimestampNs(0)]),
            cells: vec![
                cells.to_vec(),
                vec![Cell::Float(-1e-7), Cell::Float(f64::NAN), Cell::Unsigned(u64::MAX)],
                vec![Cell::Boolean(true), Cell::Boolean(false), Cell::Null],
            ],
            zone: None,
        };
        let text = |epoch| {
            let mut csv = Csv::new(epoch);
            csv.begin(0);
            csv.series(&table);
            csv.rows(&table, 0..3);
            csv.end_series(More::No);
            csv.end(&[], More::No);
            csv.finish();
            String::from_utf8(csv.out).unwrap()
        };
        let expected = "name,tags,time,s,f,b\n\
                        m,\"ch=A,pt=U\\,x\\ y\",-1,\"a<b>&\"\",x\",-0.0000001,true\n\
                        m,\"ch=A,pt=U\\,x\\ y\",1999999,\" x\",,false\n\
                        m,\"ch=A,pt=U\\,x\\ y\",0,,18446744073709551615,\n";
        assert_eq!(text(None), expected);
        assert!(text(Some(Precision::Millisecond)).contains(",1,\" x\","));
    }
}
