//! What can be wrong with a configuration.

use std::io;
use std::path::PathBuf;

/// A configuration that cannot be used. Each message names the file and, where there is one, line and column.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A variable that is not set and has no default.
    #[error(
        "{}:{line}: the environment variable {name} is not set (needed by `{key}`); set it, or write ${{{name}:-default}}",
        .path.display()
    )]
    Variable {
        /// The file.
        path: PathBuf,
        /// Line of the reference.
        line: usize,
        /// The variable.
        name: String,
        /// The key whose value refers to it.
        key: String,
    },
    /// A reference that is not well formed, or a value that would break the file.
    #[error("{}:{line}: {what}", .path.display())]
    Reference {
        /// The file.
        path: PathBuf,
        /// Line of the reference.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Not YAML, an unknown key, or a value of the wrong kind.
    #[error("{}:{line}:{column}: {what}{}", .path.display(), .hint.as_ref().map(|h| format!("; {h}")).unwrap_or_default())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong.
        what: String,
        /// A guess at what was meant.
        hint: Option<String>,
    },
    /// Values that are well formed but cannot work.
    #[error("{}: {what}", .path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// What is wrong, naming the key.
        what: String,
    },
}
