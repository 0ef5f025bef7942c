//! Parquet files of others and of our own, row group by row group, in bounded memory.

mod batch;
mod column;
pub(crate) mod description;
mod file;
mod reader;

pub use reader::ParquetReader;
