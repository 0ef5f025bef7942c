//! Rows to a Parquet file, row group after row group.

use std::io::Write;

use model::TimestampNs;
use parquet::errors::Result;
use parquet::file::writer::SerializedFileWriter;

use crate::manifest::Content;
use crate::rows::Rows;

use super::group::Group;
use super::schema::{properties, schema};

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) rows: u64,
    pub(crate) values: u64,
    pub(crate) series: u64,
    /// First and last time.
    pub(crate) times: Option<(TimestampNs, TimestampNs)>,
}

/// A file being written. Memory is that of one row group, whatever the file's length.
pub(crate) struct TableWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    group: Group,
    figures: Figures,
    /// The newest row's series.
    series: Vec<u8>,
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins a file with the columns of `rows`, which `content` names.
    pub(crate) fn new(to: W, content: &Content, rows: &dyn Rows) -> Result<Self> {
        let file = SerializedFileWriter::new(to, schema(content)?, properties(content)?)?;
        let group = Group::new(rows.tags(), rows.fields());
        Ok(Self { file, group, figures: Figures::default(), series: Vec::new() })
    }

    /// Takes the current row.
    pub(crate) fn push(&mut self, row: &dyn Rows) -> Result<()> {
        let f = &mut self.figures;
        if f.rows == 0 || self.series != row.series() {
            f.series += 1;
            self.series.clear();
            self.series.extend_from_slice(row.series());
        }
        let (first, last) = f.times.unwrap_or((row.time(), row.time()));
        f.times = Some((first.min(row.time()), last.max(row.time())));
        f.rows += 1;
        f.values += self.group.push(row);
        if self.group.is_full() { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<()> {
        self.group.write(self.file.next_row_group()?)
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> Result<(W, Figures)> {
        if !self.group.is_empty() {
            self.write_group()?;
        }
        Ok((self.file.into_inner()?, self.figures))
    }
}
