//! What the engine reports.

use std::io;
use std::path::{Path, PathBuf};

use model::Seq;
use model::wire::WireError;

use crate::block::BlockError;
use crate::manifest::ManifestError;

/// A failure of the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The file system failed.
    #[error("engine: {op} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A stored file cannot be used; the message names it.
    #[error("engine: {0}")]
    Stored(String),
    /// A journal record cannot be decoded.
    #[error("engine: journal record {seq}: {source}")]
    Batch {
        /// The record.
        seq: Seq,
        /// What is wrong with it.
        source: WireError,
    },
    /// The engine is being stopped.
    #[error("engine: stopping")]
    Stopping,
}

impl EngineError {
    pub(crate) fn io(op: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { op, path: path.to_owned(), source }
    }
}

impl From<ManifestError> for EngineError {
    fn from(e: ManifestError) -> Self {
        Self::Stored(e.to_string())
    }
}

impl From<BlockError> for EngineError {
    fn from(e: BlockError) -> Self {
        Self::Stored(e.to_string())
    }
}

/// What was found when opening.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// One sentence for each damaged or missing file, naming it.
    pub findings: Vec<String>,
    /// Files of an unfinished flush or merge that were removed; what they held is in the journal or in other files.
    pub leftovers: usize,
}

/// What became of one journal record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplyReport {
    /// Values taken in.
    pub values: u64,
    /// Values of columns whose definition was lost.
    pub unknown_columns: u64,
    /// Values of columns that were dropped.
    pub dropped: u64,
    /// Values of another type than their column.
    pub wrong_types: u64,
}
