//! The catalog's two files, each an append-only log of the same records. Either one suffices for each record: a record
//! damaged in one is taken from the other, and the damaged file is written anew.
//!
//! ```text
//! file   = "HSCATLG1" | record*
//! record = len:u32le | crc32c:u32le | ordinal:u32le | raw_len:u32le | zstd(entries)[len]     (crc over ordinal, raw_len, zstd bytes)
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::wire::Cursor;
use vfs::{File, Fs, replace_durably};

use crate::CatalogError;
use crate::entry::Entry;

const MAGIC: &[u8; 8] = b"HSCATLG1";
const FILES: [&str; 2] = ["catalog.1", "catalog.2"];
const HEAD_LEN: usize = 16;
/// Longest record read back, in bytes before and after compression; far above what one definition batch makes.
const RECORD_MAX: usize = 256 << 20;
const ZSTD_LEVEL: i32 = 3;

/// What was found when opening.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogReport {
    /// One sentence for each damaged place, naming file and offset.
    pub findings: Vec<String>,
    /// Records damaged in both copies: the names in them are gone.
    pub lost_records: usize,
}

/// Both files, open for appending.
pub(crate) struct Log {
    copies: Vec<Copy>,
    next_ordinal: u32,
    poisoned: bool,
}

struct Copy {
    path: PathBuf,
    file: Arc<dyn File>,
    len: u64,
}

impl Log {
    /// Reads both copies, mends what is damaged in one, and gives the entries of each record in order.
    pub(crate) fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<(Self, Vec<Vec<Entry>>, CatalogReport), CatalogError> {
        let io = |op, path: &Path, source| CatalogError::Io { op, path: path.to_owned(), source };
        fs.create_dir_all(dir).map_err(|e| io("create folder", dir, e))?;
        let paths: Vec<PathBuf> = FILES.iter().map(|name| dir.join(name)).collect();
        let mut report = CatalogReport::default();
        let scans = paths.iter().map(|p| scan(&*fs, p)).collect::<io::Result<Vec<_>>>();
        let scans = scans.map_err(|e| io("read", dir, e))?;
        let mut records = BTreeMap::new();
        for copy in &scans {
            records.extend(copy.records.iter().map(|(ordinal, bytes)| (*ordinal, bytes.clone())));
            report.findings.extend(copy.findings.iter().cloned());
        }
        let next_ordinal = records.last_key_value().map_or(0, |(last, _)| last + 1);
        report.lost_records = next_ordinal as usize - records.len();
        let content: Vec<u8> = MAGIC.iter().copied().chain(records.values().flatten().copied()).collect();
        let mut copies = Vec::new();
        for (path, copy) in paths.into_iter().zip(&scans) {
            if copy.bytes != content {
                replace_durably(&*fs, &path, &content).map_err(|e| io("write", &path, e))?;
            }
            let file = fs.open(&path).map_err(|e| io("open", &path, e))?;
            copies.push(Copy { path, file, len: content.len() as u64 });
        }
        let mut batches = Vec::with_capacity(records.len());
        for record in records.values() {
            batches.push(entries_of(record).ok_or_else(|| CatalogError::Newer { path: dir.join(FILES[0]) })?);
        }
        Ok((Self { copies, next_ordinal, poisoned: false }, batches, report))
    }

    /// Appends one record to both files and syncs them.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), CatalogError> {
        if self.poisoned {
            return Err(CatalogError::Poisoned);
        }
        let record = encode_record(self.next_ordinal, entries)
            .map_err(|e| CatalogError::Io { op: "compress", path: PathBuf::new(), source: e })?;
        for copy in &mut self.copies {
            if let Err(source) = copy.file.write_at(&record, copy.len).and_then(|()| copy.file.sync()) {
                self.poisoned = true;
                return Err(CatalogError::Io { op: "append to", path: copy.path.clone(), source });
            }
            copy.len += record.len() as u64;
        }
        self.next_ordinal += 1;
        Ok(())
    }
}

fn encode_record(ordinal: u32, entries: &[Entry]) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    entries.iter().for_each(|entry| entry.encode(&mut raw));
    let packed = zstd::bulk::compress(&raw, ZSTD_LEVEL)?;
    let too_long = || io::Error::other("more names at once than one record holds");
    let raw_len = u32::try_from(raw.len()).map_err(|_| too_long())?;
    let len = u32::try_from(packed.len()).map_err(|_| too_long())?;
    let mut body = Vec::with_capacity(packed.len() + 8);
    body.extend_from_slice(&ordinal.to_le_bytes());
    body.extend_from_slice(&raw_len.to_le_bytes());
    body.extend_from_slice(&packed);
    let mut record = Vec::with_capacity(HEAD_LEN + packed.len());
    record.extend_from_slice(&len.to_le_bytes());
    record.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    record.extend_from_slice(&body);
    Ok(record)
}

/// One copy as read: its bytes, its intact records with their ordinals, and what is wrong with it.
#[derive(Default)]
struct Scan {
    bytes: Vec<u8>,
    records: Vec<(u32, Vec<u8>)>,
    findings: Vec<String>,
}

fn scan(fs: &dyn Fs, path: &Path) -> io::Result<Scan> {
    if !fs.exists(path) {
        return Ok(Scan::default());
    }
    let bytes = fs.read(path)?;
    let mut scan = Scan { bytes, ..Scan::default() };
    if !scan.bytes.starts_with(MAGIC) {
        scan.findings.push(format!("{}: offset 0: not a catalog file (bad magic)", path.display()));
    }
    let mut at = MAGIC.len();
    while at < scan.bytes.len() {
        if let Some((ordinal, len)) = record_at(&scan.bytes, at) {
            scan.records.push((ordinal, scan.bytes.get(at..at + len).unwrap_or_default().to_vec()));
            at += len;
            continue;
        }
        scan.findings.push(format!("{}: offset {at}: damaged record", path.display()));
        // The length cannot be trusted: look for the next place where a whole record stands.
        let next = (at + 1..scan.bytes.len()).find(|i| record_at(&scan.bytes, *i).is_some());
        at = next.unwrap_or(scan.bytes.len());
    }
    Ok(scan)
}

/// Ordinal and length of the intact record at `at`.
fn record_at(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let mut r = Cursor(bytes.get(at..)?);
    let len = u32::from_le_bytes(r.array().ok()?) as usize;
    let crc = u32::from_le_bytes(r.array().ok()?);
    if len > RECORD_MAX {
        return None;
    }
    let body = r.take(len + 8).ok()?;
    (crc32c::crc32c(body) == crc).then_some(())?;
    let ordinal = u32::from_le_bytes(*body.first_chunk()?);
    Some((ordinal, HEAD_LEN + len))
}

fn entries_of(record: &[u8]) -> Option<Vec<Entry>> {
    let raw_len = u32::from_le_bytes(*record.get(12..)?.first_chunk()?) as usize;
    let raw = zstd::bulk::decompress(record.get(HEAD_LEN..)?, raw_len.min(RECORD_MAX)).ok()?;
    let mut r = Cursor(&raw);
    let mut entries = Vec::new();
    while !r.0.is_empty() {
        entries.push(Entry::decode(&mut r).ok()?);
    }
    Some(entries)
}

/// Checks both files without changing them: one sentence for each damaged place.
///
/// # Errors
/// When a file cannot be read at all.
pub fn verify(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<String>> {
    let mut findings = Vec::new();
    let mut counts = Vec::new();
    for name in FILES {
        let path = dir.join(name);
        if !fs.exists(&path) {
            findings.push(format!("{}: missing", path.display()));
            continue;
        }
        let copy = scan(fs, &path)?;
        counts.push(copy.records.len());
        findings.extend(copy.findings);
    }
    if counts.iter().any(|n| Some(n) != counts.first()) {
        findings.push(format!("{}: the two copies hold different numbers of records", dir.display()));
    }
    Ok(findings)
}
