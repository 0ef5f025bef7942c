//! One file being read: opened where it was left, cut into pieces, each of which knows how it is converted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use formats::{
    Block, Blocks, Converted, CsvOptions, CsvReader, Error, Framing, LineOptions, LineReader, SAMPLE_BYTES, Source,
    open,
};

use crate::checkpoint::Done;
use crate::inputs::Input;

/// Points that are shown of a file.
const SHOWN: usize = 3;

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
    /// CSV.
    pub csv: CsvOptions,
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
    block: Block,
    converter: Converter,
}

/// How the text of a file becomes line protocol.
#[derive(Clone)]
enum Converter {
    Lines(Arc<LineReader>),
    Csv(Arc<CsvReader>),
}

impl Piece {
    /// Its points as line protocol.
    pub(crate) fn convert(&self) -> Result<Converted, Error> {
        match &self.converter {
            Converter::Lines(reader) => Ok(reader.convert(&self.block)),
            Converter::Csv(reader) => Ok(reader.convert(&self.block)),
        }
    }
}

/// How a file will be read, for people: what each column was taken for, and its first points.
///
/// # Errors
/// [`Error`]: it cannot be read so.
pub fn describe(input: &Input, layout: &Layout) -> Result<Vec<String>, Error> {
    let mut reader = FileReader::open(0, input, layout, None)?;
    let mut text = match &reader.converter {
        Converter::Lines(_) => Vec::new(),
        Converter::Csv(csv) => csv.describe(),
    };
    let Some(piece) = reader.next_piece()? else { return Ok(text) };
    let lines = piece.convert()?.lines;
    text.extend(
        (0..lines.len().min(SHOWN)).map(|n| String::from_utf8_lossy(lines.slice(n, n + 1)).trim_end().to_owned()),
    );
    Ok(text)
}

/// A file being read.
pub(crate) struct FileReader {
    file: usize,
    number: u64,
    read: Arc<AtomicU64>,
    blocks: Blocks<Source>,
    converter: Converter,
}

impl FileReader {
    /// Opens a file and goes to the place before which it is done.
    pub(crate) fn open(file: usize, input: &Input, layout: &Layout, done: Option<Done>) -> Result<Self, Error> {
        let Done { offset, line } = done.unwrap_or(Done { offset: 0, line: 1 });
        let mut source = open(&input.path)?;
        let read = source.stored_read();
        let (converter, framing) = match input.format {
            FileFormat::Lines => (Converter::Lines(Arc::new(LineReader::new(layout.lines))), Framing::Lines),
            FileFormat::Csv => {
                let reader = CsvReader::new(&layout.csv, source.peek(SAMPLE_BYTES)?)?;
                let framing = reader.framing();
                (Converter::Csv(Arc::new(reader)), framing)
            }
            FileFormat::Parquet => todo!(),
        };
        if offset > 0 {
            source.skip_to(offset)?;
        }
        Ok(Self { file, number: 0, read, blocks: Blocks::resume(source, framing, offset, line), converter })
    }

    /// The next piece; `None` at the end.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, Error> {
        let Some(block) = self.blocks.next_block()? else { return Ok(None) };
        let number = self.number;
        self.number += 1;
        Ok(Some(Piece {
            file: self.file,
            number,
            first_line: block.first_line,
            end: Done { offset: block.end(), line: block.next_line() },
            block,
            converter: self.converter.clone(),
        }))
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
