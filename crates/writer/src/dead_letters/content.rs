//! What is in a file: counted, and written anew without some of it.

use std::io;
use std::sync::Arc;

use vfs::File;

use super::letter::{Letter, LetterId, Parsed};
use super::lines::{Lines, Text};
use super::tally::Tally;

/// What is in a file.
#[derive(Default)]
pub(super) struct Content {
    pub(super) bytes: u64,
    pub(super) tally: Tally,
}

/// A file as it was found.
#[derive(Default)]
pub(super) struct Scanned {
    /// Without the torn lines.
    pub(super) content: Content,
    /// Where the torn lines begin, or the file ends.
    pub(super) whole: u64,
    /// Lines at the very end that have no end or hold zero bytes: what a power cut leaves of a write. Letters hold none.
    torn: u64,
}

impl Scanned {
    /// For a file that nobody appends to any more: torn lines are damaged ones there.
    pub(super) fn complete(mut self) -> Content {
        self.torn_are_damaged();
        self.content
    }

    fn torn_are_damaged(&mut self) {
        (0..std::mem::take(&mut self.torn)).for_each(|_| self.content.tally.add_damaged());
    }
}

/// Reads a file through.
pub(super) fn scan(file: &Arc<dyn File>) -> io::Result<Scanned> {
    let mut scanned = Scanned::default();
    scanned.content.bytes = file.len()?;
    let mut lines = Lines::new(Arc::clone(file));
    while let Some(line) = lines.next()? {
        match line.text {
            Text::Unfinished => {
                scanned.torn += 1;
                break;
            }
            Text::Whole(text) if text.contains(&0) => {
                scanned.torn += 1;
                continue;
            }
            Text::Whole(text) => scanned.content.tally.add_line(&Parsed::of(text)),
            Text::TooLong => scanned.content.tally.add_damaged(),
        }
        scanned.torn_are_damaged();
        scanned.whole = lines.position();
    }
    Ok(scanned)
}

/// What stands in a line that may be removed.
pub(super) enum Found<'a> {
    Letter(&'a Letter),
    Damaged,
}

/// A file without the lines that are to be removed. Empty ones stand in their place, so that the others keep their numbers.
#[derive(Default)]
pub(super) struct Rewritten {
    pub(super) bytes: Vec<u8>,
    pub(super) tally: Tally,
    pub(super) removed: u64,
}

impl Rewritten {
    pub(super) fn new(bytes: &[u8], file: u64, remove: impl Fn(LetterId, Found<'_>) -> bool) -> Self {
        let mut rewritten = Self::default();
        for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            let id = LetterId { file, line: number };
            let parsed = Parsed::of(line);
            let remove = match &parsed {
                Parsed::Letter(letter) => remove(id, Found::Letter(letter)),
                Parsed::Damaged(_) => remove(id, Found::Damaged),
                Parsed::Blank => false,
            };
            if remove {
                rewritten.leave_out();
            } else {
                rewritten.tally.add_line(&parsed);
                rewritten.bytes.extend_from_slice(line);
            }
        }
        rewritten
    }

    fn leave_out(&mut self) {
        self.bytes.push(b'\n');
        self.removed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;

    fn line(reason: &str) -> Vec<u8> {
        let text = String::new;
        let (store, database, policy, line) = (text(), text(), text(), text());
        Letter { time: TimestampNs(0), store, database, policy, line, reason: reason.to_owned() }.encode()
    }

    #[test]
    fn removed_lines_become_empty_and_all_others_stay_as_they_are() {
        let bytes =
            [line("a"), b"damaged\r\n".to_vec(), line("b"), b"\n".to_vec(), line("c"), b"no end".to_vec()].concat();
        let keep_all = Rewritten::new(&bytes, 1, |_, _| false);
        assert_eq!((keep_all.bytes, keep_all.removed, keep_all.tally.letters()), (bytes.clone(), 0, 3));
        let remove = |id: LetterId, found: Found<'_>| match found {
            Found::Letter(letter) => letter.reason == "b",
            Found::Damaged => id == LetterId { file: 1, line: 2 },
        };
        let rewritten = Rewritten::new(&bytes, 1, remove);
        let expected = [line("a"), b"\n\n\n".to_vec(), line("c"), b"no end".to_vec()].concat();
        assert_eq!((rewritten.bytes, rewritten.removed, rewritten.tally.letters()), (expected, 2, 2));
    }
}
