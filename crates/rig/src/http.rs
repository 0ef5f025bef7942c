//! A tiny HTTP client, for tests that look into a server: one request a connection, answers of a known length or in chunks.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);
/// While a server starts it may accept a connection and leave it at that; asking again is better than waiting.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);

/// The body of the answer. Spaces, quotes and what else cannot stand in a URL are encoded; `%`, `&`, `+` and `#` are not.
///
/// # Panics
/// If there is no answer, or its status is not a success.
#[track_caller]
pub fn http_get(url: &str) -> String {
    let (status, body) = request("GET", url, "", TIMEOUT).unwrap_or_else(|error| panic!("GET {url}: {error}"));
    assert!((200..300).contains(&status), "GET {url}: {status} {body}");
    body
}

/// Status and body of the answer. Parameters stand in the URL (encoded as in [`http_get`]); the body has no type.
///
/// # Panics
/// If there is no answer.
#[track_caller]
pub fn http_post(url: &str, body: &str) -> (u16, String) {
    request("POST", url, body, TIMEOUT).unwrap_or_else(|error| panic!("POST {url}: {error}"))
}

/// A text as the value of a parameter in a URL: everything encoded but letters, digits and `-._~`.
pub fn encode(text: &str) -> String {
    encode_but(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// The status, if there is an answer soon.
pub(crate) fn status(url: &str) -> Option<u16> {
    request("GET", url, "", STATUS_TIMEOUT).ok().map(|answer| answer.0)
}

fn encode_but(text: &str, stays: impl Fn(u8) -> bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match stays(byte) {
            true => out.push(char::from(byte)),
            false => write!(out, "%{byte:02X}").expect("text grows"),
        }
        out
    })
}

fn request(method: &str, url: &str, body: &str, timeout: Duration) -> std::io::Result<(u16, String)> {
    let rest = url.strip_prefix("http://").expect("a URL that starts with http://");
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = encode_but(path, |byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    let path = if path.is_empty() { "/" } else { &path };
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(timeout))?;
    let len = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    read_answer(&answer).ok_or_else(|| std::io::Error::other(format!("not HTTP: {}", String::from_utf8_lossy(&answer))))
}

fn read_answer(answer: &[u8]) -> Option<(u16, String)> {
    let head_len = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, body) = answer.split_at_checked(head_len + 4)?;
    let head = std::str::from_utf8(head).ok()?.to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = match header(&head, "transfer-encoding") {
        Some("chunked") => join_chunks(body)?,
        _ => whole(body, header(&head, "content-length"))?,
    };
    Some((status, String::from_utf8_lossy(&body).into_owned()))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

/// A body cut short is no answer.
fn whole(body: &[u8], len: Option<&str>) -> Option<Vec<u8>> {
    match len {
        Some(len) => body.get(..len.parse().ok()?).map(<[u8]>::to_vec),
        None => Some(body.to_vec()),
    }
}

/// chunk = len in hex | optional `;` and more | CRLF | payload | CRLF; a chunk of length 0 ends the body.
fn join_chunks(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let line = body.windows(2).position(|bytes| bytes == b"\r\n")?;
        let len = std::str::from_utf8(body.get(..line)?).ok()?.split(';').next()?;
        let len = usize::from_str_radix(len.trim(), 16).ok()?;
        if len == 0 {
            return Some(out);
        }
        out.extend_from_slice(body.get(line + 2..line + 2 + len)?);
        body = body.get(line + 2 + len + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
        assert_eq!(read_answer(answer), Some((200, "abcde".to_owned())));
    }

    #[test]
    fn a_body_of_known_length_is_taken_whole_or_not_at_all() {
        let answer = |body: &str| format!("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n{body}").into_bytes();
        assert_eq!(read_answer(&answer("abc")), Some((404, "abc".to_owned())));
        assert_eq!(read_answer(&answer("ab")), None);
    }

    #[test]
    fn an_answer_without_a_body_is_an_answer() {
        assert_eq!(read_answer(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, String::new())));
    }

    #[test]
    fn parameters_are_encoded() {
        assert_eq!(encode("SELECT \"a b\" FROM m&"), "SELECT%20%22a%20b%22%20FROM%20m%26");
    }
}
