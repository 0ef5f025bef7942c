//! What can go wrong with the ledger, and what was found when it was opened.

use std::io;
use std::path::PathBuf;

use super::TaskNumber;

/// Why the ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system failed.
    #[error("rollup ledger: {op} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Written by another version. It is left as it is.
    #[error(
        "rollup ledger: {}: is of another version: start the version that wrote it, or delete ledger.1 and ledger.2 to compute all rollups anew",
        .path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
    },
}

/// What was found when opening.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// One sentence for each damaged or missing file, naming it.
    pub findings: Vec<String>,
    /// Tasks of which everything is dirty because they are not in the ledger: new, changed, or lost with both files.
    pub begun: Vec<TaskNumber>,
    /// Names of tasks in the ledger that are not there any more, or are another one now; their marks were forgotten.
    pub forgotten: Vec<String>,
}
