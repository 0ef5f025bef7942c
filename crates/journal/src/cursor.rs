//! The durable position of one consumer, in a small file with two slots that are written in turn: a torn write damages
//! the older position only.
//!
//! ```text
//! name = consumer name, ".cursor"
//! file = slot | zeros up to 4096 | slot        (apart, so that one bad sector or page never holds both)
//! slot = magic "hcur" | generation:u64le | seq:u64le | crc32c:u32le      (crc covers what stands before it)
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Seq;
use vfs::{File, Fs, replace_durably};

const MAGIC: &[u8; 4] = b"hcur";
const SLOT_LEN: usize = 24;
/// Distance of the two slots.
const SLOT_APART: usize = 4096;
const SUFFIX: &str = ".cursor";

/// The cursor file of a consumer.
pub(crate) fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}{SUFFIX}"))
}

/// The consumer by a file's name; `None` when it is no cursor.
pub(crate) fn parse_name(file: &str) -> Option<&str> {
    file.strip_suffix(SUFFIX).filter(|name| is_valid_name(name))
}

/// True for one or more of `a-z 0-9 _ -`.
pub(crate) fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    generation: u64,
    seq: Seq,
}

impl Slot {
    fn encode(self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&self.seq.0.to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        debug_assert_eq!(out.len(), SLOT_LEN);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (checked, crc) = bytes.split_at_checked(SLOT_LEN - 4)?;
        let (generation, rest) = checked.strip_prefix(MAGIC)?.split_first_chunk()?;
        let slot =
            Self { generation: u64::from_le_bytes(*generation), seq: Seq(u64::from_le_bytes(*rest.first_chunk()?)) };
        (crc32c::crc32c(checked) == u32::from_le_bytes(*crc.first_chunk()?)).then_some(slot)
    }

    /// Where it belongs in the file.
    fn offset(self) -> u64 {
        (self.generation % 2) * SLOT_APART as u64
    }
}

/// What a cursor file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// The newer valid position; `None` when both slots are broken.
    pub(crate) seq: Option<Seq>,
    /// Offsets of the broken slots.
    pub(crate) broken: Vec<u64>,
}

/// Reads both slots from the content of a cursor file.
pub(crate) fn load(bytes: &[u8]) -> Loaded {
    let slots = [0, SLOT_APART].map(|offset| (offset as u64, bytes.get(offset..).and_then(Slot::decode)));
    let newest = slots.iter().filter_map(|(_, slot)| *slot).max_by_key(|slot| slot.generation);
    let broken = slots.iter().filter(|(_, slot)| slot.is_none()).map(|(offset, _)| *offset).collect();
    Loaded { seq: newest.map(|slot| slot.seq), broken }
}

/// A cursor file open for writing.
pub(crate) struct CursorFile {
    file: Arc<dyn File>,
    path: PathBuf,
    generation: u64,
}

impl CursorFile {
    /// Writes a fresh file that says `seq`, replacing the old one whole, and opens it.
    pub(crate) fn create(fs: &dyn Fs, path: PathBuf, seq: Seq) -> io::Result<Self> {
        let mut content = Slot { generation: 0, seq }.encode();
        content.resize(SLOT_APART, 0);
        content.extend(Slot { generation: 1, seq }.encode());
        replace_durably(fs, &path, &content)?;
        Ok(Self { file: fs.open(&path)?, path, generation: 1 })
    }

    /// Moves the cursor, durably. After an error the same slot is written again by the next call, so the other one,
    /// which holds the last position known to be durable, stays untouched.
    pub(crate) fn write(&mut self, seq: Seq) -> io::Result<()> {
        let slot = Slot { generation: self.generation + 1, seq };
        self.file.write_at(&slot.encode(), slot.offset())?;
        self.file.sync()?;
        self.generation = slot.generation;
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vfs::FaultFs;

    fn cursor() -> (FaultFs, PathBuf, CursorFile) {
        let fs = FaultFs::new();
        fs.create_dir_all(Path::new("/j")).unwrap();
        let path = path(Path::new("/j"), "store");
        let cursor = CursorFile::create(&fs, path.clone(), Seq(5)).unwrap();
        (fs, path, cursor)
    }

    #[test]
    fn names_are_made_and_parsed_alike() {
        assert_eq!(parse_name("influx-2_a.cursor"), Some("influx-2_a"));
        for file in [".cursor", "A.cursor", "a.b.cursor", "a.cursor.tmp", "00000000000000000001.seg"] {
            assert_eq!(parse_name(file), None, "{file}");
        }
    }

    #[test]
    fn the_newest_position_is_read_back() {
        let (fs, path, mut cursor) = cursor();
        for seq in [6, 7, 9] {
            cursor.write(Seq(seq)).unwrap();
            assert_eq!(load(&fs.read(&path).unwrap()), Loaded { seq: Some(Seq(seq)), broken: vec![] });
        }
    }

    #[test]
    fn a_torn_write_leaves_the_position_before() {
        let (fs, path, mut cursor) = cursor();
        cursor.write(Seq(6)).unwrap();
        fs.stop_after_operations(1);
        cursor.write(Seq(7)).unwrap_err();
        for seed in 0..50 {
            let seq = load(&fs.crash(seed).read(&path).unwrap()).seq;
            assert!(seq == Some(Seq(6)) || seq == Some(Seq(7)), "seed {seed}: {seq:?}");
        }
    }

    #[test]
    fn after_a_failed_sync_the_durable_slot_is_not_touched() {
        let (fs, path, mut cursor) = cursor();
        cursor.write(Seq(6)).unwrap();
        fs.fail_next_sync();
        cursor.write(Seq(7)).unwrap_err();
        fs.stop_after_operations(1);
        cursor.write(Seq(8)).unwrap_err();
        for seed in 0..50 {
            assert!(load(&fs.crash(seed).read(&path).unwrap()).seq >= Some(Seq(6)), "seed {seed}");
        }
    }

    #[test]
    fn broken_slots_are_named_and_the_other_one_counts() {
        let (fs, path, mut cursor) = cursor();
        cursor.write(Seq(6)).unwrap();
        let mut content = fs.read(&path).unwrap();
        content[10] ^= 1;
        assert_eq!(load(&content), Loaded { seq: Some(Seq(5)), broken: vec![0] });
        content[4096 + 10] ^= 1;
        assert_eq!(load(&content), Loaded { seq: None, broken: vec![0, 4096] });
        assert_eq!(load(b""), Loaded { seq: None, broken: vec![0, 4096] });
    }
}
