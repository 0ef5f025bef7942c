//! Just enough HTTP/1.1 to post batches over one connection and to read what the server said.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use histbench::Result;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// An answer larger than this is an error: writes are answered shortly.
const ANSWER_MAX: usize = 1024 * 1024;

/// Where batches go.
pub(crate) struct Target {
    host: String,
    head: String,
}

impl Target {
    /// Takes `http://HOST:PORT/PATH`.
    ///
    /// # Errors
    /// When the URL has another form.
    pub(crate) fn new(url: &str, token: Option<&str>) -> Result<Self> {
        let rest = url.strip_prefix("http://").ok_or_else(|| format!("--url {url}: http:// only"))?;
        let (host, path) = rest.split_once('/').ok_or_else(|| format!("--url {url}: the path is missing"))?;
        let authorization = token.map(|token| format!("Authorization: Token {token}\r\n")).unwrap_or_default();
        let head = format!("POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\n{authorization}");
        Ok(Self { host: host.to_owned(), head })
    }
}

/// One kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What the server said to one batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) keep_alive: bool,
    pub(crate) body: String,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nothing listens there.
    pub(crate) fn open(target: &Target) -> io::Result<Self> {
        let stream = TcpStream::connect(&target.host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends a batch and waits for the answer.
    ///
    /// # Errors
    /// When the connection broke, the answer did not come in time or is no HTTP.
    pub(crate) fn post(&mut self, target: &Target, body: &[u8]) -> io::Result<Answer> {
        let head = format!("{}Content-Length: {}\r\n\r\n", target.head, body.len());
        self.stream.write_all(head.as_bytes())?;
        self.stream.write_all(body)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        self.received.clear();
        loop {
            if let Some(answer) = parse(&self.received)? {
                return Ok(answer);
            }
            self.receive()?;
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream.read(&mut chunk)?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        self.received.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if self.received.len() > ANSWER_MAX {
            return Err(broken("the answer is too long"));
        }
        Ok(())
    }
}

/// The answer once all of it is there.
fn parse(received: &[u8]) -> io::Result<Option<Answer>> {
    let Some(head_len) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = received.split_at(head_len + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let status = head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(|| broken("no status"))?;
    if !is_complete(&head, status, body) {
        return Ok(None);
    }
    let keep_alive = header(&head, "connection").is_none_or(|value| !value.contains("close"));
    Ok(Some(Answer { status, keep_alive, body: String::from_utf8_lossy(body).into_owned() }))
}

fn is_complete(head: &str, status: u16, body: &[u8]) -> bool {
    if status == 204 {
        return true;
    }
    if header(head, "transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        return body.ends_with(b"0\r\n\r\n");
    }
    let len = header(head, "content-length").and_then(|value| value.parse().ok());
    body.len() >= len.unwrap_or(0)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = head.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_only_with_its_whole_body() {
        let text = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwhy?";
        for len in 0..text.len() {
            assert_eq!(parse(&text[..len]).unwrap(), None, "{len} bytes");
        }
        let answer = parse(text).unwrap().unwrap();
        assert_eq!(answer, Answer { status: 400, keep_alive: false, body: "why?".to_owned() });
    }

    #[test]
    fn an_empty_204_and_chunks_are_understood() {
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().map(|answer| answer.status), Some(204));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        assert!(parse(&chunked[..chunked.len() - 1]).unwrap().is_none());
        assert!(parse(chunked).unwrap().is_some_and(|answer| answer.keep_alive));
    }

    #[test]
    fn a_target_needs_http_and_a_path() {
        assert!(Target::new("http://127.0.0.1:1/write?db=x", Some("t")).is_ok());
        assert!(Target::new("https://127.0.0.1:1/write", None).is_err());
        assert!(Target::new("http://127.0.0.1:1", None).is_err());
    }
}
