//! Points in a form that can be compared, and files to them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use formats::{
    Blocks, Converted, CsvOptions, CsvReader, Framing, LineOptions, LineReader, Mapping, ParquetReader, Reject,
    SAMPLE_BYTES, open,
};
use model::FieldValue;
use model::key::canonicalize;
use model::line::LineParser;

/// Series, field and time, each with what its value is, to the last bit.
pub(crate) type Points = BTreeMap<(String, String, i64), String>;

/// A value to the last bit.
pub(crate) fn exact(value: FieldValue<'_>) -> String {
    match value {
        FieldValue::Float(v) => format!("float {:016x}", v.to_bits()),
        other => format!("{other:?}"),
    }
}

/// The points of line protocol.
pub(crate) fn points(text: &[u8], into: &mut Points) {
    let mut parser = LineParser::new(text);
    while let Some(line) = parser.next_line() {
        let line = line.unwrap();
        let mut key = Vec::new();
        canonicalize(line.series, &mut key).unwrap();
        for field in line.fields {
            let key = (String::from_utf8(key.clone()).unwrap(), field.key.to_string(), line.time.unwrap());
            into.insert(key, exact(field.value.as_field_value()));
        }
    }
}

/// What became of a file.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) points: Points,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) lines: usize,
    pub(crate) records: u64,
    pub(crate) empty: u64,
}

impl Read {
    fn add(&mut self, out: &Converted) {
        // Each line by itself is what a batch is cut of.
        for line in 0..out.lines.len() {
            points(out.lines.slice(line, line + 1), &mut self.points);
        }
        assert_eq!(out.lines.origins.len(), out.lines.len());
        self.lines += out.lines.len();
        self.records += out.records;
        self.empty += out.empty;
        self.rejects.extend(out.rejects.iter().cloned());
    }
}

/// Reads a file of line protocol in blocks of `size` bytes.
pub(crate) fn read_lines(path: &Path, size: usize) -> Read {
    let reader = LineReader::new(LineOptions::default());
    let mut read = Read::default();
    for block in Blocks::new(open(path).unwrap(), Framing::Lines).with_sizes(size, 1 << 20) {
        read.add(&reader.convert(&block.unwrap()));
    }
    read
}

/// Reads a CSV file in blocks of `size` bytes.
pub(crate) fn read_csv(path: &Path, options: &CsvOptions, size: usize) -> Read {
    let mut source = open(path).unwrap();
    let reader = CsvReader::new(options, source.peek(SAMPLE_BYTES).unwrap()).unwrap();
    let mut read = Read::default();
    for block in Blocks::new(source, reader.framing()).with_sizes(size, 1 << 20) {
        let all = reader.convert(&block.unwrap(), &mut |out| {
            read.add(out);
            ControlFlow::Continue(())
        });
        assert!(all.is_continue());
    }
    read
}

/// Reads a Parquet file.
pub(crate) fn read_parquet(path: &Path, mapping: &Mapping) -> Read {
    let reader = ParquetReader::open(path, mapping).unwrap();
    let mut read = Read::default();
    let mut next_row = 1;
    for group in 0..reader.groups() {
        let visit = &mut |first_row, out: &Converted| {
            assert!(first_row <= next_row);
            next_row += out.records;
            read.add(out);
            ControlFlow::Continue(())
        };
        reader.convert(group, visit).unwrap();
    }
    read
}
