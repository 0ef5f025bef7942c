//! What an import has done so far: of each file, of its rejects, and altogether.

use std::collections::BTreeMap;

use crate::checkpoint::{Checkpoint, Done};
use crate::counters::Tally;
use crate::error::ImportError;
use crate::file::Piece;
use crate::frontier::{self, Frontier};
use crate::rejects::{self, Refused, Rejects};

/// What an import has done so far.
pub(crate) struct State {
    pub(crate) files: Vec<FileState>,
    pub(crate) rejects: Rejects,
    /// Rejects of pieces that are not before the frontier of their file, by file and piece.
    pub(crate) waiting: BTreeMap<(usize, u64), Vec<Refused>>,
    /// Rejects could not be written: whatever comes after them is not done.
    pub(crate) lost_rejects: bool,
    /// Refused so far, for the limit; and what became of the records before the frontiers, for the checkpoint.
    pub(crate) refused: u64,
    pub(crate) passed: Tally,
    pub(crate) skipped: usize,
    pub(crate) ended: bool,
    pub(crate) failure: Option<ImportError>,
    pub(crate) trouble: Option<String>,
}

impl State {
    /// What is done after what was done before.
    pub(crate) fn after(before: &Checkpoint, rejects: Rejects) -> Self {
        Self {
            files: Vec::new(),
            rejects,
            waiting: BTreeMap::new(),
            lost_rejects: false,
            refused: before.refused,
            passed: before.tally(),
            skipped: 0,
            ended: false,
            failure: None,
            trouble: None,
        }
    }

    /// Moves the frontier of a file, and writes the rejects that it passes. Once some could not be written nothing more counts as done.
    pub(crate) fn pass(
        &mut self,
        piece: &Piece,
        tally: Tally,
        refused: Vec<Refused>,
        name: &str,
    ) -> Result<(), ImportError> {
        let Some(file) = self.files.get_mut(piece.file) else { return Ok(()) };
        if !refused.is_empty() {
            self.waiting.insert((piece.file, piece.number), refused.clone());
        }
        let passed = file.frontier.finish(piece.number, frontier::Piece { end: piece.end, tally, refused });
        let (done, count) = (file.frontier.done(), file.frontier.count());
        if self.lost_rejects {
            return Ok(());
        }
        if let Err(source) = self.rejects.write(name, &passed.refused) {
            self.lost_rejects = true;
            return Err(self.rejects_failed(source));
        }
        self.waiting.retain(|(file, number), _| *file != piece.file || *number >= count);
        self.passed.add(&passed.tally);
        self.passed.refused += rejects::count(&passed.refused);
        if let Some(file) = self.files.get_mut(piece.file) {
            file.done = done;
            file.finished += 1;
        }
        Ok(())
    }

    /// Writes the rejects of pieces that the frontiers have not passed, for people; a next run, which does these pieces again, writes over them.
    pub(crate) fn write_waiting(&mut self, name_of: impl Fn(usize) -> String) -> Result<(), ImportError> {
        if self.lost_rejects {
            return Ok(());
        }
        for ((file, _), refused) in std::mem::take(&mut self.waiting) {
            let written = self.rejects.write_for_now(&name_of(file), &refused);
            written.map_err(|source| self.rejects_failed(source))?;
        }
        Ok(())
    }

    pub(crate) fn rejects_failed(&self, source: std::io::Error) -> ImportError {
        ImportError::Rejects { path: self.rejects.path().to_owned(), source }
    }
}

/// How far one file is.
pub(crate) struct FileState {
    pub(crate) frontier: Frontier,
    /// The place before which all is stored, rejects written.
    pub(crate) done: Option<Done>,
    /// Pieces handed out, and pieces done.
    pub(crate) begun: u64,
    pub(crate) finished: u64,
    /// All pieces were handed out.
    pub(crate) read: bool,
    /// Its length in bytes.
    pub(crate) len: Option<u64>,
}

impl FileState {
    /// All of it is stored, rejects written.
    pub(crate) fn is_complete(&self) -> bool {
        self.read && self.begun == self.finished
    }
}
