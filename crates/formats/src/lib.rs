//! Data files to line protocol, and stored points to data files.
//!
//! **Reading**: [`open`] decompresses, [`Blocks`] cuts the text where records end, [`LineReader`] and [`CsvReader`] convert blocks one by one, on any
//! thread; [`ParquetReader`] reads row groups. What comes out is line protocol with times in nanoseconds, and every record that could not
//! be converted, with its line and the reason. **Writing**: [`Writer`] takes points series by series.
//!
//! Everything is streamed in bounded memory. Not here: queues, stores, progress, checkpoints (`import`).

mod blocks;
mod converted;
mod csv;
mod cut;
mod error;
mod export;
mod framing;
mod input;
mod line_protocol;
mod parquet;
mod print;
mod table;
mod time;

pub use blocks::{BLOCK_BYTES, Block, Blocks, RECORD_MAX};
pub use converted::{Converted, Lines, REJECT_TEXT_MAX, REJECTS_MAX, Reject};
pub use csv::{CsvOptions, CsvReader, SAMPLE_BYTES};
pub use cut::cut_points;
pub use error::Error;
pub use export::{Column, CsvTimes, CsvWriter, LineWriter, Output, Packing, ParquetWriter, Table, Writer, Written};
pub use framing::{CsvFraming, Framing};
pub use input::{Compression, Source, open};
pub use line_protocol::{LineOptions, LineReader};
pub use parquet::ParquetReader;
pub use table::{FieldColumn, Kind, Layout, Mapping, Measurement, TimeOptions};
pub use time::{TimeFormat, Twice, Unit};
