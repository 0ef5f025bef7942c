//! Where exported bytes go, compressed or not.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::GzEncoder;

/// Bytes collected before they are written.
const BUFFER: usize = 256 << 10;

/// How output is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// Not at all.
    #[default]
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Packing {
    /// By the ending of a name: `.gz`, `.zst` or `.zstd`, else plain.
    pub fn of(path: &Path) -> Self {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("gz" | "gzip") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// A sink of bytes. It must be finished: compressed streams have an end.
pub struct Output(Encoder);

type Sink = BufWriter<Box<dyn Write + Send>>;

enum Encoder {
    Plain(Sink),
    Gzip(GzEncoder<Sink>),
    Zstd(zstd::stream::write::Encoder<'static, Sink>),
}

impl Output {
    /// Bytes that go to `to`.
    ///
    /// # Errors
    /// When there is no memory for the encoder.
    pub fn new(to: Box<dyn Write + Send>, packing: Packing) -> io::Result<Self> {
        let to = BufWriter::with_capacity(BUFFER, to);
        Ok(Self(match packing {
            Packing::Plain => Encoder::Plain(to),
            Packing::Gzip => Encoder::Gzip(GzEncoder::new(to, flate2::Compression::default())),
            Packing::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(to, 3)?;
                // As gzip has one anyway, and `zstd` makes one: without it a flipped bit may go unnoticed.
                encoder.include_checksum(true)?;
                Encoder::Zstd(encoder)
            }
        }))
    }

    /// Ends the stream and hands on everything.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        let mut to = match self.0 {
            Encoder::Plain(to) => to,
            Encoder::Gzip(encoder) => encoder.finish()?,
            Encoder::Zstd(encoder) => encoder.finish()?,
        };
        to.flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Encoder::Plain(to) => to.write(bytes),
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Encoder::Plain(to) => to.flush(),
            Encoder::Gzip(encoder) => encoder.flush(),
            Encoder::Zstd(encoder) => encoder.flush(),
        }
    }
}
