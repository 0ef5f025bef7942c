//! One file being read: opened where it was left, cut into pieces, each of which knows how it is converted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use formats::{Block, Blocks, Converted, Error, Framing, LineOptions, LineReader, Source, open};

use crate::checkpoint::Done;
use crate::inputs::Input;

/// What is in a file, once decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// InfluxDB's line protocol.
    Lines,
    /// Comma separated values, or separated by something else.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// How files of each format are read.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Line protocol.
    pub lines: LineOptions,
}

/// Whole records of a file.
pub(crate) struct Piece {
    /// Number of the file.
    pub(crate) file: usize,
    /// Number in the file as it is read this time, from 0.
    pub(crate) number: u64,
    /// The first line or row, from 1.
    pub(crate) first_line: u64,
    /// The place behind it.
    pub(crate) end: Done,
    content: Content,
}

enum Content {
    Lines(Arc<LineReader>, Block),
}

impl Piece {
    /// Its points as line protocol.
    pub(crate) fn convert(&self) -> Result<Converted, Error> {
        match &self.content {
            Content::Lines(reader, block) => Ok(reader.convert(block)),
        }
    }
}

/// A file being read.
pub(crate) struct FileReader {
    file: usize,
    number: u64,
    read: Arc<AtomicU64>,
    cutter: Cutter,
}

enum Cutter {
    Lines(Arc<LineReader>, Blocks<Source>),
}

impl FileReader {
    /// Opens a file and goes to the place before which it is done.
    pub(crate) fn open(file: usize, input: &Input, layout: &Layout, done: Option<Done>) -> Result<Self, Error> {
        let Done { offset, line } = done.unwrap_or(Done { offset: 0, line: 1 });
        let mut source = open(&input.path)?;
        let read = source.stored_read();
        if offset > 0 {
            source.skip_to(offset)?;
        }
        let cutter = match input.format {
            FileFormat::Lines => Cutter::Lines(
                Arc::new(LineReader::new(layout.lines)),
                Blocks::resume(source, Framing::Lines, offset, line),
            ),
            FileFormat::Csv | FileFormat::Parquet => todo!(),
        };
        Ok(Self { file, number: 0, read, cutter })
    }

    /// The next piece; `None` at the end.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, Error> {
        let number = self.number;
        self.number += 1;
        let file = self.file;
        match &mut self.cutter {
            Cutter::Lines(reader, blocks) => Ok(blocks.next_block()?.map(|block| Piece {
                file,
                number,
                first_line: block.first_line,
                end: Done { offset: block.end(), line: block.next_line() },
                content: Content::Lines(Arc::clone(reader), block),
            })),
        }
    }

    /// Bytes read of the file as it is stored.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read.load(Relaxed)
    }
}

impl FileFormat {
    /// What the ending of a name says, a `.gz` or `.zst` behind it left out.
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = [".gz", ".zst", ".zstd"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
        let (_, ending) = name.rsplit_once('.')?;
        match ending {
            "lp" | "line" | "lines" | "influx" => Some(Self::Lines),
            "csv" | "tsv" | "tab" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}
