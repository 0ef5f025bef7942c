//! What can go wrong with a whole file; single records that are wrong are [`crate::Reject`]s.

use std::io;

use model::ByteSize;

/// Why a file cannot be read or written (on).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input failed, or its compressed form is damaged or cut off.
    #[error("cannot read on behind byte {offset} of the input (counted after decompression): {source}")]
    Read {
        /// Bytes (after decompression) that came before.
        offset: u64,
        /// What was met.
        source: io::Error,
    },
    /// A file could not be opened or looked at.
    #[error("cannot {op} the file: {source}")]
    File {
        /// What was tried.
        op: &'static str,
        /// What was met.
        source: io::Error,
    },
    /// Most often a quote that is never closed.
    #[error(
        "the record that begins in line {line} (byte {offset}) is longer than {limit}: is a quote missing at its end?"
    )]
    TooLong {
        /// Line, from 1.
        line: u64,
        /// Offset of its first byte after decompression.
        offset: u64,
        /// Longest record that is taken.
        limit: ByteSize,
    },
    /// Header and options do not fit each other, or an option makes no sense. The text says what to do.
    #[error("{0}")]
    Columns(String),
    /// A Parquet file that cannot be read.
    #[error("{0}")]
    Parquet(String),
    /// The output failed.
    #[error("cannot write the output: {0}")]
    Write(#[from] io::Error),
    /// Rows that do not fit the table that was announced: a mistake of the caller.
    #[error("{0}")]
    Rows(String),
}

impl Error {
    pub(crate) fn columns(text: impl Into<String>) -> Self {
        Self::Columns(text.into())
    }
}

/// Refuses a text that begins with the mark of UTF-16.
pub(crate) fn refuse_utf16(head: &[u8]) -> Result<(), Error> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(Error::columns(
            "the file is UTF-16: convert it before, for example with `iconv -f UTF-16 -t UTF-8`",
        ));
    }
    Ok(())
}
