//! The files of one store's dead letters as the service sees them that owns them: appends to the last one, rewrites others.
//!
//! IMPORTANT: a file whose write or sync failed is never appended to again, because what is in memory and what is on the disk
//! may differ from then on; the next letters go to a new one. The same after a rewrite that failed half way.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::ByteSize;
use vfs::{File, Fs, replace_durably, temporary_name};

use super::batch::Batch;
use super::content::{self, Content, Found, Rewritten};
use super::error::Error;
use super::folder::Folder;
use super::letter::LetterId;
use super::tally::Stats;

/// The files in order, with what is in them.
pub(super) struct Files {
    fs: Arc<dyn Fs>,
    folder: Folder,
    /// A file is not appended to beyond this length, unless for a single letter.
    file_max: u64,
    files: BTreeMap<u64, Content>,
    active: Option<Active>,
    /// Number of the next file; none is given twice.
    next: u64,
}

/// The file that is appended to.
struct Active {
    number: u64,
    file: Arc<dyn File>,
}

impl Files {
    /// Reads the folder, which is made when missing; cuts off what a power cut left of a line at the very end.
    pub(super) fn open(fs: Arc<dyn Fs>, folder: Folder, file_max: u64) -> Result<Self, Error> {
        folder.create(&*fs)?;
        let numbers = folder.files(&*fs)?;
        let next = numbers.last().map_or(1, |last| last + 1);
        let mut files = Self { fs, folder, file_max, files: BTreeMap::new(), active: None, next };
        for number in numbers {
            files.recover(number, number + 1 == next)?;
        }
        Ok(files)
    }

    fn recover(&mut self, number: u64, is_last: bool) -> Result<(), Error> {
        let path = self.folder.file(number);
        let unfinished = temporary_name(&path);
        if self.fs.exists(&unfinished) {
            self.fs.remove(&unfinished).map_err(Error::io("remove unfinished file", &unfinished))?;
        }
        let file = self.fs.open(&path).map_err(Error::io("open dead letters", &path))?;
        let scanned = content::scan(&file).map_err(Error::io("read dead letters", &path))?;
        if is_last {
            self.settle(number, &file, scanned.whole)?;
            self.files.insert(number, Content { bytes: scanned.whole, ..scanned.content });
            self.active = Some(Active { number, file });
        } else {
            self.files.insert(number, scanned.complete());
        }
        Ok(())
    }

    /// Cuts the last file to whole lines. Its name is synced: the process that made it may have died before its own sync.
    fn settle(&self, number: u64, file: &Arc<dyn File>, whole: u64) -> Result<(), Error> {
        let path = self.folder.file(number);
        let len = file.len().map_err(Error::io("read dead letters", &path))?;
        if whole < len {
            tracing::warn!(path = %path.display(), bytes = len - whole, "cut off an unfinished dead letter");
            file.set_len(whole).map_err(Error::io("cut dead letters", &path))?;
            file.sync().map_err(Error::io("sync dead letters", &path))?;
        }
        self.folder.sync(&*self.fs)
    }

    /// Space that all of them take.
    pub(super) fn bytes(&self) -> u64 {
        self.files.values().map(|content| content.bytes).sum()
    }

    pub(super) fn file_max(&self) -> u64 {
        self.file_max
    }

    pub(super) fn stats(&self) -> Stats {
        Stats::of(self.files.values().map(|content| &content.tally), ByteSize(self.bytes()))
    }

    /// Writes a batch at the end, durably; in a new file if it does not fit into the last one. After an error nothing of it is
    /// there, as far as that could be done.
    pub(super) fn append(&mut self, batch: &Batch) -> Result<(), Error> {
        if batch.len() == 0 {
            return Ok(());
        }
        let fits = |content: &Content| content.bytes == 0 || content.bytes + batch.len() <= self.file_max;
        let active = match self.active.take() {
            Some(active) if self.files.get(&active.number).is_some_and(fits) => active,
            _ => self.begin()?,
        };
        let end = self.files.get(&active.number).map_or(0, |content| content.bytes);
        if let Err(error) = self.write(&active, batch, end) {
            self.take_back(&active, end);
            return Err(error);
        }
        let content = self.files.entry(active.number).or_default();
        content.bytes += batch.len();
        content.tally.merge(batch.tally());
        self.active = Some(active);
        Ok(())
    }

    fn write(&self, active: &Active, batch: &Batch, end: u64) -> Result<(), Error> {
        let path = self.folder.file(active.number);
        active.file.write_at(batch.bytes(), end).map_err(Error::io("write dead letters", &path))?;
        active.file.sync().map_err(Error::io("sync dead letters", &path))
    }

    /// Cuts off what was written before an error. The file is not appended to any more.
    fn take_back(&mut self, active: &Active, end: u64) {
        active.file.set_len(end).ok();
        if end == 0 && self.files.len() > 1 {
            // A disk that fails again and again must not fill up with empty files.
            self.fs.remove(&self.folder.file(active.number)).ok();
            self.files.remove(&active.number);
        }
    }

    /// Begins another file.
    fn begin(&mut self) -> Result<Active, Error> {
        let number = self.next;
        let path = self.folder.file(number);
        self.next += 1;
        let file = self.fs.create(&path).map_err(Error::io("create dead letters", &path))?;
        if let Err(error) = self.folder.sync(&*self.fs) {
            self.fs.remove(&path).ok();
            return Err(error);
        }
        self.files.insert(number, Content::default());
        Ok(Active { number, file })
    }

    /// Numbers of the files.
    pub(super) fn numbers(&self) -> Vec<u64> {
        self.files.keys().copied().collect()
    }

    /// Removes letters from a file, durably: their lines become empty ones, so that the others keep their numbers. A file with
    /// nothing else in it goes. Returns how many lines were removed.
    pub(super) fn rewrite(&mut self, number: u64, remove: impl Fn(LetterId, Found<'_>) -> bool) -> Result<u64, Error> {
        if !self.files.contains_key(&number) {
            return Ok(0);
        }
        let path = self.folder.file(number);
        let bytes = self.fs.read(&path).map_err(Error::io("read dead letters", &path))?;
        let rewritten = Rewritten::new(&bytes, number, remove);
        if rewritten.removed == 0 {
            return Ok(0);
        }
        if rewritten.tally.is_empty() {
            self.drop_file(number)?;
            return Ok(rewritten.removed);
        }
        // What is open is another file under the same name from the rename on, and that can happen before an error.
        let was_active = self.active.take_if(|active| active.number == number).is_some();
        replace_durably(&*self.fs, &path, &rewritten.bytes).map_err(Error::io("rewrite dead letters", &path))?;
        if was_active {
            let file = self.fs.open(&path).map_err(Error::io("open dead letters", &path))?;
            self.active = Some(Active { number, file });
        }
        let content = Content { bytes: rewritten.bytes.len() as u64, tally: rewritten.tally };
        self.files.insert(number, content);
        Ok(rewritten.removed)
    }

    /// Deletes a file. Its number is not given again, and neither is it after a restart, since another one follows it.
    fn drop_file(&mut self, number: u64) -> Result<(), Error> {
        if self.files.keys().next_back() == Some(&number) {
            self.active = None;
            self.active = Some(self.begin()?);
        }
        let path = self.folder.file(number);
        self.fs.remove(&path).map_err(Error::io("remove dead letters", &path))?;
        self.files.remove(&number);
        self.folder.sync(&*self.fs)
    }
}
