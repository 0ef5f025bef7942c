//! The two files of the ledger: each holds all of it, and is replaced as a whole.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::wire::{Cursor, WireError, put_varint};
use vfs::{Fs, replace_durably};

use super::LedgerError;
use super::content::StoredTask;

const MAGIC: &[u8; 8] = b"HSROLLG1";
/// The magic without its last character, which is the version.
const MAGIC_ANY_VERSION: &[u8; 7] = b"HSROLLG";
const FILES: [&str; 2] = ["ledger.1", "ledger.2"];

/// Both files.
pub(super) struct Files {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    /// Of the last content written or tried, so that no two differ under one number.
    generation: u64,
}

/// What is stored.
pub(super) struct Loaded {
    /// Empty when there is no intact copy.
    pub(super) tasks: Vec<StoredTask>,
    /// One sentence for each damaged or missing copy.
    pub(super) findings: Vec<String>,
    /// True when both copies are intact and equal.
    pub(super) agree: bool,
}

/// What is in one of the files.
enum Copy {
    Missing,
    Damaged,
    OtherVersion,
    Intact(Content),
}

#[derive(PartialEq)]
struct Content {
    generation: u64,
    tasks: Vec<StoredTask>,
}

impl Files {
    /// Reads both copies; makes the folder.
    pub(super) fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<(Self, Loaded), LedgerError> {
        fs.create_dir_all(dir).map_err(failed("create folder", dir))?;
        let paths = FILES.map(|name| dir.join(name));
        let mut copies = Vec::new();
        for path in &paths {
            copies.push((path, read(&*fs, path)?));
        }
        let (generation, loaded) = choose(copies)?;
        Ok((Self { fs, dir: dir.to_owned(), generation }, loaded))
    }

    /// Writes both copies.
    pub(super) fn save(&mut self, tasks: &[StoredTask]) -> io::Result<()> {
        self.generation += 1;
        let bytes = encode(self.generation, tasks)?;
        FILES.iter().try_for_each(|name| replace_durably(&*self.fs, &self.dir.join(name), &bytes))
    }
}

/// The generation to go on from, and the newer intact copy.
fn choose(copies: Vec<(&PathBuf, Copy)>) -> Result<(u64, Loaded), LedgerError> {
    let has_intact = copies.iter().any(|(_, copy)| matches!(copy, Copy::Intact(_)));
    let are_missing = copies.iter().all(|(_, copy)| matches!(copy, Copy::Missing));
    let mut findings = Vec::new();
    let mut intact = Vec::new();
    for (path, copy) in copies {
        match copy {
            Copy::Intact(content) => intact.push(content),
            // Beside an intact copy it is a damaged magic.
            Copy::OtherVersion if !has_intact => return Err(LedgerError::Version { path: path.clone() }),
            Copy::Damaged | Copy::OtherVersion => findings.push(format!("{}: damaged", path.display())),
            Copy::Missing if are_missing => {}
            Copy::Missing => findings.push(format!("{}: missing", path.display())),
        }
    }
    let agree = matches!(intact.as_slice(), [a, b] if a == b);
    let newest = intact.into_iter().max_by_key(|content| content.generation);
    let newest = newest.unwrap_or(Content { generation: 0, tasks: Vec::new() });
    Ok((newest.generation, Loaded { tasks: newest.tasks, findings, agree }))
}

/// Looks at both copies of a ledger without changing anything: one sentence for each damaged or missing one. Where there is none, there
/// never was a ledger.
///
/// # Errors
/// When a file cannot be read.
pub fn verify(fs: &dyn Fs, dir: &Path) -> Result<Vec<String>, LedgerError> {
    let paths = FILES.map(|name| dir.join(name));
    let mut findings = Vec::new();
    let mut missing = Vec::new();
    for path in &paths {
        match read(fs, path)? {
            Copy::Intact(_) => {}
            Copy::Damaged | Copy::OtherVersion => findings.push(format!("{}: damaged", path.display())),
            Copy::Missing => missing.push(format!("{}: missing", path.display())),
        }
    }
    if missing.len() < FILES.len() {
        findings.append(&mut missing);
    }
    Ok(findings)
}

fn read(fs: &dyn Fs, path: &Path) -> Result<Copy, LedgerError> {
    if !fs.exists(path) {
        return Ok(Copy::Missing);
    }
    let bytes = fs.read(path).map_err(failed("read", path))?;
    Ok(decode(&bytes).unwrap_or(Copy::Damaged))
}

fn encode(generation: u64, tasks: &[StoredTask]) -> io::Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&generation.to_le_bytes());
    put_varint(&mut out, tasks.len() as u64);
    tasks.iter().try_for_each(|task| task.encode(&mut out))?;
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    Ok(out)
}

/// `None` when the bytes are not what was written.
fn decode(bytes: &[u8]) -> Option<Copy> {
    let (content, crc) = bytes.split_last_chunk()?;
    if crc32c::crc32c(content) != u32::from_le_bytes(*crc) {
        return None;
    }
    match content.strip_prefix(MAGIC) {
        Some(body) => decode_body(Cursor(body)).ok().map(Copy::Intact),
        None => content.starts_with(MAGIC_ANY_VERSION).then_some(Copy::OtherVersion),
    }
}

fn decode_body(mut r: Cursor<'_>) -> Result<Content, WireError> {
    let generation = u64::from_le_bytes(r.array()?);
    let mut tasks = Vec::new();
    for _ in 0..r.varint()? {
        tasks.push(StoredTask::decode(&mut r)?);
    }
    if r.0.is_empty() {
        Ok(Content { generation, tasks })
    } else {
        Err(WireError::Malformed("it goes on after its end"))
    }
}

pub(super) fn failed<'a>(op: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> LedgerError + 'a {
    move |source| LedgerError::Io { op, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::content::Stored;
    use crate::ledger::{Columns, Marked};
    use model::{TimeRange, TimestampNs};

    fn marked(start: i64, end: i64, columns: Columns) -> Marked {
        Marked { range: TimeRange::new(TimestampNs(start), TimestampNs(end)), columns }
    }

    fn tasks() -> Vec<StoredTask> {
        let set: Columns = roaring::RoaringBitmap::from_iter([1, 500]).into();
        let marks = vec![
            Stored::Window(marked(-1, 2, set.clone())),
            Stored::Window(marked(2, 3, Columns::All)),
            Stored::Stretch(marked(i64::MIN, 9, set)),
        ];
        let empty = StoredTask { name: String::new(), fingerprint: "f".to_owned(), marks: Vec::new() };
        vec![StoredTask { name: "hü".to_owned(), fingerprint: "1h".to_owned(), marks }, empty]
    }

    #[test]
    fn every_byte_is_where_the_description_says() {
        let mut expected = b"HSROLLG1\x07\0\0\0\0\0\0\0\x02\x03h\xc3\xbc\x021h\x03".to_vec();
        expected.extend(b"\0\xff\xff\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\0\0\0");
        // The set: no runs, one container; its key, its length minus one, where it starts, its members.
        expected.extend([1, 20, 0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 1, 0, 0xf4, 1]);
        expected.extend(b"\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0");
        expected.extend(b"\x01\0\0\0\0\0\0\0\x80\x09\0\0\0\0\0\0\0\x02");
        expected.extend(b"\0\x01f\0");
        expected.extend(crc32c::crc32c(&expected).to_le_bytes());
        assert_eq!(encode(7, &tasks()).unwrap(), expected);
    }

    #[test]
    fn what_is_written_is_read_and_a_flipped_bit_is_seen() {
        let bytes = encode(3, &tasks()).unwrap();
        let Some(Copy::Intact(content)) = decode(&bytes) else { panic!("not intact") };
        assert!(content == Content { generation: 3, tasks: tasks() });
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(decode(&flipped).is_none(), "byte {at}");
            assert!(decode(&bytes[..at]).is_none(), "{at} bytes");
        }
    }

    #[test]
    fn content_that_makes_no_sense_is_damage_also_when_the_checksum_holds() {
        let bodies = [
            &b"\0\0\0\0\0\0\0\0\x01"[..],
            b"\0\0\0\0\0\0\0\0\0more",
            b"\0\0\0\0\0\0\0\0\x01\x01\xff\0\0",
            b"\0\0\0\0\0\0\0\0\x01\0\0\x01\x07................\0",
            b"\0\0\0\0\0\0\0\0\x01\0\0\x01\0................\x02",
            b"\0\0\0\0\0\0\0\0\x01\0\0\x01\0................\x01\x04abcd",
        ];
        for body in bodies {
            let mut bytes = [MAGIC.as_slice(), body].concat();
            bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
            assert!(decode(&bytes).is_none(), "{body:?}");
        }
    }
}
