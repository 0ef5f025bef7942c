//! Old data goes by whole files: a partition that ended before the cutoff is removed at once. What would go can be looked at before.

use std::sync::{Arc, MutexGuard, PoisonError};

use model::{BucketId, ColumnId, TimestampNs};
use roaring::RoaringBitmap;

use crate::block::{Footer, start_s};
use crate::error::EngineError;
use crate::files::Change;
use crate::files::LiveFile;
use crate::state::Shared;

const NS_PER_S: i64 = 1_000_000_000;

/// What was removed by whole files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Block files, damaged ones included.
    pub files: usize,
    /// Values in those that were not damaged, counting overwritten ones.
    pub values: u64,
    /// Their length in bytes.
    pub bytes: u64,
}

/// Time partitions by when they ended: later than `after`, and not later than `by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Those that ended then or before are not meant.
    pub after: TimestampNs,
    /// Those that ended then or before are.
    pub by: TimestampNs,
}

impl Ended {
    /// Every partition that ended at or before `cutoff`.
    pub const fn by(cutoff: TimestampNs) -> Self {
        Self { after: TimestampNs::MIN, by: cutoff }
    }

    fn takes(self, end: TimestampNs) -> bool {
        self.after < end && end <= self.by
    }
}

/// What the block files of some partitions hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// Block files, damaged ones included.
    pub files: usize,
    /// Values in those that are not damaged, counting overwritten ones.
    pub values: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// Times of the first and the last of the values.
    pub times: Option<(TimestampNs, TimestampNs)>,
}

impl Holding {
    fn add(&mut self, file: &LiveFile) {
        let footer = &file.block.footer;
        self.files += 1;
        self.values += footer.values;
        self.bytes += file.block.len;
        let (first, last) = self.times.unwrap_or((footer.min_time, footer.max_time));
        self.times = Some((first.min(footer.min_time), last.max(footer.max_time)));
    }
}

impl Shared {
    pub(crate) fn drop_before(&self, bucket: BucketId, cutoff: TimestampNs) -> Result<Removed, EngineError> {
        let turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = Ended::by(cutoff);
        let is_old_start = self.damaged_ended(bucket, ended);
        self.remove_files(&turn, bucket, |f| ended.takes(f.partition.end), is_old_start)
    }

    /// What files hold whose partitions ended so.
    pub(crate) fn holding(&self, bucket: BucketId, ended: Ended) -> Holding {
        let set = self.read_state().files.clone();
        let mut holding = Holding::default();
        self.files_ended(bucket, ended).iter().for_each(|file| holding.add(file));
        let is_meant = self.damaged_ended(bucket, ended);
        holding.files += set.damaged().filter(|(_, (b, start))| *b == bucket && is_meant(*start)).count();
        holding
    }

    /// The columns that have values in files whose partitions ended so. Files whose index cannot be read are passed over.
    pub(crate) fn columns_ended(&self, bucket: BucketId, ended: Ended) -> Vec<ColumnId> {
        let mut found = RoaringBitmap::new();
        for file in self.files_ended(bucket, ended) {
            if let Ok(index) = self.indexes.get(&file.block) {
                found.extend(index.columns.iter().map(|column| column.id.0));
            }
        }
        found.into_iter().map(ColumnId).collect()
    }

    fn files_ended(&self, bucket: BucketId, ended: Ended) -> Vec<Arc<LiveFile>> {
        let files = Arc::clone(&self.read_state().files.files);
        let is_meant = |f: &Footer| f.bucket == bucket && ended.takes(f.partition.end);
        files.iter().filter(|file| is_meant(&file.block.footer)).cloned().collect()
    }

    /// Tells of the start in seconds of a damaged file's partition whether the partition ended so: its end is not known, but how
    /// long partitions are.
    fn damaged_ended(&self, bucket: BucketId, ended: Ended) -> impl Fn(i64) -> bool + use<> {
        let seconds = self.widths().of(bucket).get() / NS_PER_S + 1;
        let (after, by) = (start_s(ended.after), start_s(ended.by));
        move |start| {
            let end = start.saturating_add(seconds);
            after < end && end <= by
        }
    }

    /// Removes those files of a bucket that `is_old` says yes to, and of the damaged ones those whose partition's start in
    /// seconds `is_old_start` says yes to. Whoever calls has the turn to commit.
    pub(crate) fn remove_files(
        &self,
        _turn: &MutexGuard<'_, ()>,
        bucket: BucketId,
        is_old: impl Fn(&Footer) -> bool,
        is_old_start: impl Fn(i64) -> bool,
    ) -> Result<Removed, EngineError> {
        let set = self.read_state().files.clone();
        let goes = |f: &Footer| f.bucket == bucket && is_old(f);
        let old: Vec<_> = set.files.iter().filter(|f| goes(&f.block.footer)).cloned().collect();
        let unreadable = set.damaged().filter(|(_, (b, start))| *b == bucket && is_old_start(*start));
        let unreadable: Vec<_> = unreadable.map(|(f, _)| f.clone()).collect();
        if old.is_empty() && unreadable.is_empty() {
            return Ok(Removed::default());
        }
        let remove = old.iter().map(|f| f.block.number).chain(unreadable.iter().map(|f| f.number)).collect();
        let next = set.commit(Change { remove, ..Change::default() })?;
        self.write_state().files = next;
        unreadable.iter().for_each(|f| set.remove_damaged(f));
        Ok(Removed {
            files: old.len() + unreadable.len(),
            values: old.iter().map(|f| f.block.footer.values).sum(),
            bytes: old.iter().map(|f| f.block.len).sum(),
        })
    }
}
