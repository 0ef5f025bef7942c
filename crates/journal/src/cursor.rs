//! The durable position of one consumer, in a small file with two slots that are written in turn: a torn write damages
//! the older position only.
//!
//! ```text
//! name = consumer name, ".cursor"
//! file = slot | zeros up to 4096 | slot        (apart, so that one bad sector or page never holds both)
//! ```

mod slot;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Seq, TimestampNs};
use vfs::{File, Fs, replace_durably};

use slot::Slot;

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

/// Records that were taken care of before their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Records after this one...
    pub after: Seq,
    /// ...up to this one are done,
    pub to: Seq,
    /// as far as their values are not older than this.
    pub since: TimestampNs,
}

/// How far a consumer has taken care of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// All up to here.
    pub(crate) seq: Seq,
    /// Some further on: a range that is not empty and does not begin before `seq`.
    pub(crate) ahead: Option<Ahead>,
}

impl Progress {
    /// A range that is empty or begins before `seq` is left out.
    pub(crate) fn new(seq: Seq, ahead: Option<Ahead>) -> Self {
        Self { seq, ahead: ahead.filter(|ahead| seq <= ahead.after && ahead.after < ahead.to) }
    }

    /// The last record of which something is done. Its number must not be given out again.
    pub(crate) fn last(&self) -> Seq {
        self.ahead.map_or(self.seq, |ahead| ahead.to)
    }
}

/// What a cursor file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// That of the newer valid slot; `None` when both are broken.
    pub(crate) progress: Option<Progress>,
    /// Offsets of the broken slots.
    pub(crate) broken: Vec<u64>,
}

/// Reads both slots from the content of a cursor file.
pub(crate) fn load(bytes: &[u8]) -> Loaded {
    let slots = [0, SLOT_APART].map(|offset| (offset as u64, bytes.get(offset..).and_then(Slot::decode)));
    let newest = slots.iter().filter_map(|(_, slot)| *slot).max_by_key(|slot| slot.generation);
    let broken = slots.iter().filter(|(_, slot)| slot.is_none()).map(|(offset, _)| *offset).collect();
    Loaded { progress: newest.map(|slot| slot.progress), broken }
}

/// A cursor file open for writing.
pub(crate) struct CursorFile {
    file: Arc<dyn File>,
    path: PathBuf,
    /// The slot written last.
    slot: Slot,
}

impl CursorFile {
    /// Writes a fresh file that says `progress`, replacing the old one whole, and opens it.
    pub(crate) fn create(fs: &dyn Fs, path: PathBuf, progress: Progress) -> io::Result<Self> {
        let mut content = Slot { generation: 0, progress }.encode();
        content.resize(SLOT_APART, 0);
        let slot = Slot { generation: 1, progress };
        content.extend(slot.encode());
        replace_durably(fs, &path, &content)?;
        Ok(Self { file: fs.open(&path)?, path, slot })
    }

    /// Says `progress` from now on, durably. After an error the same slot is written again by the next call, so the other
    /// one, which holds what is known to be durable, stays untouched.
    pub(crate) fn write(&mut self, progress: Progress) -> io::Result<()> {
        let slot = Slot { generation: self.slot.generation + 1, progress };
        self.file.write_at(&slot.encode(), slot.offset())?;
        self.file.sync()?;
        self.slot = slot;
        Ok(())
    }

    /// What it durably says.
    pub(crate) fn progress(&self) -> Progress {
        self.slot.progress
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vfs::FaultFs;

    /// A position with a range ahead of it that tells them apart.
    fn at(seq: u64) -> Progress {
        let ahead = Ahead { after: Seq(seq + 10), to: Seq(seq + 20), since: TimestampNs(seq.cast_signed()) };
        Progress::new(Seq(seq), Some(ahead))
    }

    fn cursor() -> (FaultFs, PathBuf, CursorFile) {
        let fs = FaultFs::new();
        fs.create_dir_all(Path::new("/j")).unwrap();
        let path = path(Path::new("/j"), "store");
        let cursor = CursorFile::create(&fs, path.clone(), at(5)).unwrap();
        (fs, path, cursor)
    }

    fn progress(fs: &FaultFs, path: &Path) -> Option<Progress> {
        load(&fs.read(path).unwrap()).progress
    }

    #[test]
    fn names_are_made_and_parsed_alike() {
        assert_eq!(parse_name("influx-2_a.cursor"), Some("influx-2_a"));
        for file in [".cursor", "A.cursor", "a.b.cursor", "a.cursor.tmp", "00000000000000000001.seg"] {
            assert_eq!(parse_name(file), None, "{file}");
        }
    }

    #[test]
    fn a_range_that_is_empty_or_begins_before_the_position_is_left_out() {
        let with = |after, to| {
            Progress::new(Seq(5), Some(Ahead { after: Seq(after), to: Seq(to), since: TimestampNs(0) })).ahead.is_some()
        };
        assert!(with(5, 6) && with(7, 9));
        assert!(!with(4, 9) && !with(7, 7) && !with(9, 7));
    }

    #[test]
    fn the_newest_position_and_its_range_are_read_back() {
        let (fs, path, mut cursor) = cursor();
        for progress in [at(6), Progress::new(Seq(7), None), at(7), at(9)] {
            cursor.write(progress).unwrap();
            assert_eq!(load(&fs.read(&path).unwrap()), Loaded { progress: Some(progress), broken: vec![] });
            assert_eq!(cursor.progress(), progress);
        }
    }

    #[test]
    fn a_torn_write_leaves_the_position_before_with_its_range() {
        let (fs, path, mut cursor) = cursor();
        cursor.write(at(6)).unwrap();
        fs.stop_after_operations(1);
        cursor.write(at(7)).unwrap_err();
        assert_eq!(cursor.progress(), at(6));
        for seed in 0..100 {
            let found = progress(&fs.crash(seed), &path);
            assert!(found == Some(at(6)) || found == Some(at(7)), "seed {seed}: {found:?}");
        }
    }

    #[test]
    fn after_a_failed_sync_the_durable_slot_is_not_touched() {
        let (fs, path, mut cursor) = cursor();
        cursor.write(at(6)).unwrap();
        fs.fail_next_sync();
        cursor.write(at(7)).unwrap_err();
        fs.stop_after_operations(1);
        cursor.write(at(8)).unwrap_err();
        for seed in 0..100 {
            let found = progress(&fs.crash(seed), &path);
            assert!([at(6), at(7), at(8)].map(Some).contains(&found), "seed {seed}: {found:?}");
        }
    }

    #[test]
    fn broken_slots_are_named_and_the_other_one_counts() {
        let (fs, path, mut cursor) = cursor();
        cursor.write(at(6)).unwrap();
        let mut content = fs.read(&path).unwrap();
        content[10] ^= 1;
        assert_eq!(load(&content), Loaded { progress: Some(at(5)), broken: vec![0] });
        content[4096 + 10] ^= 1;
        assert_eq!(load(&content), Loaded { progress: None, broken: vec![0, 4096] });
        assert_eq!(load(b""), Loaded { progress: None, broken: vec![0, 4096] });
    }

    #[test]
    fn of_slots_of_both_versions_the_newer_one_counts() {
        let (fs, path, mut cursor) = cursor();
        let mut old = b"hcur".to_vec();
        old.extend(2u64.to_le_bytes());
        old.extend(6u64.to_le_bytes());
        old.extend(crc32c::crc32c(&old).to_le_bytes());
        fs.open(&path).unwrap().write_at(&old, 0).unwrap();
        assert_eq!(progress(&fs, &path), Some(Progress::new(Seq(6), None)));
        cursor.write(at(6)).unwrap();
        cursor.write(at(7)).unwrap();
        assert_eq!(progress(&fs, &path), Some(at(7)));
    }
}
