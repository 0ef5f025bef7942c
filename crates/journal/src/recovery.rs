//! Reads a journal's folder when it is opened: which records there are, where the consumers are, what is damaged.
//! Everything is read and checked once. Only the torn tail of the last segment is cut; damage elsewhere is left for
//! the readers to pass over, and reported.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{ByteSize, Seq};
use vfs::{File, Fs};

use crate::cursor::{self, Progress};
use crate::error::OpenError;
use crate::scan::{Item, Scan};
use crate::segment::{self, Header, Segment};
use crate::segments::Segments;
use crate::verify::{Finding, describe};

/// What was found when a journal was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecoveryReport {
    /// Segment files.
    pub segments: usize,
    /// Records that can be read.
    pub records: u64,
    /// Points in them.
    pub points: u64,
    /// Space the segments take.
    pub bytes: ByteSize,
    /// The end that was cut off because its write was never completed.
    pub torn: Option<TornTail>,
    /// Damaged places; their records are skipped.
    pub damage: Vec<Finding>,
    /// Consumers with both slots of the cursor broken; they start at the first retained record.
    pub broken_cursors: Vec<String>,
}

/// A write that a crash interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The segment; it is gone when nothing else was in it.
    pub path: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// How much was cut off.
    pub bytes: ByteSize,
}

/// A journal's folder in memory.
pub(crate) struct Recovered {
    pub(crate) segments: Segments,
    /// The last segment, when records can be appended to it.
    pub(crate) active: Option<Arc<dyn File>>,
    /// Consumers and what their cursors say.
    pub(crate) consumers: BTreeMap<String, Progress>,
    /// Sequence number of the next record to be appended.
    pub(crate) next: Seq,
    pub(crate) report: RecoveryReport,
}

/// First sequence numbers of the segments in `dir`, ascending.
pub(crate) fn segment_starts(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<Seq>> {
    let mut firsts: Vec<Seq> = fs.list(dir)?.iter().filter_map(|name| segment::parse_name(name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Names of the consumers that have a cursor in `dir`.
pub(crate) fn consumer_names(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<String>> {
    Ok(fs.list(dir)?.iter().filter_map(|file| cursor::parse_name(file)).map(str::to_owned).collect())
}

/// Reads everything in `dir`, which is created when missing.
pub(crate) fn recover(fs: &dyn Fs, dir: &Path, floor: Seq) -> Result<Recovered, OpenError> {
    create_dir(fs, dir).map_err(OpenError::io("create journal folder", dir))?;
    let mut recovery = Recovery { fs, dir, segments: Segments::default(), report: RecoveryReport::default() };
    let firsts = segment_starts(fs, dir).map_err(OpenError::io("list journal folder", dir))?;
    let mut last = None;
    for (index, &first) in firsts.iter().enumerate() {
        last = recovery.read_segment(first, firsts.get(index + 1).copied())?;
    }
    let end = recovery.segments.last().map_or(Seq(1), |s| s.end().seq);
    let cursors = recovery.read_cursors()?;
    let highest_cursor = cursors.values().flatten().map(Progress::last).max().unwrap_or(Seq(0));
    let highest_first = firsts.last().copied().unwrap_or(Seq(1));
    let next = end.max(highest_first).max(highest_cursor.next()).max(floor.next());
    // A number that is not the expected one would look like damage, so after a jump a new segment is begun.
    let active = last.filter(|_| next == end);
    let oldest = recovery.segments.oldest().map_or(next, |mark| mark.seq);
    let start = Progress::new(Seq(oldest.0 - 1), None);
    let consumers = cursors.into_iter().map(|(name, progress)| (name, progress.unwrap_or(start))).collect();
    let Recovery { segments, mut report, .. } = recovery;
    report.segments = segments.len();
    report.points = segments.points();
    report.bytes = segments.used();
    Ok(Recovered { segments, active, consumers, next, report })
}

/// A folder that is lost with its name takes everything in it along, so the parent is synced.
fn create_dir(fs: &dyn Fs, dir: &Path) -> io::Result<()> {
    fs.create_dir_all(dir)?;
    dir.parent().map_or(Ok(()), |parent| fs.sync_dir(parent))
}

struct Recovery<'a> {
    fs: &'a dyn Fs,
    dir: &'a Path,
    segments: Segments,
    report: RecoveryReport,
}

impl Recovery<'_> {
    /// Reads one segment. The last one is cut and synced, and its file is returned when it can be appended to.
    fn read_segment(&mut self, first: Seq, following: Option<Seq>) -> Result<Option<Arc<dyn File>>, OpenError> {
        let path = segment::path(self.dir, first);
        let bytes = self.fs.read(&path).map_err(OpenError::io("read segment", &path))?;
        let header = segment::check_header(&bytes, first);
        if let Header::OtherVersion(version) = header {
            return Err(OpenError::Version { path, version, known: segment::VERSION });
        }
        let is_last = following.is_none();
        let mut segment = Segment::new(first, self.segments.points());
        let garbage = self.read_records(&mut segment, &bytes, following, &path);
        if header == Header::Damaged {
            if is_last && segment.is_empty() {
                return self.remove_unfinished(&path, bytes.len()).map(|()| None);
            }
            self.damage(&path, 0, "damaged segment header; the file's name tells its first record".to_owned());
        }
        if !is_last {
            segment.skip(segment.end().offset.max(bytes.len() as u64), segment.end().seq);
        }
        let end = segment.end().offset;
        self.segments.push(segment);
        if is_last { self.settle(&path, end, garbage).map(Some) } else { Ok(None) }
    }

    /// Takes note of all records, and of damage except a torn tail; returns how many bytes of that there are.
    fn read_records(&mut self, segment: &mut Segment, bytes: &[u8], following: Option<Seq>, path: &Path) -> usize {
        let first = segment.start().seq;
        for item in Scan::new(bytes, segment::HEADER_LEN, first, following.unwrap_or(Seq(u64::MAX))) {
            match &item {
                Item::Record { record, .. } => {
                    segment.push(record.points, record.encoded_len() as u64);
                    self.report.records += 1;
                }
                Item::Garbage { bytes } if following.is_none() => return bytes.len(),
                Item::Damage { bytes, skipped } => {
                    segment.skip(bytes.end as u64, skipped.end);
                    self.describe(path, &item);
                }
                Item::Garbage { .. } => self.describe(path, &item),
            }
        }
        0
    }

    /// A segment whose creation was interrupted: nothing in it was ever acknowledged.
    fn remove_unfinished(&mut self, path: &Path, bytes: usize) -> Result<(), OpenError> {
        self.fs.remove(path).map_err(OpenError::io("remove unfinished segment", path))?;
        self.fs.sync_dir(self.dir).map_err(OpenError::io("sync journal folder", self.dir))?;
        self.report.torn = Some(TornTail { path: path.to_owned(), offset: 0, bytes: ByteSize(bytes as u64) });
        Ok(())
    }

    /// Cuts the torn tail and syncs file and folder: the process that wrote them may have died before its own sync, and
    /// what is delivered or appended from now on must not be lost by a power cut any more.
    fn settle(&mut self, path: &Path, end: u64, garbage: usize) -> Result<Arc<dyn File>, OpenError> {
        let file = self.fs.open(path).map_err(OpenError::io("open segment", path))?;
        if garbage > 0 {
            file.set_len(end).map_err(OpenError::io("cut torn tail", path))?;
            self.report.torn = Some(TornTail { path: path.to_owned(), offset: end, bytes: ByteSize(garbage as u64) });
        }
        file.sync().map_err(OpenError::io("sync segment", path))?;
        self.fs.sync_dir(self.dir).map_err(OpenError::io("sync journal folder", self.dir))?;
        Ok(file)
    }

    fn read_cursors(&mut self) -> Result<BTreeMap<String, Option<Progress>>, OpenError> {
        let mut cursors = BTreeMap::new();
        let names = consumer_names(self.fs, self.dir).map_err(OpenError::io("list journal folder", self.dir))?;
        for name in names {
            let path = cursor::path(self.dir, &name);
            let content = self.fs.read(&path).map_err(OpenError::io("read cursor", &path))?;
            let loaded = cursor::load(&content);
            if loaded.progress.is_none() {
                self.report.broken_cursors.push(name.clone());
            }
            cursors.insert(name, loaded.progress);
        }
        Ok(cursors)
    }

    fn describe(&mut self, path: &Path, item: &Item<'_>) {
        let (offset, what) = describe(item, false);
        self.damage(path, offset as u64, what);
    }

    fn damage(&mut self, path: &Path, offset: u64, what: String) {
        self.report.damage.push(Finding { path: path.to_owned(), offset, what });
    }
}
