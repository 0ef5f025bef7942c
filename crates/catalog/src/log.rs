//! The catalog's two files, each an append-only log of the same records. Either one suffices for each record: a record
//! damaged in one is taken from the other, and the damaged file is written anew.
//!
//! ```text
//! file   = "HSCATLG2" | record*
//! record = len:u32le | crc32c:u32le | ordinal:u32le | raw_len:u32le | zstd(entries)[len]     (crc over ordinal, raw_len, zstd bytes)
//! ```
//! A file of version 1 differs in its magic alone, and has no entries about what was dropped.
//! A record is synced in the first file before it is begun in the second, so a power cut can tear the end of one file only.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::wire::Cursor;
use vfs::{File, Fs, replace_durably};

use crate::CatalogError;
use crate::entry::Entry;
use crate::meta;

const MAGIC: &[u8; 8] = b"HSCATLG2";
/// Of files without entries of what was dropped; written anew with the other magic when opened.
const OLD_MAGIC: &[u8; 8] = b"HSCATLG1";
/// The magic without its last character, which is the version.
const MAGIC_ANY_VERSION: &[u8; 7] = b"HSCATLG";
const FILES: [&str; 2] = ["catalog.1", "catalog.2"];
const HEAD_LEN: usize = 16;
/// Longest record, in bytes before and after compression; far above what one definition batch makes.
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

/// Intact records of both copies by ordinal.
type Records = BTreeMap<u32, Vec<u8>>;

/// Both files, open for appending.
pub(crate) struct Log {
    copies: Vec<Copy>,
    /// Length of each file.
    len: u64,
    next_ordinal: u32,
    poisoned: bool,
}

struct Copy {
    path: PathBuf,
    file: Arc<dyn File>,
}

/// Both copies as read.
pub(crate) struct Stored {
    scans: Vec<Scan>,
    records: Records,
    /// The entries of each record in order.
    pub(crate) batches: Vec<Vec<Entry>>,
    pub(crate) report: CatalogReport,
}

impl Stored {
    /// Reads both copies.
    pub(crate) fn read(fs: &dyn Fs, dir: &Path) -> Result<Self, CatalogError> {
        let scans = FILES.map(|name| dir.join(name));
        let scans =
            scans.iter().map(|path| scan(fs, path).map_err(failed("read", path))).collect::<Result<Vec<_>, _>>()?;
        check_usable(&scans)?;
        let records: Records = scans.iter().flat_map(|s| s.records.iter().cloned()).collect();
        let report = report(&scans, &records);
        let batches = records.values().map(|r| entries_of(r)).collect::<Option<Vec<_>>>();
        let batches = batches.ok_or_else(|| CatalogError::Newer { path: dir.join(FILES[0]) })?;
        Ok(Self { scans, records, batches, report })
    }

    /// True when the files are of a version that had no separate files for databases and users.
    pub(crate) fn is_old(&self) -> bool {
        self.scans.iter().any(|s| s.bytes.starts_with(OLD_MAGIC))
    }

    /// Mends what is damaged in one copy, and opens both for appending.
    pub(crate) fn mend(&self, fs: &dyn Fs) -> Result<Log, CatalogError> {
        let content: Vec<u8> = MAGIC.iter().copied().chain(self.records.values().flatten().copied()).collect();
        let copies = self.scans.iter().map(|s| s.mend(fs, &content)).collect::<Result<Vec<_>, _>>()?;
        let next_ordinal = next_ordinal(&self.scans, &self.records);
        Ok(Log { copies, len: content.len() as u64, next_ordinal, poisoned: false })
    }
}

impl Log {
    /// Appends one record to both files and syncs them.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), CatalogError> {
        if self.poisoned {
            return Err(CatalogError::Poisoned);
        }
        let record = encode_record(self.next_ordinal, entries)?;
        for copy in &self.copies {
            if let Err(source) = copy.file.write_at(&record, self.len) {
                self.poisoned = self.cut_back().is_err();
                return Err(failed("append to", &copy.path)(source));
            }
            if let Err(source) = copy.file.sync() {
                self.poisoned = true;
                return Err(failed("sync", &copy.path)(source));
            }
        }
        self.len += record.len() as u64;
        self.next_ordinal += 1;
        Ok(())
    }

    /// Takes a record back that could not be written to both files, as on a full disk. Synced, or a
    /// power cut could bring back a record about something dropped, while values are written to it.
    fn cut_back(&self) -> io::Result<()> {
        self.copies.iter().try_for_each(|copy| copy.file.set_len(self.len).and_then(|()| copy.file.sync()))
    }
}

fn failed<'a>(op: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> CatalogError + 'a {
    move |source| CatalogError::Io { op, path: path.to_owned(), source }
}

/// Refuses files that another version wrote, and those of which nothing is left.
fn check_usable(scans: &[Scan]) -> Result<(), CatalogError> {
    let mut present = scans.iter().filter(|s| s.exists).peekable();
    let Some(path) = present.peek().map(|s| s.path.clone()) else { return Ok(()) };
    if present.clone().all(Scan::is_other_version) {
        return Err(CatalogError::Newer { path });
    }
    if present.all(|s| s.records.is_empty() && s.bytes != MAGIC && s.bytes != OLD_MAGIC) {
        return Err(CatalogError::Damaged { path });
    }
    Ok(())
}

fn report(scans: &[Scan], records: &Records) -> CatalogReport {
    let mut findings: Vec<String> = scans.iter().flat_map(|s| s.findings.iter().cloned()).collect();
    if !records.is_empty() {
        findings.extend(scans.iter().filter(|s| !s.exists).map(|s| format!("{}: missing", s.path.display())));
    }
    CatalogReport { findings, lost_records: next_ordinal(scans, records) as usize - records.len() }
}

/// Ordinal of the next record. Where both files end in damage they had one more record, since a power cut tears one only.
fn next_ordinal(scans: &[Scan], records: &Records) -> u32 {
    let after_last = records.last_key_value().map_or(0, |(last, _)| last + 1);
    after_last + u32::from(scans.iter().all(|s| s.ends_damaged))
}

fn encode_record(ordinal: u32, entries: &[Entry]) -> Result<Vec<u8>, CatalogError> {
    let mut raw = Vec::new();
    entries.iter().for_each(|entry| entry.encode(&mut raw));
    let packed = zstd::bulk::compress(&raw, ZSTD_LEVEL).map_err(failed("compress", Path::new(FILES[0])))?;
    let len = raw.len().max(packed.len());
    if len > RECORD_MAX {
        return Err(CatalogError::TooManyNames { len, limit: RECORD_MAX });
    }
    let mut body = Vec::with_capacity(packed.len() + 8);
    body.extend_from_slice(&ordinal.to_le_bytes());
    body.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    body.extend_from_slice(&packed);
    let mut record = Vec::with_capacity(HEAD_LEN + packed.len());
    record.extend_from_slice(&(packed.len() as u32).to_le_bytes());
    record.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    record.extend_from_slice(&body);
    Ok(record)
}

/// One copy as read: its bytes, its intact records with their ordinals, and what is wrong with it.
#[derive(Default)]
struct Scan {
    path: PathBuf,
    exists: bool,
    bytes: Vec<u8>,
    records: Vec<(u32, Vec<u8>)>,
    findings: Vec<String>,
    ends_damaged: bool,
}

impl Scan {
    fn is_other_version(&self) -> bool {
        self.bytes.starts_with(MAGIC_ANY_VERSION) && !is_known(&self.bytes)
    }

    fn find(&mut self, offset: usize, what: &str) {
        self.findings.push(format!("{}: offset {offset}: {what}", self.path.display()));
    }

    /// Writes this copy anew where it differs from `content`, and opens it.
    fn mend(&self, fs: &dyn Fs, content: &[u8]) -> Result<Copy, CatalogError> {
        if self.bytes != content {
            replace_durably(fs, &self.path, content).map_err(failed("write", &self.path))?;
        }
        let file = fs.open(&self.path).map_err(failed("open", &self.path))?;
        Ok(Copy { path: self.path.clone(), file })
    }
}

/// True for the first bytes of a version that this build reads.
fn is_known(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) || bytes.starts_with(OLD_MAGIC)
}

fn scan(fs: &dyn Fs, path: &Path) -> io::Result<Scan> {
    let mut scan = Scan { path: path.to_owned(), exists: fs.exists(path), ..Scan::default() };
    if !scan.exists {
        return Ok(scan);
    }
    scan.bytes = fs.read(path)?;
    if !is_known(&scan.bytes) {
        scan.find(0, "not a catalog file (bad magic)");
    }
    let mut at = MAGIC.len();
    while at < scan.bytes.len() {
        if let Some((ordinal, len)) = record_at(&scan.bytes, at) {
            scan.records.push((ordinal, scan.bytes.get(at..at + len).unwrap_or_default().to_vec()));
            scan.ends_damaged = false;
            at += len;
            continue;
        }
        scan.find(at, "damaged or unfinished record");
        scan.ends_damaged = true;
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
    let mut ordinals = Vec::new();
    for name in FILES {
        let mut copy = scan(fs, &dir.join(name))?;
        if !copy.exists {
            findings.push(format!("{}: missing", copy.path.display()));
            continue;
        }
        if copy.records.iter().any(|(_, record)| entries_of(record).is_none()) {
            copy.find(MAGIC.len(), "holds entries of a later version of hissrv");
        }
        ordinals.push(copy.records.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<_>>());
        findings.append(&mut copy.findings);
    }
    if ordinals.iter().any(|n| Some(n) != ordinals.first()) {
        findings.push(format!("{}: the two copies hold different records", dir.display()));
    }
    findings.extend(meta::file::verify(fs, dir));
    Ok(findings)
}
