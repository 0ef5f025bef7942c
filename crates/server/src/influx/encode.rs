//! What all formats of an answer have in common: the calls by which one is written, and when rows go on a series.

use std::ops::Range;

use model::Precision;
use query::{Message, Table};

use super::csv::Csv;
use super::json::{Json, Layout};
use super::msgpack::Msgpack;

/// Rows written between two looks at the size of what was written.
pub(super) const SLICE: usize = 4096;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON on one line.
    Json,
    /// JSON for people.
    PrettyJson,
    /// Comma-separated lines.
    Csv,
    /// MessagePack.
    Msgpack,
}

impl Format {
    /// Value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::PrettyJson => "application/json",
            Self::Csv => "text/csv",
            Self::Msgpack => "application/x-msgpack",
        }
    }

    /// The writer of this format. Times are integers of the unit `epoch`, where one is given.
    pub(crate) fn encoder(self, epoch: Option<Precision>) -> Box<dyn Encoder> {
        match self {
            Self::Json => Box::new(Json::new(Layout::Compact, epoch)),
            Self::PrettyJson => Box::new(Json::new(Layout::Pretty, epoch)),
            Self::Csv => Box::new(Csv::new(epoch)),
            Self::Msgpack => Box::new(Msgpack::new(epoch)),
        }
    }

    /// The body of an answer that is an error as a whole.
    pub(crate) fn error(self, message: &str) -> Vec<u8> {
        let mut encoder = self.encoder(None);
        encoder.refuse(message);
        std::mem::take(encoder.buffer())
    }
}

/// Whether a chunk is followed by another one with more of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    /// This was the last.
    No,
    /// More follows in the next document.
    Yes,
}

/// Writes documents of results of series of rows. The calls are nested as the words are:
/// `(begin (series rows* end_series)* (end | fail))* finish`, or `refuse` alone.
pub(crate) trait Encoder {
    /// A part of the result of this statement begins, and with it a document where none is open.
    fn begin(&mut self, statement: usize);

    /// A part of the table's series begins.
    fn series(&mut self, table: &Table);

    /// Rows of that series.
    fn rows(&mut self, table: &Table, rows: Range<usize>);

    /// The series, or this part of it, ends.
    fn end_series(&mut self, more: More);

    /// The result, or this part of it, ends.
    fn end(&mut self, messages: &[Message], more: More);

    /// Forgets what the open document holds of the statement under way, and ends its result with an error.
    fn fail(&mut self, message: &str);

    /// The document ends.
    fn finish(&mut self);

    /// The answer is this error and nothing else.
    fn refuse(&mut self, message: &str);

    /// What was written; the caller takes it between two documents.
    fn buffer(&mut self) -> &mut Vec<u8>;
}

/// What tells series apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeriesKey {
    name: String,
    tags: Vec<(String, String)>,
    columns: Vec<String>,
}

impl SeriesKey {
    pub(super) fn of(table: &Table) -> Self {
        Self { name: table.name.clone(), tags: table.tags.clone(), columns: table.columns.clone() }
    }

    /// True when the rows of `table` go on this series.
    pub(super) fn fits(&self, table: &Table) -> bool {
        self.name == table.name && self.tags == table.tags && self.columns == table.columns
    }
}
