//! Answers as MessagePack: the maps and keys of the JSON form, with `values` also where there are no rows. Times are the
//! extension type 5 (seconds as big-endian i64, then nanoseconds as i32), or integers of the unit asked for. Counts that are
//! known only later are written as four bytes, or one for small maps, and set in place.

mod write;

use std::ops::Range;

use model::{Precision, TimestampNs};
use query::{Cell, Message, Table};

use super::encode::{Encoder, More};
use super::time::in_unit;
use write::{ARRAY_32, MAP_32, write_head, write_integer, write_list_head, write_text, write_unsigned};

const NIL: u8 = 0xc0;
const FALSE: u8 = 0xc2;
const TRUE: u8 = 0xc3;
const FLOAT_64: u8 = 0xcb;
const EXTENSION_8: u8 = 0xc7;
/// Low half: number of entries.
const SMALL_MAP: u8 = 0x80;
/// Type and length of a time.
const TIME: [u8; 3] = [EXTENSION_8, 12, 5];
const SECOND: i64 = 1_000_000_000;

/// Writes MessagePack.
pub(super) struct Msgpack {
    out: Vec<u8>,
    epoch: Option<Precision>,
    /// The list of the open document's results.
    results: Option<List>,
    result: Map,
    /// The statement of the open result.
    statement: usize,
    /// The list of the open result's series.
    series: List,
    one_series: Map,
    rows: List,
}

/// A list being written.
#[derive(Debug, Clone, Copy, Default)]
struct List {
    at: usize,
    items: u32,
}

impl List {
    fn open(out: &mut Vec<u8>) -> Self {
        let at = out.len();
        out.extend_from_slice(&[ARRAY_32, 0, 0, 0, 0]);
        Self { at, items: 0 }
    }

    fn close(self, out: &mut [u8]) {
        if let Some(count) = out.get_mut(self.at + 1..self.at + 5) {
            count.copy_from_slice(&self.items.to_be_bytes());
        }
    }
}

/// A map of at most 15 entries being written.
#[derive(Debug, Clone, Copy, Default)]
struct Map {
    at: usize,
    entries: u8,
}

impl Map {
    fn open(out: &mut Vec<u8>) -> Self {
        let at = out.len();
        out.push(SMALL_MAP);
        Self { at, entries: 0 }
    }

    fn key(&mut self, out: &mut Vec<u8>, key: &str) {
        self.entries += 1;
        write_text(out, key);
    }

    fn close(self, out: &mut [u8]) {
        if let Some(head) = out.get_mut(self.at) {
            *head = SMALL_MAP | self.entries;
        }
    }
}

impl Msgpack {
    pub(super) fn new(epoch: Option<Precision>) -> Self {
        Self {
            out: Vec::new(),
            epoch,
            results: None,
            result: Map::default(),
            statement: 0,
            series: List::default(),
            one_series: Map::default(),
            rows: List::default(),
        }
    }

    fn open_document(&mut self) -> List {
        self.out.push(SMALL_MAP | 1);
        write_text(&mut self.out, "results");
        List::open(&mut self.out)
    }

    fn open_result(&mut self) {
        self.result = Map::open(&mut self.out);
        self.result.key(&mut self.out, "statement_id");
        write_unsigned(&mut self.out, self.statement as u64);
    }

    fn write_time(&mut self, time: TimestampNs) {
        match self.epoch {
            Some(unit) => write_integer(&mut self.out, in_unit(time, unit)),
            None => {
                self.out.extend_from_slice(&TIME);
                self.out.extend_from_slice(&time.0.div_euclid(SECOND).to_be_bytes());
                self.out.extend_from_slice(&(time.0.rem_euclid(SECOND) as u32).to_be_bytes());
            }
        }
    }
}

impl Encoder for Msgpack {
    fn begin(&mut self, statement: usize) {
        let mut results = self.results.unwrap_or_else(|| self.open_document());
        results.items += 1;
        self.results = Some(results);
        self.statement = statement;
        self.open_result();
        self.result.key(&mut self.out, "series");
        self.series = List::open(&mut self.out);
    }

    fn series(&mut self, table: &Table) {
        self.series.items += 1;
        let (out, map) = (&mut self.out, &mut self.one_series);
        *map = Map::open(out);
        if !table.name.is_empty() {
            map.key(out, "name");
            write_text(out, &table.name);
        }
        if !table.tags.is_empty() {
            map.key(out, "tags");
            write_tags(out, &table.tags);
        }
        map.key(out, "columns");
        write_list_head(out, table.columns.len());
        table.columns.iter().for_each(|column| write_text(out, column));
        map.key(out, "values");
        self.rows = List::open(out);
    }

    fn rows(&mut self, table: &Table, rows: Range<usize>) {
        let mut times = table.times.as_ref().and_then(|times| times.get(rows.clone())).map(<[_]>::iter);
        let mut columns: Vec<_> =
            table.cells.iter().map(|cells| cells.get(rows.clone()).unwrap_or_default().iter()).collect();
        self.rows.items += rows.len() as u32;
        for _ in rows {
            write_list_head(&mut self.out, columns.len() + usize::from(times.is_some()));
            if let Some(&time) = times.as_mut().and_then(Iterator::next) {
                self.write_time(time);
            }
            for cells in &mut columns {
                write_cell(&mut self.out, cells.next().unwrap_or(&Cell::Null));
            }
        }
    }

    fn end_series(&mut self, more: More) {
        self.rows.close(&mut self.out);
        write_partial(&mut self.out, &mut self.one_series, more);
        self.one_series.close(&mut self.out);
    }

    fn end(&mut self, messages: &[Message], more: More) {
        self.series.close(&mut self.out);
        let (out, map) = (&mut self.out, &mut self.result);
        if !messages.is_empty() {
            map.key(out, "messages");
            write_messages(out, messages);
        }
        write_partial(out, map, more);
        map.close(out);
    }

    fn fail(&mut self, message: &str) {
        self.out.truncate(self.result.at);
        self.open_result();
        self.result.key(&mut self.out, "error");
        write_text(&mut self.out, message);
        self.result.close(&mut self.out);
    }

    fn finish(&mut self) {
        match self.results.take() {
            Some(results) => results.close(&mut self.out),
            None => self.open_document().close(&mut self.out),
        }
    }

    fn refuse(&mut self, message: &str) {
        self.out.push(SMALL_MAP | 1);
        write_text(&mut self.out, "error");
        write_text(&mut self.out, message);
    }

    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}

fn write_partial(out: &mut Vec<u8>, map: &mut Map, more: More) {
    if more == More::Yes {
        map.key(out, "partial");
        out.push(TRUE);
    }
}

fn write_messages(out: &mut Vec<u8>, messages: &[Message]) {
    write_list_head(out, messages.len());
    for message in messages {
        out.push(SMALL_MAP | 2);
        ["level", message.level.name(), "text", &message.text].into_iter().for_each(|text| write_text(out, text));
    }
}

fn write_tags(out: &mut Vec<u8>, tags: &[(String, String)]) {
    match u8::try_from(tags.len()) {
        Ok(few @ ..16) => out.push(SMALL_MAP | few),
        _ => write_head(out, MAP_32, tags.len()),
    }
    for (key, value) in tags {
        write_text(out, key);
        write_text(out, value);
    }
}

fn write_cell(out: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Null => out.push(NIL),
        Cell::Float(v) => {
            out.push(FLOAT_64);
            out.extend_from_slice(&v.to_bits().to_be_bytes());
        }
        Cell::Integer(v) => write_integer(out, *v),
        Cell::Unsigned(v) => write_unsigned(out, *v),
        Cell::Boolean(true) => out.push(TRUE),
        Cell::Boolean(false) => out.push(FALSE),
        Cell::String(v) => write_text(out, v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            name: "m".to_owned(),
            tags: vec![("ch".to_owned(), "A".to_owned())],
            columns: vec!["time".to_owned(), "v".to_owned(), "q".to_owned()],
            times: Some(vec![TimestampNs(1_710_028_800_000_000_000), TimestampNs(-1)]),
            cells: vec![vec![Cell::Float(1.5), Cell::Null], vec![Cell::Integer(192), Cell::Boolean(true)]],
            zone: None,
        }
    }

    fn written(epoch: Option<Precision>, more: More) -> Vec<u8> {
        let mut encoder = Msgpack::new(epoch);
        encoder.begin(0);
        encoder.series(&table());
        encoder.rows(&table(), 0..2);
        encoder.end_series(more);
        encoder.end(&[], more);
        encoder.finish();
        encoder.out
    }

    /// As InfluxDB 1.6.7 sends it, but for lists whose count comes later: theirs are one byte long.
    #[test]
    fn a_result_is_written_as_influxdb_does_it() {
        let head = b"\x81\xa7results\xdd\0\0\0\x01\x82\xacstatement_id\0\xa6series\xdd\0\0\0\x01";
        let series =
            b"\x84\xa4name\xa1m\xa4tags\x81\xa2ch\xa1A\xa7columns\x93\xa4time\xa1v\xa1q\xa6values\xdd\0\0\0\x02";
        let first = b"\x93\xc7\x0c\x05\0\0\0\0\x65\xec\xf8\0\0\0\0\0\xcb\x3f\xf8\0\0\0\0\0\0\xd1\0\xc0";
        let second = b"\x93\xc7\x0c\x05\xff\xff\xff\xff\xff\xff\xff\xff\x3b\x9a\xc9\xff\xc0\xc3";
        let expected = [head.as_slice(), series, first, second].concat();
        assert_eq!(written(None, More::No), expected);
    }

    #[test]
    fn parts_say_that_more_follows_and_times_may_be_integers() {
        let out = written(Some(Precision::Millisecond), More::Yes);
        assert!(out.ends_with(b"\x93\0\xc0\xc3\xa7partial\xc3\xa7partial\xc3"), "{out:x?}");
        assert!(out.windows(9).any(|w| w == b"\xd3\0\0\x01\x8e\x25\xa8\xc0\0"), "{out:x?}");
        assert!(out.starts_with(b"\x81\xa7results\xdd\0\0\0\x01\x83\xac"), "{out:x?}");
    }

    #[test]
    fn a_failed_result_is_its_error_alone() {
        let mut encoder = Msgpack::new(None);
        encoder.begin(0);
        encoder.end(&[Message::warning("w")], More::No);
        encoder.begin(1);
        encoder.series(&table());
        encoder.rows(&table(), 0..2);
        encoder.fail("no");
        encoder.finish();
        let expected = b"\x81\xa7results\xdd\0\0\0\x02\
            \x83\xacstatement_id\0\xa6series\xdd\0\0\0\0\xa8messages\x91\x82\xa5level\xa7warning\xa4text\xa1w\
            \x82\xacstatement_id\x01\xa5error\xa2no";
        assert_eq!(encoder.out, expected);
    }
}
