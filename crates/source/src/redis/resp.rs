//! RESP2, the wire format of Redis: a reader that finds whole frames in a growing buffer, and the writing of commands.
//! A frame is scanned once, however many reads it takes to arrive, and is looked at in place; a reader that has reached its
//! working size allocates nothing. Whatever a server sends is either a frame or a [`ProtocolError`]; both sizes and depth are bounded.
//!
//! frame = `+text` | `-error` | `:integer` | `$len` CRLF bytes | `*count` CRLF frame*, each ended by CRLF; `$-1` and `*-1` are nil

use std::io::{self, Read};

use memchr::memchr;

/// Largest frame accepted, in bytes: a hash of a million fields fits.
pub const FRAME_MAX: usize = 64 * 1024 * 1024;
/// Deepest nesting of arrays accepted.
const DEPTH_MAX: usize = 8;
/// Bytes asked of the socket at a time.
const READ_SIZE: usize = 64 * 1024;
/// Longest header line (`*count`, `$len`, `:integer`) looked for before the peer is taken for something else than Redis.
const HEADER_MAX: usize = 32;
/// A buffer that grew beyond this for one frame shrinks again once it is empty.
const KEEP_CAPACITY: usize = 4 * 1024 * 1024;

/// The peer does not speak RESP2; the connection cannot be used further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A frame starts with something else than one of `+-:$*`.
    #[error("unexpected byte 0x{0:02x} at the start of a frame")]
    Marker(u8),
    /// A length or an integer is no number, or a line is not ended.
    #[error("malformed length or integer")]
    Header,
    /// A bulk string is not followed by CRLF.
    #[error("bulk string without its end")]
    Unterminated,
    /// Larger than [`FRAME_MAX`].
    #[error("frame larger than {FRAME_MAX} bytes")]
    TooLarge,
    /// Nested deeper than any reply of Redis.
    #[error("arrays nested deeper than {DEPTH_MAX}")]
    TooDeep,
}

/// One element of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A status such as `OK`.
    Simple(&'a [u8]),
    /// An error message, which starts with its code.
    Error(&'a [u8]),
    /// An integer.
    Integer(i64),
    /// A string.
    Bulk(&'a [u8]),
    /// No value.
    Nil,
    /// The start of an array; its elements follow.
    Array(usize),
}

impl<'a> Item<'a> {
    /// The bytes of a string, status or error.
    pub fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Simple(bytes) | Self::Error(bytes) | Self::Bulk(bytes) => Some(bytes),
            Self::Integer(_) | Self::Nil | Self::Array(_) => None,
        }
    }
}

/// An item as it is kept between reads: where its bytes are, relative to the start of the frame.
#[derive(Debug, Clone, Copy)]
enum Mark {
    Simple(u32, u32),
    Error(u32, u32),
    Bulk(u32, u32),
    Integer(i64),
    Nil,
    Array(usize),
}

/// Where a string is in its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: u32,
    /// The byte behind it.
    pub end: u32,
}

impl Span {
    /// The string in the bytes of its frame.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// A whole frame: its elements in the order they were sent.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    bytes: &'a [u8],
    marks: &'a [Mark],
}

impl<'a> Frame<'a> {
    /// The outermost element.
    pub fn root(&self) -> Item<'a> {
        self.items().next().unwrap_or(Item::Nil)
    }

    /// Every element, arrays announced by [`Item::Array`] before their elements.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let bytes = self.bytes;
        self.marks.iter().map(move |mark| resolve(bytes, *mark))
    }

    /// For each string after the outermost element, where it is in [`Frame::as_bytes`]; `None` for anything else.
    pub fn spans(&self) -> impl Iterator<Item = Option<Span>> + use<'a> {
        self.marks.iter().skip(1).map(|mark| match *mark {
            Mark::Bulk(start, end) => Some(Span { start, end }),
            _ => None,
        })
    }

    /// The frame as it was sent.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

fn resolve(bytes: &[u8], mark: Mark) -> Item<'_> {
    let slice = |start: u32, end: u32| bytes.get(start as usize..end as usize).unwrap_or_default();
    match mark {
        Mark::Simple(start, end) => Item::Simple(slice(start, end)),
        Mark::Error(start, end) => Item::Error(slice(start, end)),
        Mark::Bulk(start, end) => Item::Bulk(slice(start, end)),
        Mark::Integer(value) => Item::Integer(value),
        Mark::Nil => Item::Nil,
        Mark::Array(len) => Item::Array(len),
    }
}

/// Collects bytes and yields frames.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
    /// Start of the frame being scanned, in `buffer`.
    start: usize,
    /// End of what was received, in `buffer`; behind it is room for more.
    end: usize,
    /// Bytes of the frame at `start` that are scanned, and what was found in them.
    scanned: usize,
    marks: Vec<Mark>,
    /// For each open array, the elements still to come.
    open: Vec<usize>,
    /// The frame at `start` was handed out whole: the next call moves on.
    handed_out: bool,
}

impl Reader {
    /// The next frame that has arrived whole; `None` when more bytes are needed.
    ///
    /// # Errors
    /// The peer sent something that is not RESP2; every later call is meaningless.
    pub fn frame(&mut self) -> Result<Option<Frame<'_>>, ProtocolError> {
        Ok(if self.advance()? { Some(self.current()) } else { None })
    }

    /// Moves to the next frame; false when more bytes are needed.
    ///
    /// # Errors
    /// As [`Reader::frame`].
    pub fn advance(&mut self) -> Result<bool, ProtocolError> {
        self.forget_handed_out();
        self.handed_out = self.scan()?;
        Ok(self.handed_out)
    }

    /// The frame that [`Reader::advance`] moved to; a nil frame when it found none.
    pub fn current(&self) -> Frame<'_> {
        if !self.handed_out {
            return Frame { bytes: &[], marks: &[] };
        }
        let bytes = self.buffer.get(self.start..self.start + self.scanned).unwrap_or_default();
        Frame { bytes, marks: &self.marks }
    }

    /// Reads once from `input`. Returns the number of bytes, 0 at the end of the stream.
    ///
    /// # Errors
    /// As `input` reports them.
    pub fn fill(&mut self, input: &mut impl Read) -> io::Result<usize> {
        self.forget_handed_out();
        self.make_room();
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = input.read(room)?;
        self.end += count;
        Ok(count)
    }

    /// Bytes received that were not yet handed out as frames.
    pub fn buffered(&self) -> usize {
        self.end - self.start - if self.handed_out { self.scanned } else { 0 }
    }

    fn forget_handed_out(&mut self) {
        if self.handed_out {
            self.start += self.scanned;
            self.scanned = 0;
            self.marks.clear();
            self.handed_out = false;
        }
    }

    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.buffer.len() > KEEP_CAPACITY {
                self.buffer = Vec::new();
            }
        }
        if self.buffer.len() - self.end >= READ_SIZE {
            return;
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < READ_SIZE {
            let size = (self.end + READ_SIZE).max(self.buffer.len() * 2);
            self.buffer.resize(size, 0);
        }
    }

    /// Scans until the frame at `start` is whole (`true`) or the bytes end.
    fn scan(&mut self) -> Result<bool, ProtocolError> {
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        while let Some((mark, next)) = element(bytes, self.scanned)? {
            self.scanned = next;
            self.marks.push(mark);
            if self.marks.len() > FRAME_MAX / 4 {
                return Err(ProtocolError::TooLarge);
            }
            match mark {
                Mark::Array(len) if len > 0 => self.open.push(len),
                _ => close_arrays(&mut self.open),
            }
            if self.open.is_empty() {
                return Ok(true);
            }
            if self.open.len() > DEPTH_MAX {
                return Err(ProtocolError::TooDeep);
            }
        }
        if bytes.len() > FRAME_MAX { Err(ProtocolError::TooLarge) } else { Ok(false) }
    }
}

/// One element is complete: so is every array whose last element it was.
fn close_arrays(open: &mut Vec<usize>) {
    while let Some(left) = open.last_mut() {
        *left -= 1;
        if *left > 0 {
            return;
        }
        open.pop();
    }
}

/// The element at `at` and the position behind it; `None` when it has not arrived whole.
fn element(bytes: &[u8], at: usize) -> Result<Option<(Mark, usize)>, ProtocolError> {
    let Some(rest) = bytes.get(at..) else { return Ok(None) };
    let Some((&marker, rest)) = rest.split_first() else { return Ok(None) };
    let start = at + 1;
    match marker {
        b'$' => bulk(rest, start),
        b'*' => Ok(number(rest)?.map(|(len, used)| (array(len), start + used))),
        b':' => Ok(number(rest)?.map(|(value, used)| (Mark::Integer(value), start + used))),
        b'+' => Ok(line(rest, start).map(|(start, end)| (Mark::Simple(start, end), end as usize + 2))),
        b'-' => Ok(line(rest, start).map(|(start, end)| (Mark::Error(start, end), end as usize + 2))),
        other => Err(ProtocolError::Marker(other)),
    }
}

fn array(len: i64) -> Mark {
    usize::try_from(len).map_or(Mark::Nil, Mark::Array)
}

fn bulk(rest: &[u8], start: usize) -> Result<Option<(Mark, usize)>, ProtocolError> {
    let Some((len, used)) = number(rest)? else { return Ok(None) };
    let Ok(len) = usize::try_from(len) else { return Ok(Some((Mark::Nil, start + used))) };
    if len > FRAME_MAX {
        return Err(ProtocolError::TooLarge);
    }
    let Some(end) = rest.get(used + len..used + len + 2) else { return Ok(None) };
    if end != b"\r\n" {
        return Err(ProtocolError::Unterminated);
    }
    let (from, to) = (start + used, start + used + len);
    Ok(Some((Mark::Bulk(from as u32, to as u32), to + 2)))
}

/// A decimal with its CRLF, and the bytes both take.
fn number(rest: &[u8]) -> Result<Option<(i64, usize)>, ProtocolError> {
    let (negative, digits) = match rest {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut value = 0i64;
    for (i, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' if i < HEADER_MAX => {
                let digit = i64::from(byte - b'0');
                value = value.checked_mul(10).and_then(|v| v.checked_add(digit)).ok_or(ProtocolError::Header)?;
            }
            b'\r' if i > 0 => {
                let used = usize::from(negative) + i + 2;
                return match digits.get(i + 1) {
                    Some(b'\n') => Ok(Some((if negative { -value } else { value }, used))),
                    Some(_) => Err(ProtocolError::Header),
                    None => Ok(None),
                };
            }
            _ => return Err(ProtocolError::Header),
        }
    }
    Ok(None)
}

/// Start and end of the text up to CRLF.
fn line(rest: &[u8], start: usize) -> Option<(u32, u32)> {
    let end = memchr(b'\r', rest)?;
    rest.get(end + 1)?;
    Some((start as u32, (start + end) as u32))
}

/// Appends a command, as an array of its arguments.
pub fn write_command(out: &mut Vec<u8>, arguments: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
    for argument in arguments {
        out.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feed(reader: &mut Reader, mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            reader.fill(&mut bytes).unwrap();
            while let Some(frame) = reader.frame()? {
                assert_eq!(
                    frame.as_bytes().first(),
                    Some(&match frame.root() {
                        Item::Simple(_) => b'+',
                        Item::Error(_) => b'-',
                        Item::Integer(_) => b':',
                        Item::Bulk(_) => b'$',
                        Item::Array(_) => b'*',
                        Item::Nil => frame.as_bytes()[0],
                    })
                );
                frames.push(frame.as_bytes().to_vec());
            }
        }
        Ok(frames)
    }

    fn items(bytes: &[u8]) -> Vec<String> {
        let mut reader = Reader::default();
        reader.fill(&mut &*bytes).unwrap();
        let frame = reader.frame().unwrap().unwrap();
        frame.items().map(|item| format!("{item:?}")).collect()
    }

    #[test]
    fn elements_of_nested_frames_are_found_in_order() {
        let found = items(b"*3\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$-1\r\n:-7\r\n");
        assert_eq!(found, ["Array(3)", "Bulk([48])", "Array(2)", "Bulk([97])", "Nil", "Integer(-7)"]);
        assert_eq!(items(b"*0\r\n"), ["Array(0)"]);
        assert_eq!(items(b"*-1\r\n"), ["Nil"]);
        assert_eq!(items(b"-ERR no\r\n"), ["Error([69, 82, 82, 32, 110, 111])"]);
    }

    #[test]
    fn what_is_no_resp_is_an_error() {
        let deep = b"*1\r\n".repeat(20);
        for (bytes, error) in [
            (&b"HTTP/1.1 200 OK\r\n"[..], ProtocolError::Marker(b'H')),
            (b"$x\r\n", ProtocolError::Header),
            (b":\r\n", ProtocolError::Header),
            (b":99999999999999999999\r\n", ProtocolError::Header),
            (b"$3\r\nabcde", ProtocolError::Unterminated),
            (b"$99999999999\r\n", ProtocolError::TooLarge),
            (&deep, ProtocolError::TooDeep),
        ] {
            assert_eq!(feed(&mut Reader::default(), bytes), Err(error));
        }
    }

    #[test]
    fn commands_are_arrays_of_bulk_strings() {
        let mut out = Vec::new();
        write_command(&mut out, &[b"GET", b"k"]);
        assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    }

    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            any::<i64>()
                .prop_filter("-i64::MIN does not fit", |v| *v != i64::MIN)
                .prop_map(|v| format!(":{v}\r\n").into_bytes()),
            "[a-z ]{0,9}".prop_map(|text| format!("+{text}\r\n").into_bytes()),
            Just(b"$-1\r\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| {
                let mut frame = format!("${}\r\n", bytes.len()).into_bytes();
                frame.extend_from_slice(&bytes);
                frame.extend_from_slice(b"\r\n");
                frame
            }),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop::collection::vec(inner, 0..6).prop_map(|children| {
                let mut frame = format!("*{}\r\n", children.len()).into_bytes();
                frame.extend(children.concat());
                frame
            })
        })
    }

    proptest! {
        #[test]
        fn frames_are_the_same_however_the_bytes_are_split(
            frames in prop::collection::vec(frame(), 1..12),
            cuts in prop::collection::vec(1usize..200, 1..60),
        ) {
            let bytes = frames.concat();
            let (mut reader, mut found, mut rest) = (Reader::default(), Vec::new(), &bytes[..]);
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                found.extend(feed(&mut reader, now).unwrap());
                rest = later;
                if rest.is_empty() { break }
            }
            prop_assert_eq!(found, frames);
            prop_assert_eq!(reader.buffered(), 0);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            // Both outcomes are fine; the marker byte makes sure that the parser is entered.
            for marker in b"*$:+-" {
                let mut hostile = vec![*marker];
                hostile.extend_from_slice(&bytes);
                let outcome = feed(&mut Reader::default(), &hostile);
                prop_assert!(outcome.is_ok() || outcome.is_err());
            }
        }
    }
}
