//! Files and standard input as streams of decompressed bytes. Compression is recognised by the first bytes, not by the name.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use flate2::bufread::MultiGzDecoder;

use crate::error::Error;

/// Compressed bytes read at a time.
const PORTION: usize = 128 << 10;
/// Largest window of Zstandard that memory is taken for: 2^27 bytes, which is what `zstd --long` makes.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: reading can begin anywhere.
    Plain,
    /// gzip, also of several members.
    Gzip,
    /// Zstandard, also of several frames.
    Zstd,
}

impl Compression {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A frame, or one that may be skipped, as pzstd writes at the start.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// An input, decompressed while it is read, in bounded memory.
pub struct Source {
    stream: Stream,
    compression: Compression,
    read: Arc<AtomicU64>,
    len: Option<u64>,
    /// Read ahead by [`Source::peek`], and what was met behind that.
    ahead: Vec<u8>,
    ahead_at: usize,
    failure: Option<io::Error>,
}

enum Stream {
    File(Counting<File>),
    Pipe(Counting<Raw>),
    Gzip(Box<MultiGzDecoder<BufReader<Counting<Raw>>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Counting<Raw>>>),
}

/// Bytes as they are stored, from the first one on.
type Raw = Box<dyn Read + Send>;

/// Opens a file; `-` is standard input.
///
/// # Errors
/// [`Error::File`].
pub fn open(path: &Path) -> Result<Source, Error> {
    if path.as_os_str() == "-" {
        return Source::of_stream(Box::new(io::stdin()));
    }
    let opened = || -> io::Result<Source> {
        let mut file = File::open(path)?;
        let len = file.metadata()?;
        let head = head_of(&mut file)?;
        if Compression::of(&head) == Compression::Plain && len.is_file() {
            file.seek(SeekFrom::Start(0))?;
            let read = Arc::default();
            let stream = Stream::File(Counting { inner: file, count: Arc::clone(&read) });
            return Ok(Source::new(stream, Compression::Plain, read, Some(len.len())));
        }
        let mut source = Source::over(head, Box::new(file))?;
        source.len = len.is_file().then_some(len.len());
        Ok(source)
    };
    opened().map_err(|source| Error::File { op: "open", source })
}

impl Source {
    /// An input of which nothing else is known.
    ///
    /// # Errors
    /// [`Error::File`] when its first bytes cannot be read.
    pub fn of_stream(mut stream: Box<dyn Read + Send>) -> Result<Self, Error> {
        let opened = head_of(&mut stream).and_then(|head| Self::over(head, stream));
        opened.map_err(|source| Error::File { op: "read", source })
    }

    fn over(head: Vec<u8>, rest: Raw) -> io::Result<Self> {
        let (compression, read) = (Compression::of(&head), Arc::default());
        let raw: Raw = Box::new(Cursor::new(head).chain(rest));
        let raw = Counting { inner: raw, count: Arc::clone(&read) };
        let buffered = |raw| BufReader::with_capacity(PORTION, raw);
        let stream = match compression {
            Compression::Plain => Stream::Pipe(raw),
            Compression::Gzip => Stream::Gzip(Box::new(MultiGzDecoder::new(buffered(raw)))),
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(raw))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Stream::Zstd(decoder)
            }
        };
        Ok(Self::new(stream, compression, read, None))
    }

    fn new(stream: Stream, compression: Compression, read: Arc<AtomicU64>, len: Option<u64>) -> Self {
        Self { stream, compression, read, len, ahead: Vec::new(), ahead_at: 0, failure: None }
    }

    /// How it is compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Stored length in bytes, before decompression; `None` for a stream.
    pub fn stored_len(&self) -> Option<u64> {
        self.len
    }

    /// Stored bytes read so far, before decompression: with [`Source::stored_len`] what a progress bar needs. May be asked on another thread.
    pub fn stored_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// The first bytes, at most `len`; they are read again after. To be asked before anything else is read. A failure behind some bytes is met
    /// again behind them.
    ///
    /// # Errors
    /// [`Error::Read`]: there is no byte before it.
    pub fn peek(&mut self, len: usize) -> Result<&[u8], Error> {
        let missing = if self.failure.is_some() { 0 } else { len.saturating_sub(self.ahead.len()) as u64 };
        match self.stream.by_ref().take(missing).read_to_end(&mut self.ahead) {
            Err(source) if self.ahead.is_empty() => return Err(Error::Read { offset: 0, source }),
            read => self.failure = self.failure.take().or(read.err()),
        }
        Ok(self.ahead.get(..len).unwrap_or(&self.ahead))
    }

    /// Goes to a byte of the decompressed input. To be asked before anything but [`Source::peek`]. Costs nothing where the input is a plain
    /// file, and reads all that comes before elsewhere.
    ///
    /// # Errors
    /// [`Error::Read`] also when the input ends before.
    pub fn skip_to(&mut self, offset: u64) -> Result<(), Error> {
        let skipped = if let Stream::File(file) = &mut self.stream {
            self.ahead.clear();
            (self.ahead_at, self.failure) = (0, None);
            file.count.store(offset, Relaxed);
            file.inner.seek(SeekFrom::Start(offset)).map(drop)
        } else {
            match io::copy(&mut self.by_ref().take(offset), &mut io::sink()) {
                Ok(count) if count < offset => Err(io::ErrorKind::UnexpectedEof.into()),
                other => other.map(drop),
            }
        };
        skipped.map_err(|source| Error::Read { offset, source })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ahead = self.ahead.get(self.ahead_at..).unwrap_or_default();
        if ahead.is_empty() {
            return self.failure.take().map_or_else(|| self.stream.read(buffer), Err);
        }
        let count = ahead.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ahead.get(..count)) {
            to.copy_from_slice(from);
        }
        self.ahead_at += count;
        if self.ahead_at == self.ahead.len() {
            (self.ahead, self.ahead_at) = (Vec::new(), 0);
        }
        Ok(count)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Pipe(raw) => raw.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

/// Counts what is read through it.
struct Counting<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

/// As many bytes as compression is recognised by.
fn head_of(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    stream.by_ref().take(4).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(text, 1).unwrap()
    }

    fn source(stored: &[u8]) -> Source {
        Source::of_stream(Box::new(Cursor::new(stored.to_vec()))).unwrap()
    }

    fn all(mut source: Source) -> io::Result<String> {
        let mut text = String::new();
        source.read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn compression_is_recognised_by_content_also_of_several_members() {
        for (stored, compression) in [
            (b"ab cd".to_vec(), Compression::Plain),
            ([gzip(b"ab"), gzip(b" cd")].concat(), Compression::Gzip),
            ([zstd(b"ab"), zstd(b" cd")].concat(), Compression::Zstd),
        ] {
            let mut source = source(&stored);
            assert_eq!(source.compression(), compression);
            assert_eq!(source.peek(3).unwrap(), b"ab ");
            let read = source.stored_read();
            assert_eq!(all(source).unwrap(), "ab cd");
            assert_eq!(read.load(Relaxed), stored.len() as u64);
        }
        for short in [&b""[..], b"a", b"\x1f\x8b"] {
            assert_eq!(source(short).compression(), Compression::Plain);
        }
    }

    #[test]
    fn a_stream_that_is_cut_off_is_an_error() {
        let text: String = (0..100_000u64).map(|n| format!("{} ", n.wrapping_mul(2_654_435_761) % 99_991)).collect();
        for stored in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
            let cut = &stored[..stored.len() - 5];
            assert!(all(source(cut)).is_err());
            // What comes before is there all the same, also for who looks at the start first.
            let (mut source, mut read) = (source(cut), Vec::new());
            let peeked = source.peek(8 << 20).unwrap().to_vec();
            assert!(source.read_to_end(&mut read).is_err());
            assert!(!read.is_empty() && read == peeked && text.as_bytes().starts_with(&read));
        }
    }

    #[test]
    fn reading_can_begin_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        for (name, stored) in [("plain", b"0123456789".to_vec()), ("gzip", gzip(b"0123456789"))] {
            let path = folder.path().join(name);
            std::fs::write(&path, &stored).unwrap();
            let mut source = open(&path).unwrap();
            assert_eq!(source.stored_len(), Some(stored.len() as u64));
            source.peek(8).unwrap();
            source.skip_to(6).unwrap();
            assert_eq!(all(source).unwrap(), "6789");
        }
        assert!(source(b"abc").skip_to(4).is_err());
        assert_eq!(
            open(&folder.path().join("none")).err().unwrap().to_string(),
            "cannot open the file: No such file or directory (os error 2)"
        );
    }
}
