//! Checks every checksum of a journal's folder without changing anything.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use model::Seq;
use vfs::Fs;

use crate::cursor::{self, Progress};
use crate::recovery;
use crate::scan::{Item, Scan};
use crate::segment::{self, Header};

/// Something in a file that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// What is wrong, and what follows from it.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.path.display(), self.offset, self.what)
    }
}

/// Reads all segments and cursors in `dir` and reports what is damaged or missing, in the order of the files. On a
/// journal in use, a record being written may be reported as a torn tail.
///
/// # Errors
/// When a file cannot be read at all.
pub fn verify(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let firsts = recovery::segment_starts(fs, dir)?;
    for (index, &first) in firsts.iter().enumerate() {
        verify_segment(fs, dir, first, firsts.get(index + 1).copied(), &mut findings)?;
    }
    for name in recovery::consumer_names(fs, dir)? {
        verify_cursor(fs, cursor::path(dir, &name), &mut findings)?;
    }
    Ok(findings)
}

fn verify_segment(
    fs: &dyn Fs,
    dir: &Path,
    first: Seq,
    following: Option<Seq>,
    findings: &mut Vec<Finding>,
) -> io::Result<()> {
    let path = segment::path(dir, first);
    let bytes = fs.read(&path)?;
    let mut add =
        |offset: usize, what: String| findings.push(Finding { path: path.clone(), offset: offset as u64, what });
    match segment::check_header(&bytes, first) {
        Header::Valid => {}
        Header::Damaged => add(0, "damaged segment header; the file's name tells its first record".to_owned()),
        Header::OtherVersion(version) => {
            add(0, format!("format version {version}, this build reads version {}", segment::VERSION));
            return Ok(());
        }
    }
    let mut next = first;
    let mut complete = true;
    for item in Scan::new(&bytes, segment::HEADER_LEN, first, following.unwrap_or(Seq(u64::MAX))) {
        match item {
            Item::Record { record, .. } => next = record.seq.next(),
            other => {
                complete &= matches!(other, Item::Damage { .. });
                let (offset, what) = describe(&other, following.is_none());
                add(offset, what);
            }
        }
    }
    match following {
        Some(following) if complete && next < following => {
            add(bytes.len(), format!("{} are missing", describe_range(next, following)));
        }
        _ => {}
    }
    Ok(())
}

/// Offset and text for an item that is no record.
pub(crate) fn describe(item: &Item<'_>, last: bool) -> (usize, String) {
    match item {
        Item::Damage { bytes, skipped } => (
            bytes.start,
            format!("{} bytes are damaged: {} cannot be read", bytes.len(), describe_range(skipped.start, skipped.end)),
        ),
        Item::Garbage { bytes } if last => {
            (bytes.start, format!("torn tail: {} bytes after the last valid record", bytes.len()))
        }
        Item::Garbage { bytes } => (bytes.start, format!("{} bytes at the end are damaged", bytes.len())),
        Item::Record { offset, record } => (*offset, format!("record {}", record.seq)),
    }
}

/// The records from `start` up to, not including, `end`.
fn describe_range(start: Seq, end: Seq) -> String {
    match end.0.saturating_sub(start.0) {
        0 => "no record".to_owned(),
        1 => format!("record {start}"),
        _ => format!("records {start} to {}", end.0 - 1),
    }
}

fn verify_cursor(fs: &dyn Fs, path: PathBuf, findings: &mut Vec<Finding>) -> io::Result<()> {
    let loaded = cursor::load(&fs.read(&path)?);
    let what = match loaded.progress {
        Some(Progress { seq, .. }) => format!("broken cursor slot; the other one holds {seq}"),
        None => "broken cursor slot, as is the other one; the consumer starts at the first record".to_owned(),
    };
    findings.extend(loaded.broken.into_iter().map(|offset| Finding { path: path.clone(), offset, what: what.clone() }));
    Ok(())
}
