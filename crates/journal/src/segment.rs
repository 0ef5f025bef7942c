//! One segment file: its name, its header, and what is kept in memory about it.
//!
//! ```text
//! name   = first seq in 20 digits, ".seg"
//! file   = header | record*
//! header = magic "hisjrnl\n" | version:u32le | first seq:u64le | crc32c:u32le      (crc covers what stands before it)
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Seq;
use vfs::{File, Fs};

/// Bytes of a segment before its first record.
pub(crate) const HEADER_LEN: usize = 24;
/// The format this build reads and writes.
pub(crate) const VERSION: u32 = 1;
/// A mark is set each time this many bytes of records were written: the most a reader has to pass over to get anywhere.
const MARK_EVERY: u64 = 64 << 10;

const MAGIC: &[u8; 8] = b"hisjrnl\n";
const SUFFIX: &str = ".seg";
const DIGITS: usize = 20;
/// Larger names are not ours: no journal gets there, and counting on from them would overflow.
const LAST_FIRST: u64 = u64::MAX / 2;

/// The file of the segment that starts with `first`.
pub(crate) fn path(dir: &Path, first: Seq) -> PathBuf {
    dir.join(format!("{:0DIGITS$}{SUFFIX}", first.0))
}

/// The first sequence number by a file's name; `None` when it is no segment.
pub(crate) fn parse_name(name: &str) -> Option<Seq> {
    let digits = name.strip_suffix(SUFFIX)?;
    let plain = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    let first = plain.then(|| digits.parse().ok())??;
    (1..=LAST_FIRST).contains(&first).then_some(Seq(first))
}

/// What the first bytes of a file say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Valid,
    /// Written by a later hissrv.
    OtherVersion(u32),
    Damaged,
}

fn header(first: Seq) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&first.0.to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
    debug_assert_eq!(out.len(), HEADER_LEN);
    out
}

/// Checks the header of the segment that by its name starts with `first`.
pub(crate) fn check_header(bytes: &[u8], first: Seq) -> Header {
    if bytes.starts_with(&header(first)) {
        return Header::Valid;
    }
    match version_of(bytes) {
        Some(version) if version != VERSION => Header::OtherVersion(version),
        _ => Header::Damaged,
    }
}

/// The version, when the magic and the checksum hold.
fn version_of(bytes: &[u8]) -> Option<u32> {
    let (checked, rest) = bytes.split_at_checked(HEADER_LEN - 4)?;
    let crc = u32::from_le_bytes(*rest.first_chunk()?);
    let version = checked.strip_prefix(MAGIC)?.first_chunk()?;
    (crc32c::crc32c(checked) == crc).then(|| u32::from_le_bytes(*version))
}

/// Creates the file of an empty segment, durably.
pub(crate) fn create(fs: &dyn Fs, dir: &Path, first: Seq) -> io::Result<Arc<dyn File>> {
    let file = fs.create(&path(dir, first))?;
    file.write_at(&header(first), 0)?;
    file.sync()?;
    // Sync the folder too: syncing a file does not persist its name, so a power cut could lose the segment.
    fs.sync_dir(dir)?;
    Ok(file)
}

/// A place in a segment where a record starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) seq: Seq,
    pub(crate) offset: u64,
    /// Points of all retained records before it, counted from the first segment found when the journal was opened.
    pub(crate) points: u64,
}

/// What is known of a segment: where it starts and ends, and marks between.
#[derive(Debug)]
pub(crate) struct Segment {
    marks: Vec<Mark>,
    start: Mark,
    end: Mark,
}

impl Segment {
    /// An empty segment; `points` is the count of all points before it.
    pub(crate) fn new(first: Seq, points: u64) -> Self {
        let start = Mark { seq: first, offset: HEADER_LEN as u64, points };
        Self { marks: vec![start], start, end: start }
    }

    /// Where the first record stands.
    pub(crate) fn start(&self) -> Mark {
        self.start
    }

    /// Where the next record will stand; its offset is the length of the file.
    pub(crate) fn end(&self) -> Mark {
        self.end
    }

    /// True when no record is or was in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.start.seq == self.end.seq
    }

    /// Takes note of a record of `len` bytes at the end.
    pub(crate) fn push(&mut self, points: u32, len: u64) {
        let marked = self.marks.last().map_or(0, |m| m.offset);
        if self.end.offset - marked >= MARK_EVERY {
            self.marks.push(self.end);
        }
        self.end.seq = self.end.seq.next();
        self.end.offset += len;
        self.end.points += u64::from(points);
    }

    /// Takes note of damage at the end, up to `offset`, where the record `seq` or nothing stands.
    pub(crate) fn skip(&mut self, offset: u64, seq: Seq) {
        self.end.offset = offset;
        self.end.seq = seq;
    }

    /// The last mark at or before `seq`, from which a reader finds it.
    pub(crate) fn mark_before(&self, seq: Seq) -> Mark {
        let after = self.marks.partition_point(|m| m.seq <= seq);
        after.checked_sub(1).and_then(|i| self.marks.get(i)).copied().unwrap_or(self.start)
    }

    /// Where `seq` starts: exact at marks and at the end, estimated between them from the number of records.
    pub(crate) fn estimate(&self, seq: Seq) -> Mark {
        let seq = seq.clamp(self.start.seq, self.end.seq);
        let before = self.mark_before(seq);
        let after = self.marks.partition_point(|m| m.seq <= seq);
        let after = self.marks.get(after).copied().unwrap_or(self.end);
        let share = |from: u64, to: u64| from + part(to - from, seq.0 - before.seq.0, after.seq.0 - before.seq.0);
        Mark { seq, offset: share(before.offset, after.offset), points: share(before.points, after.points) }
    }
}

/// `whole * count / of`, and nothing of nothing.
fn part(whole: u64, count: u64, of: u64) -> u64 {
    let part = (u128::from(whole) * u128::from(count)).checked_div(u128::from(of)).unwrap_or(0);
    part as u64 // At most `whole`, since `count` is at most `of`.
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_parsed_as_it_was_made() {
        for seq in [1, 77, LAST_FIRST] {
            let path = path(Path::new("dir"), Seq(seq));
            assert_eq!(parse_name(path.file_name().unwrap().to_str().unwrap()), Some(Seq(seq)));
        }
        let wrong = ["1.seg", "0000000000000000000x.seg", "00000000000000000001", "+0000000000000000001.seg"];
        for name in wrong.into_iter().chain(["00000000000000000000.seg", "18446744073709551615.seg"]) {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_damaged_header_is_told_from_one_of_a_later_version() {
        let valid = header(Seq(9));
        assert_eq!(check_header(&valid, Seq(9)), Header::Valid);
        assert_eq!(check_header(&valid, Seq(8)), Header::Damaged);
        for at in 0..HEADER_LEN {
            let mut damaged = valid.clone();
            damaged[at] ^= 1;
            assert_eq!(check_header(&damaged, Seq(9)), Header::Damaged, "byte {at}");
        }
        let mut later = valid;
        later[8] = 2;
        let crc = crc32c::crc32c(&later[..20]).to_le_bytes();
        later[20..].copy_from_slice(&crc);
        assert_eq!(check_header(&later, Seq(9)), Header::OtherVersion(2));
    }

    #[test]
    fn marks_are_exact_and_estimates_lie_between_them() {
        let mut segment = Segment::new(Seq(10), 5);
        for _ in 0..100 {
            segment.push(2, 10_000);
        }
        let mark = segment.mark_before(Seq(60));
        assert!(mark.seq <= Seq(60) && mark.seq > Seq(50));
        assert_eq!(mark.offset, HEADER_LEN as u64 + (mark.seq.0 - 10) * 10_000);
        assert_eq!(segment.estimate(Seq(60)), Mark { seq: Seq(60), offset: 24 + 500_000, points: 105 });
        assert_eq!(segment.estimate(Seq(500)), segment.end());
        assert_eq!(segment.estimate(Seq(1)), segment.start());
    }
}
