//! The file of rejects: for each record that was not stored its file, its line, the reason, and the record.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A record that was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its first line (for Parquet: its row) in the file, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
    /// The record, shortened.
    pub text: Vec<u8>,
    /// How many records it stands for: 1, or more where further ones are only counted.
    pub count: u64,
}

/// How many records these stand for.
pub(crate) fn count(refused: &[Refused]) -> u64 {
    refused.iter().map(|refused| refused.count).sum()
}

/// Writes the file of rejects; it is made when there is something to write.
#[derive(Debug)]
pub struct Rejects {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
    /// Something stands behind what counts.
    has_more: bool,
}

impl Rejects {
    /// Rejects go to `path`, behind its first `bytes`; what stands there after them is from an import that was cut off, and is cut off, too.
    pub fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, file: None, bytes, has_more: false }
    }

    /// Where they go.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length of the file as far as it counts.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether anything stands in the file.
    pub fn has_any(&self) -> bool {
        self.bytes > 0 || self.has_more
    }

    /// Appends rejects of a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, input: &str, refused: &[Refused]) -> io::Result<()> {
        self.bytes += self.append(input, refused)?;
        Ok(())
    }

    /// Appends rejects that do not count: they are for people, and whoever goes on writes over them. Nothing can be written after them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_for_now(&mut self, input: &str, refused: &[Refused]) -> io::Result<()> {
        self.has_more |= self.append(input, refused)? > 0;
        Ok(())
    }

    /// Gives the number of bytes.
    fn append(&mut self, input: &str, refused: &[Refused]) -> io::Result<u64> {
        if refused.is_empty() {
            return Ok(0);
        }
        let mut text = Vec::new();
        for Refused { line, reason, text: record, .. } in refused {
            writeln!(text, "# {input}:{line}: {}", reason.replace('\n', " "))?;
            text.extend_from_slice(record.trim_ascii_end());
            text.push(b'\n');
        }
        self.file()?.write_all(&text)?;
        Ok(text.len() as u64)
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn sync(&self) -> io::Result<()> {
        match &self.file {
            // A pipe or /dev/null keeps nothing.
            Some(file) if file.metadata()?.is_file() => file.sync_data(),
            _ => Ok(()),
        }
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let mut file = File::options().create(true).write(true).truncate(false).open(&self.path)?;
            if file.metadata()?.is_file() {
                // Where somebody removed what was there, nothing stands in its place.
                self.bytes = self.bytes.min(file.metadata()?.len());
                file.set_len(self.bytes)?;
                file.seek(SeekFrom::End(0))?;
            }
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: u64) -> Refused {
        Refused { line, reason: "no\ntime".to_owned(), text: b"m v=1\n".to_vec(), count: 1 }
    }

    #[test]
    fn rejects_name_file_line_and_reason_and_what_a_cut_off_import_left_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects");
        let mut first = Rejects::new(path.clone(), 0);
        first.write("a.lp", &[refused(3)]).unwrap();
        let counts = first.bytes();
        first.write_for_now("a.lp", &[refused(4)]).unwrap();
        assert!(first.has_any() && first.bytes() == counts);
        let mut second = Rejects::new(path.clone(), counts);
        second.write("b.lp", &[refused(5)]).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, "# a.lp:3: no time\nm v=1\n# b.lp:5: no time\nm v=1\n");
    }

    #[test]
    fn without_rejects_there_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects");
        Rejects::new(path.clone(), 0).write("a", &[]).unwrap();
        assert!(!path.exists());
    }
}
