//! Writes one block file, column by column, in ascending order of their identifiers.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{BucketId, ColumnId, FieldType, Seq, TimeRange, TimestampNs, Values};
use vfs::{File, Fs, temporary_name};

use super::index::{IndexBuilder, TimesMeta};
use super::{CHUNK_POINTS, CHUNK_TEXT, Footer, MAGIC, summarize};
use crate::codec::{Effort, encode_times, encode_values, scale};
use crate::points::Points;

/// Bytes collected before they are written.
const BUFFER: usize = 256 * 1024;
/// Columns of times remembered for sharing: a day of one-second data of one series and the next is 43 of them. 4 MiB.
const TIMES_REMEMBERED: usize = 256;
const INDEX_ZSTD_LEVEL: i32 = 3;

/// What a new file is to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockSpec {
    pub(crate) bucket: BucketId,
    pub(crate) partition: TimeRange,
    pub(crate) last_seq: Seq,
    /// 0 for a flush, which is written fast; above for a merge, which is written small.
    pub(crate) level: u32,
}

impl BlockSpec {
    fn effort(&self) -> Effort {
        if self.level == 0 { Effort::Fast } else { Effort::Small }
    }
}

/// A block file under construction. Dropped before `finish`, it removes what was written.
pub(crate) struct BlockWriter<'a> {
    fs: &'a dyn Fs,
    path: PathBuf,
    file: Arc<dyn File>,
    spec: BlockSpec,
    buffer: Vec<u8>,
    written: u64,
    index: IndexBuilder,
    recent_times: RecentTimes,
    /// Points of a chunk that is not full yet.
    pending: Option<Points>,
    chunks_in_column: u32,
    finished: bool,
    min_time: TimestampNs,
    max_time: TimestampNs,
    values: u64,
}

impl<'a> BlockWriter<'a> {
    /// Starts the file that will be called `path`.
    pub(crate) fn create(fs: &'a dyn Fs, path: &Path, spec: BlockSpec) -> io::Result<Self> {
        let temporary = temporary_name(path);
        if fs.exists(&temporary) {
            fs.remove(&temporary)?;
        }
        Ok(Self {
            fs,
            path: path.to_owned(),
            file: fs.create(&temporary)?,
            spec,
            buffer: MAGIC.to_vec(),
            written: 0,
            index: IndexBuilder::default(),
            recent_times: RecentTimes::default(),
            pending: None,
            chunks_in_column: 0,
            finished: false,
            min_time: TimestampNs::MAX,
            max_time: TimestampNs::MIN,
            values: 0,
        })
    }

    /// Adds points to the column that [`BlockWriter::end_column`] ends: ascending by time, without repetition, and after those before.
    pub(crate) fn points(&mut self, points: &Points) -> io::Result<()> {
        let (times, mut from) = (&points.times, 0);
        debug_assert!(times.len() == points.values.len() && times.is_sorted_by(|a, b| a < b));
        while from < times.len() {
            let (filled, text) = self.pending.as_ref().map_or((0, 0), |p| (p.times.len(), p.values.text_len()));
            let to = times.len().min(from + CHUNK_POINTS - filled);
            let to = points.values.end_within(from, to, CHUNK_TEXT.saturating_sub(text));
            self.collect(points, from, to)?;
            from = to;
        }
        Ok(())
    }

    /// Writes a chunk as soon as it is full.
    fn collect(&mut self, points: &Points, from: usize, to: usize) -> io::Result<()> {
        let chunk = match self.pending.take() {
            None if (from, to) == (0, CHUNK_POINTS) && points.times.len() == CHUNK_POINTS => return self.chunk(points),
            None => points.slice(from, to),
            Some(mut pending) => {
                let more = points.slice(from, to);
                pending.times.extend_from_slice(&more.times);
                pending.values.append(&more.values);
                pending
            }
        };
        if chunk.times.len() == CHUNK_POINTS || chunk.values.text_len() >= CHUNK_TEXT {
            return self.chunk(&chunk);
        }
        self.pending = Some(chunk);
        Ok(())
    }

    /// Ends a column. One without points is left out.
    pub(crate) fn end_column(&mut self, id: ColumnId, kind: FieldType) -> io::Result<()> {
        if let Some(rest) = self.pending.take() {
            self.chunk(&rest)?;
        }
        let chunks = std::mem::take(&mut self.chunks_in_column);
        if chunks > 0 {
            self.index.end_column(id, kind, chunks);
        }
        Ok(())
    }

    fn chunk(&mut self, points: &Points) -> io::Result<()> {
        let values = &points.values;
        let times_index = self.times(&points.times)?;
        let scaled = match values {
            Values::Float(v) => scale(v),
            _ => None,
        };
        let start = self.buffer.len();
        encode_values(values, scaled.as_ref(), self.spec.effort(), &mut self.buffer);
        summarize(values, scaled.as_ref(), &mut self.index.summaries);
        let (offset, len, crc) = self.blob_from(start);
        self.index.add_chunk(times_index, offset, len, crc);
        self.values += values.len() as u64;
        self.chunks_in_column += 1;
        self.write_out(BUFFER)
    }

    /// Index of a column of times equal to `times`, written now unless one of the last columns had the same.
    fn times(&mut self, times: &[TimestampNs]) -> io::Result<u32> {
        if let Some(index) = self.recent_times.find(times) {
            return Ok(index);
        }
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
            return Err(io::Error::other("a chunk without points"));
        };
        let start = self.buffer.len();
        encode_times(times, self.spec.effort(), &mut self.buffer);
        let (offset, len, crc) = self.blob_from(start);
        let index = self.index.add_times(&TimesMeta { offset, len, crc, count: times.len() as u32, first, last });
        self.min_time = self.min_time.min(first);
        self.max_time = self.max_time.max(last);
        self.recent_times.remember(index, times);
        Ok(index)
    }

    /// Offset in the file, length and checksum of what was appended to the buffer since `start`.
    fn blob_from(&self, start: usize) -> (u64, u32, u32) {
        let blob = self.buffer.get(start..).unwrap_or_default();
        (self.written + start as u64, blob.len() as u32, crc32c::crc32c(blob))
    }

    fn write_out(&mut self, at_least: usize) -> io::Result<()> {
        if self.buffer.len() < at_least {
            return Ok(());
        }
        self.file.write_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes index and footer, syncs, and gives the file its name, which is durable once the folder is synced. `None`, and no
    /// file, when nothing was added.
    pub(crate) fn finish(mut self) -> io::Result<Option<Footer>> {
        if self.values == 0 {
            return Ok(None);
        }
        let index = std::mem::take(&mut self.index);
        let columns = index.columns_count;
        let raw = index.finish();
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&zstd::bulk::compress(&raw, INDEX_ZSTD_LEVEL)?);
        let (index_offset, index_len, index_crc) = self.blob_from(start);
        let footer = Footer {
            bucket: self.spec.bucket,
            partition: self.spec.partition,
            min_time: self.min_time,
            max_time: self.max_time,
            last_seq: self.spec.last_seq,
            values: self.values,
            level: self.spec.level,
            columns,
            index_crc,
            index_offset,
            index_len,
            index_raw_len: u32::try_from(raw.len()).map_err(|_| io::Error::other("index of more than 4 GiB"))?,
        };
        self.buffer.extend_from_slice(&footer.encode());
        self.write_out(0)?;
        self.file.sync()?;
        self.fs.rename(&temporary_name(&self.path), &self.path)?;
        self.finished = true;
        Ok(Some(footer))
    }
}

impl Drop for BlockWriter<'_> {
    fn drop(&mut self) {
        let temporary = temporary_name(&self.path);
        if !self.finished
            && let Err(e) = self.fs.remove(&temporary)
        {
            tracing::warn!(path = %temporary.display(), error = %e, "an unfinished file could not be removed");
        }
    }
}

/// The last columns of times that were written, found by their ends and number.
#[derive(Default)]
struct RecentTimes {
    known: HashMap<TimesKey, (u32, Vec<TimestampNs>)>,
    /// Oldest first.
    order: VecDeque<TimesKey>,
}

type TimesKey = (Option<TimestampNs>, Option<TimestampNs>, usize);

impl RecentTimes {
    fn find(&self, times: &[TimestampNs]) -> Option<u32> {
        let (index, known) = self.known.get(&Self::key(times))?;
        (known.as_slice() == times).then_some(*index)
    }

    fn remember(&mut self, index: u32, times: &[TimestampNs]) {
        let key = Self::key(times);
        if self.known.insert(key, (index, times.to_vec())).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > TIMES_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn key(times: &[TimestampNs]) -> TimesKey {
        (times.first().copied(), times.last().copied(), times.len())
    }
}

#[cfg(test)]
mod tests {
    use vfs::FaultFs;

    use super::super::BlockFile;
    use super::*;

    /// Writes one column in these pieces; gives the number of points of each chunk and all points read back.
    fn written(pieces: &[Points]) -> (Vec<u32>, Points) {
        let (fs, path, kind) = (FaultFs::new(), Path::new("d/a.blk"), pieces[0].values.field_type());
        fs.create_dir_all(Path::new("d")).unwrap();
        let partition = TimeRange::new(TimestampNs(0), TimestampNs(1_000_000));
        let mut writer =
            BlockWriter::create(&fs, path, BlockSpec { bucket: BucketId(1), partition, last_seq: Seq(1), level: 0 })
                .unwrap();
        pieces.iter().for_each(|piece| writer.points(piece).unwrap());
        writer.end_column(ColumnId(7), kind).unwrap();
        writer.finish().unwrap().unwrap();
        let file = BlockFile::open_alone(&fs, path).unwrap();
        let index = file.read_index().unwrap();
        let chunks: Vec<_> = index.chunks_of(ColumnId(7)).collect();
        let read = chunks.iter().map(|(chunk, times)| Points {
            times: file.read_times(times).unwrap(),
            values: file.read_values(chunk, kind, times.count).unwrap(),
        });
        (chunks.iter().map(|(_, times)| times.count).collect(), Points::merge(read.collect()).unwrap())
    }

    #[test]
    fn chunks_are_full_however_the_points_come() {
        let points =
            Points { times: (0..10_000).map(TimestampNs).collect(), values: Values::Integer((0..10_000).collect()) };
        for size in [1, 100, 2047, 2048, 2049, 5000, 10_000] {
            let pieces: Vec<Points> =
                (0..10_000).step_by(size).map(|from| points.slice(from, (from + size).min(10_000))).collect();
            assert_eq!(written(&pieces), (vec![2048, 2048, 2048, 2048, 1808], points.clone()), "{size}");
        }
    }

    #[test]
    fn chunks_of_long_texts_are_short() {
        let mut values = Values::new(FieldType::String);
        (0..1000).for_each(|n: u32| assert!(values.push(model::FieldValue::String(&n.to_string().repeat(1000)))));
        let points = Points { times: (0..1000).map(TimestampNs).collect(), values };
        for size in [1, 20, 1000] {
            let pieces: Vec<Points> = (0..1000).step_by(size).map(|from| points.slice(from, from + size)).collect();
            let (chunks, read) = written(&pieces);
            assert_eq!(chunks, [212, 175, 175, 175, 175, 88], "{size}");
            assert_eq!(read, points);
        }
    }
}
