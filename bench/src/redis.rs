//! A blocking Redis connection that costs as little as possible, so that what is measured is Redis and the historian.
//! Commands are built into one buffer and sent together; replies are visited in place. Trusted servers only.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::Result;
use crate::text::push_uint;

const FIRST_BUFFER: usize = 256 * 1024;
/// A reply larger than this is refused, so that memory stays bounded.
const MAX_BUFFER: usize = 256 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(60);

/// A part of a reply; arrays are flattened.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// `:n`
    Integer(i64),
    /// `$len` and its bytes.
    Bulk(&'a [u8]),
}

enum Header {
    Simple,
    Integer(i64),
    Bulk(Option<usize>),
    Array(u64),
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Connection {
    /// Connects to `host:port` or `unix:/path`.
    ///
    /// # Errors
    /// When nothing answers there.
    pub fn open(address: &str) -> Result<Self> {
        let stream = open_stream(address).map_err(|error| format!("connect to {address}: {error}"))?;
        Ok(Self::over(stream))
    }

    fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream, buffer: vec![0; FIRST_BUFFER], start: 0, end: 0 }
    }

    /// Sends ready-made commands.
    ///
    /// # Errors
    /// When the connection broke.
    pub fn send(&mut self, commands: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(commands)?)
    }

    /// Sends one command and throws its reply away.
    ///
    /// # Errors
    /// When the connection broke or Redis answered with an error.
    pub fn call(&mut self, parts: &[&[u8]]) -> Result<()> {
        let mut command = Vec::new();
        push_command(&mut command, parts);
        self.send(&command)?;
        self.reply(&mut |_| {})
    }

    /// Reads one reply and shows its parts to `visit`.
    ///
    /// # Errors
    /// When the connection broke or Redis answered with an error.
    pub fn reply(&mut self, visit: &mut dyn FnMut(Item<'_>)) -> Result<()> {
        let mut expected = 1u64;
        while expected > 0 {
            expected -= 1;
            match self.header()? {
                Header::Array(items) => expected += items,
                Header::Integer(value) => visit(Item::Integer(value)),
                Header::Bulk(Some(len)) => self.bulk(len, visit)?,
                Header::Bulk(None) | Header::Simple => {}
            }
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Header> {
        let mut searched = 0;
        loop {
            let pending = self.pending();
            if let Some(at) = pending.iter().skip(searched).position(|&byte| byte == b'\n') {
                let len = searched + at;
                let header = parse_header(pending.get(..len).unwrap_or_default())?;
                self.start += len + 1;
                return Ok(header);
            }
            searched = pending.len();
            self.fill()?;
        }
    }

    fn bulk(&mut self, len: usize, visit: &mut dyn FnMut(Item<'_>)) -> Result<()> {
        const LINE_END: usize = 2;
        while self.end - self.start < len + LINE_END {
            self.fill()?;
        }
        visit(Item::Bulk(self.pending().get(..len).unwrap_or_default()));
        self.start += len + LINE_END;
        Ok(())
    }

    fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.grow()?;
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = self.stream.read(free)?;
        if read == 0 {
            return Err("redis closed the connection".into());
        }
        self.end += read;
        Ok(())
    }

    fn grow(&mut self) -> Result<()> {
        let len = self.buffer.len() * 2;
        if len > MAX_BUFFER {
            return Err(format!("a reply exceeds {MAX_BUFFER} bytes").into());
        }
        self.buffer.resize(len, 0);
        Ok(())
    }
}

fn open_stream(address: &str) -> io::Result<Box<dyn Stream>> {
    if let Some(path) = address.strip_prefix("unix:") {
        return Ok(Box::new(UnixStream::connect(path)?));
    }
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(Box::new(stream))
}

fn parse_header(line: &[u8]) -> Result<Header> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Some((kind, rest)) = line.split_first() else { return Err("empty reply line".into()) };
    match kind {
        b'+' => Ok(Header::Simple),
        b'-' => Err(String::from_utf8_lossy(rest).into()),
        b':' => Ok(Header::Integer(parse_integer(rest)?)),
        b'$' => Ok(Header::Bulk(usize::try_from(parse_integer(rest)?).ok())),
        b'*' => Ok(Header::Array(u64::try_from(parse_integer(rest)?).unwrap_or(0))),
        _ => Err(format!("unknown reply {:?}", String::from_utf8_lossy(line)).into()),
    }
}

fn parse_integer(digits: &[u8]) -> Result<i64> {
    Ok(std::str::from_utf8(digits)?.parse()?)
}

/// Appends a command in Redis' wire form.
pub fn push_command(out: &mut Vec<u8>, parts: &[&[u8]]) {
    push_command_start(out, parts.len());
    for part in parts {
        push_part(out, part);
    }
}

/// Appends the head of a command whose `parts` follow through [`push_part`].
pub fn push_command_start(out: &mut Vec<u8>, parts: usize) {
    out.push(b'*');
    push_uint(out, parts as u64);
    out.extend_from_slice(b"\r\n");
}

/// Appends one part of a command.
pub fn push_part(out: &mut Vec<u8>, part: &[u8]) {
    out.push(b'$');
    push_uint(out, part.len() as u64);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(part);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the bytes of a reply one at a time, as the worst network would.
    struct Trickle(std::vec::IntoIter<u8>);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(byte) = self.0.next() else { return Ok(0) };
            buffer[0] = byte;
            Ok(1)
        }
    }

    impl Write for Trickle {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            Ok(data.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn read(reply: &str) -> Result<Vec<String>> {
        let mut connection = Connection::over(Box::new(Trickle(reply.as_bytes().to_vec().into_iter())));
        let mut seen = Vec::new();
        connection.reply(&mut |item| {
            seen.push(match item {
                Item::Integer(value) => value.to_string(),
                Item::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            });
        })?;
        Ok(seen)
    }

    #[test]
    fn replies_are_flattened_however_they_are_split() {
        assert_eq!(read("*3\r\n$2\r\nab\r\n*2\r\n:-5\r\n$-1\r\n$0\r\n\r\n").unwrap(), ["ab", "-5", ""]);
        assert_eq!(read("+OK\r\n").unwrap(), [""; 0]);
    }

    #[test]
    fn errors_of_redis_and_a_closed_connection_are_errors() {
        assert_eq!(read("-ERR no\r\n").unwrap_err().to_string(), "ERR no");
        assert!(read("*1\r\n$5\r\nab").is_err());
    }

    #[test]
    fn commands_have_the_wire_form() {
        let mut out = Vec::new();
        push_command(&mut out, &[b"PUBLISH", b"c", b""]);
        assert_eq!(out, b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$0\r\n\r\n");
    }
}
