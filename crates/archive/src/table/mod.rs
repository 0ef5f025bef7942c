//! Rows as a Parquet file, and back.
//!
//! ```text
//! time     INT64  TIMESTAMP(NANOS, UTC)   required
//! tag      BYTE_ARRAY  STRING             null where the series has no such tag
//! field    DOUBLE | INT64 | INT64 UINT_64 | BOOLEAN | BYTE_ARRAY STRING    null where the row has no value
//! ```
//! Rows ascend by series, then by time. Pages are compressed by Zstandard. The file's metadata has a key `hissrv`: which column is
//! which tag or field, as JSON ([`crate::manifest::Content`]).

mod group;
mod reader;
mod schema;
mod stored;
mod writer;

pub(crate) use reader::FileRows;
pub(crate) use writer::{Figures, TableWriter};

/// Key of the file's metadata under which [`crate::manifest::Content`] stands.
const METADATA: &str = "hissrv";
