//! Reads the letters of a folder, also while a service adds to it and removes from it.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;

use model::ByteSize;
use vfs::Fs;

use super::content;
use super::error::{Error, Problem};
use super::folder::Folder;
use super::letter::{Filter, Letter, LetterId, Parsed};
use super::lines::{Lines, Text};
use super::tally::Stats;

/// A letter and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub id: LetterId,
    /// The letter.
    pub letter: Letter,
}

/// The letters that a filter means, oldest first. What cannot be read is named and passed over. Holds one letter at a time.
pub struct Letters {
    fs: Arc<dyn Fs>,
    folder: Folder,
    filter: Filter,
    /// Numbers of the files to come.
    files: VecDeque<u64>,
    reading: Option<Reading>,
}

/// The file being read.
struct Reading {
    file: u64,
    lines: Lines,
}

impl Letters {
    pub(super) fn open(fs: &Arc<dyn Fs>, folder: Folder, filter: Filter) -> Result<Self, Error> {
        let files = folder.files(&**fs)?.into();
        Ok(Self { fs: Arc::clone(fs), folder, filter, files, reading: None })
    }

    /// The next letter of the file being read; `None` at its end.
    fn step(&mut self) -> Option<Result<Entry, Problem>> {
        let Reading { file, lines } = self.reading.as_mut()?;
        let path = self.folder.file(*file);
        loop {
            let line = match lines.next() {
                Ok(line) => line?,
                Err(source) => return Some(Err(Problem::File { path, source })),
            };
            let damaged = |what: String| Some(Err(Problem::Line { path: path.clone(), line: line.number, what }));
            match line.text {
                Text::Whole(text) => match Parsed::of(text) {
                    Parsed::Letter(letter) if self.filter.matches(&letter) => {
                        return Some(Ok(Entry { id: LetterId { file: *file, line: line.number }, letter }));
                    }
                    Parsed::Letter(_) | Parsed::Blank => {}
                    Parsed::Damaged(what) => return damaged(what),
                },
                Text::TooLong => return damaged("longer than any dead letter".to_owned()),
                // The last line of the last file is being written.
                Text::Unfinished if self.files.is_empty() => return None,
                Text::Unfinished => return damaged("the line has no end".to_owned()),
            }
        }
    }

    /// Opens the next file; `None` when there is none.
    fn open_next(&mut self) -> Option<Result<(), Problem>> {
        let file = self.files.pop_front()?;
        let path = self.folder.file(file);
        match self.fs.open(&path) {
            Ok(opened) => self.reading = Some(Reading { file, lines: Lines::new(opened) }),
            // All in it was removed in the meantime.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Some(Err(Problem::File { path, source })),
        }
        Some(Ok(()))
    }
}

impl Iterator for Letters {
    type Item = Result<Entry, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let step = self.step();
            if !matches!(step, Some(Ok(_) | Err(Problem::Line { .. }))) {
                self.reading = None;
            }
            if step.is_some() {
                return step;
            }
            if let Err(problem) = self.open_next()? {
                return Some(Err(problem));
            }
        }
    }
}

/// Counts the dead letters of a store in a data directory, also while a service runs there; nothing is changed.
///
/// # Errors
/// [`Error`]: a wrong name, or something cannot be read.
pub fn survey(fs: &Arc<dyn Fs>, dir: &Path, store: &str) -> Result<Stats, Error> {
    let folder = Folder::new(dir, store)?;
    let files = folder.files(&**fs)?;
    let mut contents = Vec::with_capacity(files.len());
    for number in &files {
        let path = folder.file(*number);
        let scanned = match fs.open(&path).and_then(|file| content::scan(&file)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            scanned => scanned.map_err(Error::io("read dead letters", &path))?,
        };
        let is_last = files.last() == Some(number);
        contents.push(if is_last { scanned.content } else { scanned.complete() });
    }
    let bytes = contents.iter().map(|content| content.bytes).sum();
    Ok(Stats::of(contents.iter().map(|content| &content.tally), ByteSize(bytes)))
}
