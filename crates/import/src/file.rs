//! One file being read: opened where it was left, cut into pieces, each of which knows how it is converted.

use std::io::{Read, Take};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use formats::{
    Block, Blocks, Converted, CsvOptions, CsvReader, Error, Framing, LineOptions, LineReader, Lines, ParquetReader,
    SAMPLE_BYTES, Source, open,
};

use serde::{Deserialize, Serialize};

use crate::checkpoint::Done;
use crate::inputs::{Input, Maker};

/// Points that are shown of a file.
const SHOWN: usize = 3;
/// Bytes of the start of line protocol that times are judged by.
const HEAD_BYTES: usize = 64 << 10;
/// Points of a piece of what is made; some megabytes as text.
const MADE_AT_A_TIME: u64 = 25_000;

/// What is in a file, once decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// InfluxDB's line protocol.
    Lines,
    /// Comma separated values, or separated by something else.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// How files of each format are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Line protocol.
    pub lines: LineOptions,
    /// CSV; what it says of columns counts for Parquet, too.
    pub csv: CsvOptions,
}

/// Whole records of a file.
pub(crate) struct Piece {
    /// Number of the file.
    pub(crate) file: usize,
    /// Number in the file as it is read this time, from 0.
    pub(crate) number: u64,
    /// The place behind it.
    pub(crate) end: Done,
    content: Content,
}

enum Content {
    Text(Converter, Block),
    Rows(Arc<ParquetReader>, usize),
    Made(Maker, Range<u64>),
}

/// How the text of a file becomes line protocol.
#[derive(Clone)]
enum Converter {
    Lines(Arc<LineReader>),
    Csv(Arc<CsvReader>),
}

impl Converter {
    fn convert(&self, block: &Block, visit: &mut dyn FnMut(u64, &Converted) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut visit = |converted: &Converted| visit(block.first_line, converted);
        match self {
            Self::Lines(reader) => visit(&reader.convert(block)),
            Self::Csv(reader) => reader.convert(block, &mut visit),
        }
    }
}

impl Piece {
    /// Whether it is text that ends without a line break, as the last line of a file may.
    pub(crate) fn is_open_ended(&self) -> bool {
        matches!(&self.content, Content::Text(_, block) if block.bytes.last() != Some(&b'\n'))
    }

    /// Its lines as they stand in the file, where they need nothing but the check that some sinks make.
    pub(crate) fn as_it_stands(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Text(Converter::Lines(reader), block) => reader.as_it_stands(block),
            _ => None,
        }
    }

    /// Its memory, for another one.
    pub(crate) fn into_memory(self) -> Option<Vec<u8>> {
        match self.content {
            Content::Text(_, block) => Some(block.bytes),
            Content::Rows(..) | Content::Made(..) => None,
        }
    }

    /// Hands out its points as line protocol, in portions, each with the number in the file, from 1, of the line or row that the origins of its
    /// lines are counted from, until the visit ends it.
    pub(crate) fn convert(&self, visit: &mut dyn FnMut(u64, &Converted) -> ControlFlow<()>) -> Result<(), Error> {
        match &self.content {
            Content::Text(converter, block) => match converter.convert(block, visit) {
                ControlFlow::Continue(()) | ControlFlow::Break(()) => Ok(()),
            },
            Content::Rows(reader, group) => reader.convert(*group, visit),
            Content::Made(maker, positions) => match visit(positions.start + 1, &made(maker, positions)) {
                ControlFlow::Continue(()) | ControlFlow::Break(()) => Ok(()),
            },
        }
    }
}

/// Points of what is made.
fn made(maker: &Maker, positions: &Range<u64>) -> Converted {
    let mut lines = Lines::default();
    maker.0.write(positions.clone(), &mut lines.text);
    let Lines { text, ends, origins } = &mut lines;
    for (line, end) in memchr::memchr_iter(b'\n', text).enumerate() {
        // A piece is far below 4 GiB.
        ends.push(u32::try_from(end + 1).unwrap_or(u32::MAX));
        origins.push(u32::try_from(line).unwrap_or(u32::MAX));
    }
    let records = lines.len() as u64;
    Converted { lines, records, ..Converted::default() }
}

/// How a file will be read, for people: what each column was taken for, and its first points.
///
/// # Errors
/// [`Error`]: it cannot be read so.
pub fn describe(input: &Input, layout: &Layout) -> Result<Vec<String>, Error> {
    let mut reader = FileReader::open(0, input, layout, None)?;
    let mut text = match &reader.cutter {
        Cutter::Text(Converter::Lines(_), _) | Cutter::Made(_) => Vec::new(),
        Cutter::Text(Converter::Csv(csv), _) => csv.describe(),
        Cutter::Rows(parquet, _) => parquet.describe(),
    };
    let Some(piece) = reader.next_piece(Vec::new())? else { return Ok(text) };
    piece.convert(&mut |_, Converted { lines, .. }| {
        let first =
            (0..lines.len().min(SHOWN)).map(|n| String::from_utf8_lossy(lines.slice(n, n + 1)).trim_end().to_owned());
        text.extend(first);
        ControlFlow::Break(())
    })?;
    Ok(text)
}

/// Looks whether a file can be read so: at its start, without waiting for a stream.
///
/// # Errors
/// [`Error`]: it cannot.
pub fn check(input: &Input, layout: &Layout) -> Result<(), Error> {
    if input.len.is_none() {
        return Ok(());
    }
    FileReader::open(0, input, layout, None).map(drop)
}

/// A file being read.
pub(crate) struct FileReader {
    file: usize,
    number: u64,
    cutter: Cutter,
    read: Arc<AtomicU64>,
    len: u64,
}

enum Cutter {
    Text(Converter, Box<Blocks<Take<Source>>>),
    /// The file, and the row group that comes next.
    Rows(Arc<ParquetReader>, usize),
    Made(Maker),
}

impl FileReader {
    /// Opens a file and goes to the place before which it is done.
    pub(crate) fn open(file: usize, input: &Input, layout: &Layout, done: Option<Done>) -> Result<Self, Error> {
        let first = input.part.map_or(Done { offset: 0, line: 1 }, |part| part.start);
        let done = done.unwrap_or(first);
        let len = input.len.unwrap_or_default();
        if let Some(maker) = &input.maker {
            let (cutter, read) = (Cutter::Made(maker.clone()), Arc::new(AtomicU64::new(done.offset)));
            return Ok(Self { file, number: 0, cutter, read, len });
        }
        if input.format == FileFormat::Parquet {
            let reader = ParquetReader::open(&input.path, &layout.csv.mapping)?;
            let cutter = Cutter::Rows(Arc::new(reader), usize::try_from(done.offset).unwrap_or(usize::MAX));
            return Ok(Self { file, number: 0, cutter, read: Arc::default(), len });
        }
        let mut source = open(&input.path)?;
        let read = source.stored_read();
        let (converter, framing) = match input.format {
            // In an empty file there is nothing to be found out, and nothing to do.
            FileFormat::Csv if !source.peek(1)?.is_empty() => {
                let reader = CsvReader::new(&layout.csv, source.peek(SAMPLE_BYTES)?)?;
                let framing = reader.framing();
                (Converter::Csv(Arc::new(reader)), framing)
            }
            _ => {
                let reader = LineReader::for_file(layout.lines, source.peek(HEAD_BYTES)?)?;
                (Converter::Lines(Arc::new(reader)), Framing::Lines)
            }
        };
        if done.offset > 0 {
            source.skip_to(done.offset)?;
        }
        let left = input.part.map_or(u64::MAX, |part| part.end).saturating_sub(done.offset);
        let blocks = Blocks::resume(source.take(left), framing, done.offset, done.line);
        let cutter = Cutter::Text(converter, Box::new(blocks));
        Ok(Self { file, number: 0, cutter, read, len })
    }

    /// The next piece; `None` at the end. `memory` is that of another one which is done, or none.
    pub(crate) fn next_piece(&mut self, memory: Vec<u8>) -> Result<Option<Piece>, Error> {
        let (content, end) = match &mut self.cutter {
            Cutter::Text(converter, blocks) => {
                let Some(block) = blocks.next_block(memory)? else { return Ok(None) };
                let end = Done { offset: block.end(), line: blocks.line() };
                (Content::Text(converter.clone(), block), end)
            }
            Cutter::Rows(reader, next) => {
                if *next >= reader.groups() {
                    return Ok(None);
                }
                let content = Content::Rows(Arc::clone(reader), *next);
                *next += 1;
                self.read.store(self.len * *next as u64 / reader.groups().max(1) as u64, Relaxed);
                // Rows are counted from the start of the file whatever group they are of.
                (content, Done { offset: *next as u64, line: 1 })
            }
            Cutter::Made(maker) => {
                let start = self.read.load(Relaxed);
                let end = (start + MADE_AT_A_TIME).min(self.len);
                if start == end {
                    return Ok(None);
                }
                self.read.store(end, Relaxed);
                (Content::Made(maker.clone(), start..end), Done { offset: end, line: end + 1 })
            }
        };
        let number = self.number;
        self.number += 1;
        Ok(Some(Piece { file: self.file, number, end, content }))
    }

    /// Bytes read of the file as it is stored; of Parquet about; of what is made its points.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read.load(Relaxed)
    }
}

impl FileFormat {
    /// What the ending of a name says, a `.gz` or `.zst` behind it left out.
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name =
            [".gz", ".gzip", ".zst", ".zstd"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
        let (_, ending) = name.rsplit_once('.')?;
        match ending {
            "lp" | "line" | "lines" | "influx" => Some(Self::Lines),
            "csv" | "tsv" | "tab" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}
