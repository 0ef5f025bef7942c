//! What becomes of a block: lines of line protocol, and records that gave none.

use std::ops::ControlFlow;

/// Bytes of a rejected record that are kept.
pub const REJECT_TEXT_MAX: usize = 1024;

/// Records that gave none which are described, of one block or portion. Bounds what garbage takes in memory.
pub const REJECTS_MAX: usize = 5000;

/// Bytes of text that end a portion: a block of a wide table becomes many times as long as it was.
pub(crate) const PORTION_BYTES: usize = 512 << 10;

/// Points as line protocol: one a line, times in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// The lines. A text value may hold line breaks: `ends` tells lines apart, not the breaks.
    pub text: Vec<u8>,
    /// For each line the line (for Parquet: the row) of the source that it comes from, counted from the first of the block, which is 0.
    pub origins: Vec<u32>,
    /// For each line where it ends in `text`, its line break included.
    pub ends: Vec<u32>,
}

impl Lines {
    /// Number of lines.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of the lines from `from` up to, not including, `to`; empty outside.
    pub fn slice(&self, from: usize, to: usize) -> &[u8] {
        let end_of = |count: usize| match count.checked_sub(1) {
            None => Some(0),
            Some(last) => self.ends.get(last).map(|end| *end as usize),
        };
        let range = end_of(from).zip(end_of(to)).and_then(|(start, end)| self.text.get(start..end));
        range.unwrap_or_default()
    }

    /// Ends the line that was appended to `text`.
    pub(crate) fn end_line(&mut self, origin: u32) {
        self.text.push(b'\n');
        self.origins.push(origin);
        // A block is far below 4 GiB, and what is made of it, too.
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// Drops the lines behind the first `lines`, and what was begun of the next.
    pub(crate) fn truncate(&mut self, lines: usize) {
        self.ends.truncate(lines);
        self.origins.truncate(lines);
        self.text.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }
}

/// A record that could not be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its first line (for Parquet: its row) in the file, from 1.
    pub line: u64,
    /// The record, shortened to [`REJECT_TEXT_MAX`] bytes.
    pub text: Vec<u8>,
    /// Why, for people.
    pub reason: String,
}

impl Reject {
    pub(crate) fn new(line: u64, text: &[u8], reason: String) -> Self {
        Self { line, text: text.get(..REJECT_TEXT_MAX).unwrap_or(text).to_vec(), reason }
    }
}

/// What became of a block, or of a portion of one. Every record is counted once: it gave lines, was rejected, or had no value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Converted {
    /// The points.
    pub lines: Lines,
    /// Records that gave none.
    pub rejects: Vec<Reject>,
    /// Further ones, behind the first [`REJECTS_MAX`], which are only counted.
    pub more_rejects: u64,
    /// Records read; comments, blank lines and headers are none.
    pub records: u64,
    /// Records with a time whose values are all missing, so that there is no point.
    pub empty: u64,
}

impl Converted {
    /// Hands out what there is as a portion, once that is large, and begins another one in the same memory; an end of the visit is passed on.
    pub(crate) fn hand_out_if_large(&mut self, visit: &mut dyn FnMut(&Self) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.lines.text.len() < PORTION_BYTES {
            return ControlFlow::Continue(());
        }
        let goes_on = visit(self);
        self.lines.truncate(0);
        self.rejects.clear();
        (self.more_rejects, self.records, self.empty) = (0, 0, 0);
        goes_on
    }

    /// A record gave nothing; `line` is its first one (or its row) in the file, from 1.
    pub(crate) fn reject(&mut self, line: u64, text: &[u8], reason: String) {
        match self.rejects.len() < REJECTS_MAX {
            true => self.rejects.push(Reject::new(line, text, reason)),
            false => self.more_rejects += 1,
        }
    }
}
