//! Dead letters: points that a store refuses for good, kept with the reason until a person has dealt with them. Once
//! [`DeadLetters::add`] has returned, they survive power loss. What does not fit into the space they may take is counted as lost.
//!
//! ```text
//! folder = DIR/dead-letter/STORE
//! files  = 00000001.jsonl, 00000002.jsonl ...     each of bounded size, one JSON object a line
//! ```
//!
//! A letter is named by file and line ([`LetterId`]). Removing it leaves an empty line, so that others keep their names. A running
//! service owns the folder: only it adds and removes. Anybody may read at any time ([`read`], [`survey`]).
//!
//! Not here: which points are refused, and finding them in a batch.

mod error;
mod time;

mod letter;
mod lines;
mod tally;

mod batch;
mod content;
mod files;
mod folder;

mod export;
mod reader;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::ByteSize;
use vfs::Fs;

use batch::Batch;
use content::Found;
use files::Files;
use folder::Folder;

pub use error::{Error, Problem};
pub use export::{Format, NoFormat, export};
pub use letter::{Filter, Letter, LetterId, NoLetterId};
pub use reader::{Entry, Letters, survey};
pub use tally::{ReasonCount, Stats};

/// Largest file, unless for a single letter. Removing letters rewrites a file as a whole.
const FILE_MAX: u64 = 8 << 20;
/// A file takes at most this part of the space, so that removing old letters frees some soon.
const FILES_MIN: u64 = 8;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Space of all files of one store. Default 256 MiB.
    pub max_bytes: ByteSize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: ByteSize(256 << 20) }
    }
}

/// What became of letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "lost letters are to be counted as lost"]
pub struct Added {
    /// They are on the disk.
    pub kept: u64,
    /// There was no space for them.
    pub lost: u64,
}

/// The dead letters of one store. One at a time may have the folder open; the caller sees to that. Its methods block on the disk
/// and may be called from several threads.
pub struct DeadLetters {
    fs: Arc<dyn Fs>,
    folder: Folder,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    files: Files,
    lost: u64,
    /// The last letters did not fit.
    full: bool,
}

impl DeadLetters {
    /// Opens those of a store in a data directory, and counts what is there, which takes as long as reading it. A line that a power
    /// cut left unfinished is cut off.
    ///
    /// # Errors
    /// [`Error`]: a wrong name, or the files cannot be read.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path, store: &str, limits: Limits) -> Result<Self, Error> {
        let folder = Folder::new(dir, store)?;
        let file_max = FILE_MAX.min(limits.max_bytes.0 / FILES_MIN);
        let files = Files::open(Arc::clone(&fs), folder.clone(), file_max)?;
        let state = Mutex::new(State { files, lost: 0, full: false });
        Ok(Self { fs, folder, limits, state })
    }

    /// Keeps letters, durably. Once the space is used up the rest of them is lost, and counted. A full disk is an error: the journal
    /// still has the values, and they can be added once there is room.
    ///
    /// # Errors
    /// [`Error::Io`]; some of them may be kept all the same, and are there twice when they are added again.
    pub fn add(&self, letters: &[Letter]) -> Result<Added, Error> {
        let mut state = self.lock();
        let kept = state.keep(letters, self.limits.max_bytes)?;
        let lost = letters.len() as u64 - kept;
        if lost > 0 && !state.full {
            tracing::warn!(path = %self.folder.path().display(), lost, "no space for dead letters; further ones are lost");
        }
        state.full = lost > 0;
        state.lost += lost;
        Ok(Added { kept, lost })
    }

    /// The letters that a filter means, oldest first. Those added meanwhile may be among them or not.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be listed.
    pub fn read(&self, filter: Filter) -> Result<Letters, Error> {
        Letters::open(&self.fs, self.folder.clone(), filter)
    }

    /// Removes letters, also damaged ones, durably; returns how many of them were there.
    ///
    /// # Errors
    /// [`Error::Io`]; some of them may be removed all the same.
    pub fn remove(&self, ids: &[LetterId]) -> Result<u64, Error> {
        let ids: BTreeSet<LetterId> = ids.iter().copied().collect();
        let files: BTreeSet<u64> = ids.iter().map(|id| id.file).collect();
        self.rewrite(files, |id, _| ids.contains(&id))
    }

    /// Removes what a filter means, durably; the filter that means all removes damaged lines, too. Returns how many were removed.
    ///
    /// # Errors
    /// [`Error::Io`]; some of them may be removed all the same.
    pub fn purge(&self, filter: &Filter) -> Result<u64, Error> {
        let files = self.lock().files.numbers();
        self.rewrite(files, |_, found| match found {
            Found::Letter(letter) => filter.matches(letter),
            Found::Damaged => filter.is_everything(),
        })
    }

    /// What is kept, and what was lost.
    pub fn stats(&self) -> Stats {
        let state = self.lock();
        Stats { lost: state.lost, ..state.files.stats() }
    }

    /// File by file, so that adding waits for one of them at most.
    fn rewrite(
        &self,
        files: impl IntoIterator<Item = u64>,
        remove: impl Fn(LetterId, Found<'_>) -> bool,
    ) -> Result<u64, Error> {
        let mut removed = 0;
        for file in files {
            removed += self.lock().files.rewrite(file, &remove)?;
        }
        Ok(removed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Writes letters until there is no more space; returns how many are kept.
    fn keep(&mut self, letters: &[Letter], max: ByteSize) -> Result<u64, Error> {
        let (mut kept, mut rest) = (0, letters);
        while !rest.is_empty() {
            let room = max.0.saturating_sub(self.files.bytes());
            let batch = Batch::fill(rest, self.files.file_max(), room);
            self.files.append(&batch)?;
            kept += batch.tally().letters();
            match rest.get(batch.taken()..) {
                Some(left) if batch.taken() > 0 => rest = left,
                _ => break,
            }
        }
        Ok(kept)
    }
}

/// The dead letters of a store in a data directory, oldest first, also while a service runs there; nothing is changed. None when
/// there never were any.
///
/// # Errors
/// [`Error`]: a wrong name, or the folder cannot be listed.
pub fn read(fs: &Arc<dyn Fs>, dir: &Path, store: &str, filter: Filter) -> Result<Letters, Error> {
    Letters::open(fs, Folder::new(dir, store)?, filter)
}

#[cfg(test)]
mod tests;
