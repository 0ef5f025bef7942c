//! Rejects of jobs that are done, in a file of their own until all are there: jobs end in any order, and memory is not for their rejects.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// Texts by number of job.
pub(crate) struct Spool {
    path: PathBuf,
    /// Made with the first text, and without a name: nothing is left of it.
    file: Option<File>,
    /// Where a text begins, and its length.
    places: BTreeMap<u64, (u64, u64)>,
    end: u64,
}

impl Spool {
    /// One in a file at `path`, which is there for a moment only.
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, file: None, places: BTreeMap::new(), end: 0 }
    }

    /// Keeps the text of a job.
    pub(crate) fn keep(&mut self, number: u64, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = File::options().create_new(true).read(true).write(true).open(&self.path)?;
                std::fs::remove_file(&self.path)?;
                none.insert(file)
            }
        };
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(text.as_bytes())?;
        self.places.insert(number, (self.end, text.len() as u64));
        self.end += text.len() as u64;
        Ok(())
    }

    /// The text of a job; empty when it has none.
    pub(crate) fn text(&mut self, number: u64) -> io::Result<String> {
        let mut text = String::new();
        if let (Some(file), Some((start, len))) = (&mut self.file, self.places.get(&number)) {
            file.seek(SeekFrom::Start(*start))?;
            file.take(*len).read_to_string(&mut text)?;
        }
        Ok(text)
    }

    /// Writes all texts to a file, in the order of the jobs, if there are any; gives their bytes.
    pub(crate) fn write_to(&mut self, path: &std::path::Path) -> io::Result<u64> {
        if self.places.is_empty() {
            return Ok(0);
        }
        let (mut out, mut bytes) = (File::create(path)?, 0);
        for number in self.places.keys().copied().collect::<Vec<_>>() {
            let text = self.text(number)?;
            out.write_all(text.as_bytes())?;
            bytes += text.len() as u64;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_in_the_order_of_jobs_and_leave_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let (mut spool, path) = (Spool::new(folder.path().join("spool")), folder.path().join("all"));
        assert_eq!(spool.write_to(&path).unwrap(), 0);
        for (number, text) in [(7, "seven\n"), (2, "two\n"), (5, "")] {
            spool.keep(number, text).unwrap();
        }
        assert_eq!((spool.text(7).unwrap(), spool.text(5).unwrap()), ("seven\n".to_owned(), String::new()));
        assert_eq!(spool.write_to(&path).unwrap(), 10);
        spool.keep(1, "one\n").unwrap();
        assert_eq!(spool.write_to(&path).unwrap(), 14);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\nseven\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
