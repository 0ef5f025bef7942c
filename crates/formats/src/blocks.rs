//! A stream of bytes cut into blocks that end where a record ends, so that they can be converted one by one, on any thread.

use std::io::{self, ErrorKind, Read};

use memchr::memchr_iter;
use model::ByteSize;

use crate::error::Error;
use crate::framing::Framing;

/// Bytes of a block, about.
pub const BLOCK_BYTES: usize = 1 << 20;
/// Longest record.
pub const RECORD_MAX: usize = 8 << 20;

/// Whole records that follow each other in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The records as they stand in the file; the last one may lack its line break at the end of the file.
    pub bytes: Vec<u8>,
    /// Where the first byte is in the file, after decompression.
    pub offset: u64,
    /// Number of the first line, from 1.
    pub first_line: u64,
}

impl Block {
    /// Where the next block begins; reading may be resumed there.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// Number of the line behind the block.
    pub fn next_line(&self) -> u64 {
        self.first_line + memchr_iter(b'\n', &self.bytes).count() as u64
    }
}

/// Cuts a stream, already decompressed, into blocks. Holds at most twice the longest record.
#[derive(Debug)]
pub struct Blocks<R> {
    reader: R,
    framing: Framing,
    /// Memory of the next block, and how much of it was read.
    buffer: Vec<u8>,
    filled: usize,
    offset: u64,
    line: u64,
    /// Nothing more can be read.
    is_over: bool,
    /// Why, when it is not the end.
    failure: Option<io::Error>,
    block_bytes: usize,
    record_max: usize,
}

impl<R: Read> Blocks<R> {
    /// Blocks of a whole file.
    pub fn new(reader: R, framing: Framing) -> Self {
        Self::resume(reader, framing, 0, 1)
    }

    /// Blocks from `offset` on, where a record begins and where the reader stands already; `line` is its number.
    pub fn resume(reader: R, framing: Framing, offset: u64, line: u64) -> Self {
        let (block_bytes, record_max) = (BLOCK_BYTES, RECORD_MAX);
        let (buffer, is_over, failure) = (Vec::new(), false, None);
        Self { reader, framing, buffer, filled: 0, offset, line, is_over, failure, block_bytes, record_max }
    }

    /// Blocks of about `block` bytes, in which a record of more than `record` bytes is an error.
    pub fn with_sizes(mut self, block: usize, record: usize) -> Self {
        self.block_bytes = block.max(1);
        self.record_max = record.max(self.block_bytes);
        self
    }

    /// Number of the line behind the last block.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The next block; `None` at the end. Whole records that come before a failure are handed out before it is.
    ///
    /// `memory` is that of a block that is done, or none. A block is read into it: memory that was written lately is in the processor's cache,
    /// and the system need not hand it out first.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::TooLong`]; there are no more blocks then. What was handed out before stays valid.
    pub fn next_block(&mut self, memory: Vec<u8>) -> Result<Option<Block>, Error> {
        let mut wanted = self.block_bytes.max(self.filled);
        loop {
            self.fill(wanted);
            let is_end = self.is_over && self.failure.is_none();
            let whole = if is_end { self.filled } else { self.framing.whole(self.read(), self.offset == 0) };
            if whole > 0 || is_end {
                return Ok(self.cut(whole, memory));
            }
            if let Some(source) = self.failure.take() {
                let offset = self.offset + self.filled as u64;
                self.filled = 0;
                return Err(Error::Read { offset, source });
            }
            if wanted >= self.record_max {
                return Err(self.too_long());
            }
            wanted = (wanted * 2).min(self.record_max);
        }
    }

    /// What was read and not handed out.
    fn read(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Reads until so many bytes are there, or no more.
    fn fill(&mut self, wanted: usize) {
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while !self.is_over
            && let Some(room) = self.buffer.get_mut(self.filled..wanted).filter(|room| !room.is_empty())
        {
            match self.reader.read(room) {
                Ok(0) => self.is_over = true,
                Ok(count) => self.filled += count,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => (self.is_over, self.failure) = (true, Some(e)),
            }
        }
    }

    fn too_long(&mut self) -> Error {
        self.is_over = true;
        self.filled = 0;
        Error::TooLong { line: self.line, offset: self.offset, limit: ByteSize(self.record_max as u64) }
    }

    fn cut(&mut self, len: usize, memory: Vec<u8>) -> Option<Block> {
        if len == 0 {
            return None;
        }
        let mut bytes = std::mem::replace(&mut self.buffer, memory);
        let rest = bytes.get(len..self.filled).unwrap_or_default();
        match self.buffer.get_mut(..rest.len()) {
            Some(start) => start.copy_from_slice(rest),
            None => self.buffer = rest.to_vec(),
        }
        self.filled = rest.len();
        bytes.truncate(len);
        let block = Block { bytes, offset: self.offset, first_line: self.line };
        self.offset = block.end();
        self.line = block.next_line();
        Some(block)
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Result<Block, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block(Vec::new()).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::CsvFraming;
    use proptest::prelude::*;

    fn csv() -> Framing {
        Framing::Csv(CsvFraming { delimiter: b',', quote: Some(b'"'), comment: None, skip_lines: 0 })
    }

    fn blocks(text: &[u8], framing: Framing, size: usize) -> Vec<Block> {
        Blocks::new(text, framing).with_sizes(size, 1 << 16).collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn blocks_end_where_records_end() {
        let text = b"m v=1 1\nm s=\"a\nb\" 2\nm v=3 3\nm v=4";
        let found = blocks(text, Framing::Lines, 10);
        let texts: Vec<_> = found.iter().map(|b| std::str::from_utf8(&b.bytes).unwrap()).collect();
        assert_eq!(texts, ["m v=1 1\n", "m s=\"a\nb\" 2\nm v=3 3\n", "m v=4"]);
        assert_eq!(found.iter().map(|b| b.first_line).collect::<Vec<_>>(), [1, 2, 5]);
        assert_eq!(found.iter().map(|b| b.offset).collect::<Vec<_>>(), [0, 8, 28]);
    }

    #[test]
    fn reading_goes_on_at_the_end_of_any_block() {
        let text = b"1,\"a\nb\"\n2,c\n3,\"\"\"\n\"\n4,d\n";
        let all = blocks(text, csv(), 4);
        for block in &all {
            let from = block.end() as usize;
            let resumed = Blocks::resume(&text[from..], csv(), block.end(), block.next_line()).with_sizes(4, 100);
            let resumed: Vec<_> = resumed.map(Result::unwrap).collect();
            assert_eq!(resumed, all[all.iter().position(|b| b == block).unwrap() + 1..]);
        }
    }

    #[test]
    fn a_record_that_is_too_long_is_named_by_its_line() {
        let text = format!("m v=1 1\nm v=2 2\nm s=\"{}\" 3\n", "\n".repeat(100));
        let mut blocks = Blocks::new(text.as_bytes(), Framing::Lines).with_sizes(8, 64);
        let error = blocks.find_map(Result::err).unwrap();
        assert_eq!(
            error.to_string(),
            "the record that begins in line 3 (byte 16) is longer than 64B: is a quote missing at its end?"
        );
        assert!(blocks.next().is_none());
    }

    #[test]
    fn blocks_are_the_same_in_the_memory_of_others() {
        let text: String = (0..200).map(|n| format!("m v={n} {n}\n")).collect();
        let expected = blocks(text.as_bytes(), Framing::Lines, 50);
        let mut reader = Blocks::new(text.as_bytes(), Framing::Lines).with_sizes(50, 1 << 16);
        let (mut memory, mut number) = (Vec::new(), 0);
        while let Some(block) = reader.next_block(std::mem::take(&mut memory)).unwrap() {
            assert_eq!(block, expected[number]);
            number += 1;
            memory = block.bytes;
            if number % 3 == 0 {
                memory.resize(number * 10 % 77, b'x');
            }
        }
        assert_eq!(number, expected.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_is_lost_whatever_the_text_and_the_size(
            text in prop::collection::vec(prop::sample::select(b"m v=1,\"\\\n# s".to_vec()), 0..200),
            size in 1usize..50,
        ) {
            for framing in [Framing::Lines, csv()] {
                let found = blocks(&text, framing, size);
                let joined: Vec<u8> = found.iter().flat_map(|b| b.bytes.clone()).collect();
                prop_assert_eq!(&joined, &text);
                for pair in found.windows(2) {
                    prop_assert_eq!(pair[0].end(), pair[1].offset);
                    prop_assert_eq!(pair[0].next_line(), pair[1].first_line);
                }
            }
        }
    }
}
