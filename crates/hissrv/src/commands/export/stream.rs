//! An answer of any size from a running service, written as it comes. It is complete, or it is an error: a body that is cut off, or that
//! has no summary behind it, does not count.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use formats::Output;

use super::STOP;
use crate::cli::Failure;
use crate::commands::client::{connect, explain};
use crate::export::Summary;

/// Longest wait for the next part; finding what a large measurement has takes a while.
const READ_TIMEOUT: Duration = Duration::from_secs(600);
/// Longest line of the head and of chunks, in bytes; also longest error.
const LINE_MAX: u64 = 1 << 20;
/// Bytes copied at a time.
const PORTION: usize = 64 << 10;

/// Head of an answer.
struct Head {
    status: u16,
    is_chunked: bool,
}

/// Asks for `path` and writes the body to `to`.
pub(super) fn download(base: &str, path: &str, mut to: Output) -> Result<Summary, Failure> {
    let mut reader = ask(base, path)?;
    let head = read_head(&mut reader)?;
    if head.status != 200 {
        return Err(refused(&mut reader, &head));
    }
    if !head.is_chunked {
        return Err(anyhow!("{base} answered in an unexpected form: is it a hissrv of this version?").into());
    }
    while let Some(len) = next_chunk(&mut reader)? {
        copy(&mut reader, len, &mut to)?;
        read_line(&mut reader)?;
    }
    to.finish().context("write the output")?;
    Ok(summary(&mut reader)?)
}

fn ask(base: &str, path: &str) -> anyhow::Result<impl BufRead> {
    let host =
        base.strip_prefix("http://").ok_or_else(|| anyhow!("{base}: expected a URL that begins with http://"))?;
    let host = host.trim_end_matches('/');
    let mut stream = connect(host).with_context(|| format!("connect to {base} (is hissrv running there?)"))?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nTE: trailers\r\n\r\n");
    stream.write_all(request.as_bytes()).context("send the request")?;
    Ok(BufReader::with_capacity(PORTION, stream))
}

fn read_head(reader: &mut impl BufRead) -> anyhow::Result<Head> {
    let line = read_line(reader)?;
    let status =
        line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| anyhow!("no HTTP answer: {line:?}"))?;
    let mut head = Head { status, is_chunked: false };
    loop {
        let line = read_line(reader)?.to_ascii_lowercase();
        if line.is_empty() {
            return Ok(head);
        }
        head.is_chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
    }
}

/// The service's own words; what is wrong with the question is wrong with the command line.
fn refused(reader: &mut impl BufRead, head: &Head) -> Failure {
    let mut body = Vec::new();
    if let Err(e) = reader.take(LINE_MAX).read_to_end(&mut body) {
        return anyhow!("the service answered with status {}, and no reason came: {e}", head.status).into();
    }
    let text = explain(head.status, &body);
    match head.status {
        400 | 404 => Failure::Usage(text),
        _ => Failure::Run(anyhow!(text)),
    }
}

/// Length of the next chunk; `None` after the last.
fn next_chunk(reader: &mut impl BufRead) -> anyhow::Result<Option<u64>> {
    if STOP.load(Relaxed) {
        bail!("stopped before the end");
    }
    let line = read_line(reader)?;
    let len = u64::from_str_radix(&line, 16).map_err(|_| broken_off())?;
    Ok((len > 0).then_some(len))
}

fn copy(reader: &mut impl BufRead, len: u64, to: &mut Output) -> anyhow::Result<()> {
    let copied = std::io::copy(&mut reader.take(len), to).context("write the output")?;
    if copied < len { Err(broken_off()) } else { Ok(()) }
}

/// The trailers.
fn summary(reader: &mut impl BufRead) -> anyhow::Result<Summary> {
    let mut found = None;
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("hissrv-export") {
            found = Some(serde_json::from_str(value.trim()).context("read the summary of the export")?);
        }
    }
    found.ok_or_else(|| anyhow!("the answer has no summary at its end: is it a hissrv of this version?"))
}

fn read_line(reader: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = Vec::new();
    reader.take(LINE_MAX).read_until(b'\n', &mut line).context("read the answer")?;
    if line.pop() != Some(b'\n') {
        return Err(broken_off());
    }
    String::from_utf8(line).map(|line| line.trim_end_matches('\r').to_owned()).context("read the answer")
}

fn broken_off() -> anyhow::Error {
    anyhow!("the service broke the answer off before its end: its log says why")
}
