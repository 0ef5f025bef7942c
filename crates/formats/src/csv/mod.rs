//! CSV: any delimiter and quote, headers, comments, lines to skip. Cells in quotes may hold delimiters and line breaks, and two quotes for one.

pub(crate) mod described;
mod header;
mod options;
mod reader;
mod record;

pub use options::CsvOptions;
pub use reader::{CsvReader, SAMPLE_BYTES};
