//! A small HTTP client for a running hissrv: one request, one answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a part of the answer; queries may take their time.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// Largest answer taken, in bytes.
const ANSWER_MAX: u64 = 1 << 30;

/// Sends a request to `base` (`http://host:port`) and gives the body of a 2xx answer.
pub(super) fn request(base: &str, method: &str, path: &str, body: &str) -> anyhow::Result<Vec<u8>> {
    exchange(base, &format!("{method} {path}"), body.as_bytes(), Some(READ_TIMEOUT))
}

/// Sends a request that the service may work on for hours.
pub(super) fn request_patiently(base: &str, method: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    exchange(base, &format!("{method} {path}"), b"", None)
}

/// Sends a body.
pub(super) fn post(base: &str, path: &str, body: &[u8]) -> anyhow::Result<Vec<u8>> {
    exchange(base, &format!("POST {path}"), body, Some(READ_TIMEOUT))
}

/// `target` is method and path. Without `patience` the answer is waited for until the service is gone.
fn exchange(base: &str, target: &str, body: &[u8], patience: Option<Duration>) -> anyhow::Result<Vec<u8>> {
    let host =
        base.strip_prefix("http://").ok_or_else(|| anyhow!("{base}: expected a URL that begins with http://"))?;
    let host = host.trim_end_matches('/');
    let mut stream = connect(host).with_context(|| format!("connect to {base} (is hissrv running there?)"))?;
    stream.set_read_timeout(patience)?;
    let head = format!(
        "{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).context("send the request")?;
    read_answer(&mut BufReader::new(stream))
}

pub(super) fn connect(host: &str) -> anyhow::Result<TcpStream> {
    let address = host.to_socket_addrs()?.next().ok_or_else(|| anyhow!("{host} has no address"))?;
    Ok(TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?)
}

fn read_answer(reader: &mut impl BufRead) -> anyhow::Result<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).context("read the answer")?;
    let status: u16 =
        line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| anyhow!("no HTTP answer: {line:?}"))?;
    let chunked = read_headers(reader)?;
    let mut body = Vec::new();
    if chunked {
        read_chunks(reader, &mut body)?;
    } else {
        reader.take(ANSWER_MAX).read_to_end(&mut body).context("read the answer")?;
    }
    if !(200..300).contains(&status) {
        bail!("{}", explain(status, &body));
    }
    Ok(body)
}

/// Passes the headers over; tells whether the body is chunked.
fn read_headers(reader: &mut impl BufRead) -> anyhow::Result<bool> {
    let mut chunked = false;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).context("read the headers")?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            return Ok(chunked);
        }
        chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> anyhow::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).context("read the answer")?;
        let len = u64::from_str_radix(line.trim(), 16).with_context(|| format!("length of a chunk: {line:?}"))?;
        if len == 0 {
            return Ok(());
        }
        if body.len() as u64 + len > ANSWER_MAX {
            bail!("the answer is longer than {ANSWER_MAX} bytes: narrow the question");
        }
        reader.take(len).read_to_end(body).context("read the answer")?;
        reader.read_line(&mut line).context("read the answer")?;
    }
}

/// The service's own words where it gave some.
pub(super) fn explain(status: u16, body: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let word = |key: &str| json.get(key).and_then(serde_json::Value::as_str).filter(|s| !s.is_empty());
    match (word("error"), word("hint")) {
        (Some(error), Some(hint)) => format!("{error} ({hint})"),
        (Some(error), None) => error.to_owned(),
        _ => format!("the service answered with status {status}"),
    }
}
