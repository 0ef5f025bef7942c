//! What an import has done, in a file: so that one that was cut off goes on where it was.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vfs::RealFs;

use crate::counters::Tally;
use crate::inputs::Input;

/// Version of the form.
const VERSION: u32 = 1;

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub(crate) version: u32,
    /// What the import was asked to do; another question has another checkpoint.
    pub task: String,
    /// The files begun, in their order.
    pub files: Vec<FileDone>,
    /// Length of the file of rejects that belongs to what is done.
    pub rejects_bytes: u64,
    /// Points stored so far.
    pub points: u64,
    /// Records refused so far.
    pub refused: u64,
    /// Records read so far. Checkpoints of earlier versions have neither this nor the two below.
    #[serde(default)]
    pub records: u64,
    /// Records without any value so far.
    #[serde(default)]
    pub empty: u64,
    /// Values left out so far.
    #[serde(default)]
    pub filtered: u64,
}

/// How far a file is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDone {
    /// The file, as it was named.
    pub name: String,
    /// Its length in bytes: one that has another was changed.
    pub len: Option<u64>,
    /// The place before which all is stored.
    pub done: Option<Done>,
    /// All of it is stored.
    pub complete: bool,
}

/// A place in a file where a record begins: for texts a byte of the decompressed text, for Parquet a row group, of what is made a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The byte, or the row group.
    pub offset: u64,
    /// The line or row, from 1.
    pub line: u64,
}

/// A checkpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read or written.
    #[error("the checkpoint {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// How it failed.
        source: io::Error,
    },
    /// It is not one.
    #[error("the checkpoint {} cannot be read: {reason}; remove it to begin anew", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Checkpoint {
    /// Nothing is done yet.
    pub fn new(task: String) -> Self {
        Self {
            version: VERSION,
            task,
            files: Vec::new(),
            rejects_bytes: 0,
            points: 0,
            refused: 0,
            records: 0,
            empty: 0,
            filtered: 0,
        }
    }

    /// What became of all records so far.
    pub(crate) const fn tally(&self) -> Tally {
        let Self { points, refused, records, empty, filtered, .. } = *self;
        Tally { points, records, empty, refused, filtered }
    }

    /// Reads a checkpoint; `None` where there is none.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn load(path: &Path) -> Result<Option<Self>, CheckpointError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CheckpointError::Io { path: path.to_owned(), source }),
        };
        let malformed = |reason| CheckpointError::Malformed { path: path.to_owned(), reason };
        let found: Self = serde_json::from_slice(&text).map_err(|e| malformed(e.to_string()))?;
        match found.version {
            VERSION => Ok(Some(found)),
            other => Err(malformed(format!("it has version {other}, this program knows {VERSION}"))),
        }
    }

    /// Writes it in place of what was there, all or nothing.
    ///
    /// # Errors
    /// [`CheckpointError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let written = || -> io::Result<()> {
            let path = &std::path::absolute(path)?;
            let temporary = vfs::temporary_name(path);
            let mut file = File::create(&temporary)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            drop(file);
            vfs::durable_rename(&RealFs, &temporary, path)
        };
        written().map_err(|source| CheckpointError::Io { path: path.to_owned(), source })
    }

    /// How far a file is done; `None`: it is not begun, or was changed since.
    pub fn of(&self, name: &str, len: Option<u64>) -> Option<&FileDone> {
        self.files.iter().find(|file| file.name == name && file.len == len)
    }

    /// All of it is stored.
    pub(crate) fn is_complete(&self, input: &Input) -> bool {
        self.of(&input.name, input.len).is_some_and(|file| file.complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_what_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        assert_eq!(Checkpoint::load(&path).unwrap(), None);
        let mut checkpoint = Checkpoint::new("a to b".to_owned());
        let done = Some(Done { offset: 7, line: 2 });
        checkpoint.files.push(FileDone { name: "a".to_owned(), len: Some(9), done, complete: false });
        checkpoint.save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap().as_ref(), Some(&checkpoint));
        assert!(checkpoint.of("a", Some(9)).is_some() && checkpoint.of("a", Some(10)).is_none());
        fs::write(&path, "{}").unwrap();
        assert!(Checkpoint::load(&path).unwrap_err().to_string().contains("remove it to begin anew"));
    }
}
