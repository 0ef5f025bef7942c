//! Which block files belong to the store, which deletions still wait to be merged in, and up to which journal position all
//! of it is complete. Written whole, twice, at every change: either copy suffices.
//!
//! ```text
//! manifest = "HSMANIF1" | body | crc32c of body:u32le
//! body     = generation:u64le | flushed seq:u64le | next file number:u64le | files:varint | file* | tombstones:varint | tombstone*
//! file     = number:varint | name length:varint | name
//! tombstone = seq:varint | start:i64le | end:i64le | length:varint | roaring bitmap of column ids (portable format)
//! ```

use std::io;
use std::path::{Path, PathBuf};

use model::wire::{Cursor, WireError, put_varint};
use model::{Seq, TimeRange, TimestampNs};
use roaring::RoaringBitmap;
use vfs::{Fs, replace_durably};

const MAGIC: &[u8; 8] = b"HSMANIF1";
const FILES: [&str; 2] = ["manifest.1", "manifest.2"];

/// What the store consists of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) generation: u64,
    /// Every journal record up to here is in the files.
    pub(crate) flushed_seq: Seq,
    pub(crate) next_number: u64,
    pub(crate) files: Vec<FileEntry>,
    pub(crate) tombstones: Vec<Tombstone>,
}

/// A block file by number and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileEntry {
    pub(crate) number: u64,
    pub(crate) name: String,
}

/// A deletion: values of these columns in this range, in files whose newest record is older than `seq`, are gone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tombstone {
    pub(crate) seq: Seq,
    pub(crate) range: TimeRange,
    pub(crate) columns: RoaringBitmap,
}

/// What is stored of a manifest.
pub(crate) struct Loaded {
    /// `None` when there is no copy at all.
    pub(crate) manifest: Option<Manifest>,
    /// True when both copies are intact and equal.
    pub(crate) agree: bool,
    /// One sentence for each damaged or missing copy.
    pub(crate) findings: Vec<String>,
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    /// The file system failed.
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    /// Neither copy is intact.
    #[error("{0}")]
    Damaged(String),
}

impl Manifest {
    /// Reads the newer intact copy, and says what is wrong with the other.
    pub(crate) fn load(fs: &dyn Fs, dir: &Path) -> Result<Loaded, ManifestError> {
        let mut findings = Vec::new();
        let mut best: Option<Self> = None;
        let (mut present, mut intact) = (0, Vec::new());
        for path in FILES.map(|name| dir.join(name)) {
            if !fs.exists(&path) {
                continue;
            }
            present += 1;
            let bytes = fs.read(&path).map_err(|source| ManifestError::Io { path: path.clone(), source })?;
            match Self::decode(&bytes) {
                Ok(found) => intact.push(found),
                Err(what) => findings.push(format!("{}: offset 0: {what}", path.display())),
            }
        }
        let agree = matches!(intact.as_slice(), [a, b] if a == b);
        for found in intact {
            if best.as_ref().is_none_or(|b| b.generation < found.generation) {
                best = Some(found);
            }
        }
        if best.is_none() && present > 0 {
            let advice = "both copies of the manifest are damaged: restore the data directory from a backup";
            return Err(ManifestError::Damaged(format!("{}; {advice}", findings.join("; "))));
        }
        if present == 1 && best.as_ref().is_some_and(|b| b.generation > 0) {
            findings.push(format!("{}: one copy of the manifest is missing", dir.display()));
        }
        Ok(Loaded { manifest: best, agree, findings })
    }

    /// Writes both copies.
    pub(crate) fn save(&self, fs: &dyn Fs, dir: &Path) -> Result<(), ManifestError> {
        let bytes = self.encode().map_err(|source| ManifestError::Io { path: dir.to_owned(), source })?;
        for path in FILES.map(|name| dir.join(name)) {
            replace_durably(fs, &path, &bytes).map_err(|source| ManifestError::Io { path, source })?;
        }
        Ok(())
    }

    fn encode(&self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        for number in [self.generation, self.flushed_seq.0, self.next_number] {
            body.extend_from_slice(&number.to_le_bytes());
        }
        put_varint(&mut body, self.files.len() as u64);
        for file in &self.files {
            put_varint(&mut body, file.number);
            put_varint(&mut body, file.name.len() as u64);
            body.extend_from_slice(file.name.as_bytes());
        }
        put_varint(&mut body, self.tombstones.len() as u64);
        for tombstone in &self.tombstones {
            put_varint(&mut body, tombstone.seq.0);
            body.extend_from_slice(&tombstone.range.start.0.to_le_bytes());
            body.extend_from_slice(&tombstone.range.end.0.to_le_bytes());
            put_varint(&mut body, tombstone.columns.serialized_size() as u64);
            tombstone.columns.serialize_into(&mut body)?;
        }
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&body);
        out.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        Ok(out)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("not a manifest (bad magic)")?;
        let (body, crc) = rest.split_last_chunk::<4>().ok_or("the manifest is too short")?;
        if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
            return Err("the manifest does not match its checksum".to_owned());
        }
        let mut r = Cursor(body);
        let manifest = Self::decode_body(&mut r).map_err(|e| e.to_string())?;
        if r.0.is_empty() { Ok(manifest) } else { Err("the manifest is longer than its content".to_owned()) }
    }

    fn decode_body(r: &mut Cursor<'_>) -> Result<Self, WireError> {
        let mut number = || r.array().map(u64::from_le_bytes);
        let (generation, flushed_seq, next_number) = (number()?, Seq(number()?), number()?);
        let mut manifest = Self { generation, flushed_seq, next_number, ..Self::default() };
        for _ in 0..r.varint()? {
            let number = r.varint()?;
            let len = r.varint()? as usize;
            let name = String::from_utf8(r.take(len)?.to_vec()).map_err(|_| WireError::Malformed("file name"))?;
            manifest.files.push(FileEntry { number, name });
        }
        for _ in 0..r.varint()? {
            let seq = Seq(r.varint()?);
            let start = TimestampNs(i64::from_le_bytes(r.array()?));
            let end = TimestampNs(i64::from_le_bytes(r.array()?));
            let len = r.varint()? as usize;
            let columns = RoaringBitmap::deserialize_from(r.take(len)?).map_err(|_| WireError::Malformed("bitmap"))?;
            manifest.tombstones.push(Tombstone { seq, range: TimeRange::new(start, end), columns });
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_comes_back_and_a_flipped_bit_is_seen() {
        let tombstone = Tombstone { seq: Seq(9), range: TimeRange::ALL, columns: [1, 5, 900].into_iter().collect() };
        let files = vec![FileEntry { number: 7, name: "a.blk".to_owned() }];
        let manifest =
            Manifest { generation: 3, flushed_seq: Seq(8), next_number: 12, files, tombstones: vec![tombstone] };
        let bytes = manifest.encode().unwrap();
        assert_eq!(Manifest::decode(&bytes), Ok(manifest));
        for i in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[i] ^= 0x10;
            assert!(Manifest::decode(&flipped).is_err(), "byte {i}");
        }
    }
}
