//! The lines of a file one after another, read block by block.

use std::io;
use std::sync::Arc;

use vfs::File;

use super::letter::LETTER_MAX;

/// Bytes read at once.
const BLOCK: u64 = 64 << 10;

/// A position in a file.
pub(super) struct Lines {
    file: Arc<dyn File>,
    /// What was read and not given out yet begins at `start` in here.
    buffer: Vec<u8>,
    start: usize,
    /// Where in the file the buffer begins.
    buffer_at: u64,
    /// Lines given out.
    number: u64,
    /// Longer lines are not held.
    longest: usize,
}

/// A line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub(super) number: u64,
    pub(super) text: Text<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// The line without its line break.
    Whole(&'a [u8]),
    /// A line that is longer than any letter.
    TooLong,
    /// The file ends without a line break.
    Unfinished,
}

impl Lines {
    pub(super) fn new(file: Arc<dyn File>) -> Self {
        Self { file, buffer: Vec::new(), start: 0, buffer_at: 0, number: 0, longest: LETTER_MAX }
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let number = self.number + 1;
        let (mut searched, mut too_long) = (self.start, false);
        loop {
            if let Some(end) = self.line_break(searched) {
                self.number = number;
                let from = std::mem::replace(&mut self.start, end + 1);
                let text = self.buffer.get(from..end).filter(|_| !too_long).map_or(Text::TooLong, Text::Whole);
                return Ok(Some(Line { number, text }));
            }
            if self.buffer.len() - self.start > self.longest {
                too_long = true;
                self.start = self.buffer.len();
            }
            self.forget_given();
            searched = self.buffer.len();
            if !self.load()? {
                let unfinished = too_long || !self.buffer.is_empty();
                self.start = self.buffer.len();
                return Ok(unfinished.then_some(Line { number, text: Text::Unfinished }));
            }
        }
    }

    /// Where in the file the next line begins.
    pub(super) fn position(&self) -> u64 {
        self.buffer_at + self.start as u64
    }

    fn line_break(&self, from: usize) -> Option<usize> {
        let at = self.buffer.get(from..)?.iter().position(|byte| *byte == b'\n')?;
        Some(from + at)
    }

    fn forget_given(&mut self) {
        self.buffer.drain(..self.start);
        self.buffer_at += self.start as u64;
        self.start = 0;
    }

    /// Reads a block more; false at the end of the file.
    fn load(&mut self) -> io::Result<bool> {
        let (held, at) = (self.buffer.len(), self.buffer_at + self.buffer.len() as u64);
        let more = self.file.len()?.saturating_sub(at).min(BLOCK);
        self.buffer.resize(held + more as usize, 0);
        let Some(block) = self.buffer.get_mut(held..) else { return Ok(false) };
        let outcome = self.file.read_at(block, at);
        if outcome.is_err() {
            self.buffer.truncate(held);
        }
        match outcome {
            // It became shorter in between: a write that failed was taken back.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            outcome => outcome.map(|()| more > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use vfs::{FaultFs, Fs};

    fn file(content: &[u8]) -> Arc<dyn File> {
        let fs = FaultFs::new();
        fs.create_dir_all(Path::new("/d")).unwrap();
        let file = fs.create(Path::new("/d/f")).unwrap();
        file.write_at(content, 0).unwrap();
        file
    }

    /// Lengths of all lines; `None` for those that are too long or unfinished.
    fn lengths(lines: &mut Lines) -> Vec<Option<usize>> {
        let mut lengths = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            assert_eq!(line.number, lengths.len() as u64 + 1);
            lengths.push(if let Text::Whole(text) = line.text { Some(text.len()) } else { None });
        }
        lengths
    }

    #[test]
    fn lines_are_given_whole_whatever_their_length() {
        let block = BLOCK as usize;
        let expected = [0, 5, block - 1, block, 1, block * 3 + 7, 0, block - 2, 9];
        let content: Vec<u8> = expected.iter().flat_map(|len| [vec![b'x'; *len], vec![b'\n']].concat()).collect();
        let mut lines = Lines::new(file(&content));
        assert_eq!(lengths(&mut lines), expected.map(Some));
        assert_eq!(lines.position(), content.len() as u64);
    }

    #[test]
    fn an_unfinished_line_is_told_and_not_given() {
        let mut lines = Lines::new(file(b"one\ntwo"));
        assert_eq!(lines.next().unwrap().unwrap().text, Text::Whole(b"one"));
        assert_eq!(lines.position(), 4);
        assert_eq!(lines.next().unwrap().unwrap(), Line { number: 2, text: Text::Unfinished });
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn a_line_longer_than_any_letter_is_passed_over_without_being_held() {
        let longest = 2 * BLOCK as usize;
        let content = [vec![b'x'; 10 * longest], b"\nshort\n".to_vec()].concat();
        let mut lines = Lines { longest, ..Lines::new(file(&content)) };
        assert_eq!(lines.next().unwrap().unwrap().text, Text::TooLong);
        assert!(lines.buffer.capacity() <= 2 * longest, "{}", lines.buffer.capacity());
        assert_eq!(lines.next().unwrap().unwrap(), Line { number: 2, text: Text::Whole(b"short") });
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn lines_that_are_added_are_given_later() {
        let file = file(b"one\n");
        let mut lines = Lines::new(Arc::clone(&file));
        assert_eq!(lengths(&mut lines), [Some(3)]);
        file.write_at(b"three\n", 4).unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), Line { number: 2, text: Text::Whole(b"three") });
    }
}
