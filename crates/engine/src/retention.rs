//! Old data goes by whole files: a partition that ended before the cutoff is removed at once.

use std::sync::{MutexGuard, PoisonError};

use model::{BucketId, TimestampNs};

use crate::block::{Footer, start_s};
use crate::error::EngineError;
use crate::files::Change;
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

impl Shared {
    pub(crate) fn drop_before(&self, bucket: BucketId, cutoff: TimestampNs) -> Result<Removed, EngineError> {
        let turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        // The end of a damaged file's partition is not known, but its start and how long partitions are.
        let width = self.widths().of(bucket);
        let end_s = |start: i64| start.saturating_add(width.get() / NS_PER_S + 1);
        self.remove_files(&turn, bucket, |f| f.partition.end <= cutoff, |start| end_s(start) <= start_s(cutoff))
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
        self.write_state().adopt(next);
        unreadable.iter().for_each(|f| set.remove_damaged(f));
        Ok(Removed {
            files: old.len() + unreadable.len(),
            values: old.iter().map(|f| f.block.footer.values).sum(),
            bytes: old.iter().map(|f| f.block.len).sum(),
        })
    }
}
