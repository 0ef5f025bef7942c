//! Old data goes by whole files: a partition that ended before the cutoff is removed at once.

use std::sync::PoisonError;

use model::{BucketId, TimestampNs};

use crate::block::{Footer, start_s};
use crate::error::EngineError;
use crate::files::Change;
use crate::state::Shared;

const NS_PER_S: i64 = 1_000_000_000;

/// What a cutoff removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Block files, damaged ones included.
    pub files: usize,
    /// Values in those that were not damaged, counting overwritten ones.
    pub values: u64,
    /// Their length in bytes.
    pub bytes: u64,
}

impl Shared {
    pub(crate) fn drop_before(&self, bucket: BucketId, cutoff: TimestampNs) -> Result<Dropped, EngineError> {
        let _turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        let set = self.read_state().files.clone();
        let is_old = |f: &Footer| f.bucket == bucket && f.partition.end <= cutoff;
        let old: Vec<_> = set.files.iter().filter(|f| is_old(&f.block.footer)).cloned().collect();
        // The end of a damaged file's partition is not known, but its start and how long partitions are.
        let end_s = |start: i64| start.saturating_add(self.config.partition.get() / NS_PER_S + 1);
        let unreadable = set.damaged().filter(|(_, (b, start))| *b == bucket && end_s(*start) <= start_s(cutoff));
        let unreadable: Vec<_> = unreadable.map(|(f, _)| f.clone()).collect();
        if old.is_empty() && unreadable.is_empty() {
            return Ok(Dropped::default());
        }
        let remove = old.iter().map(|f| f.block.number).chain(unreadable.iter().map(|f| f.number)).collect();
        let next = set.commit(Change { remove, ..Change::default() })?;
        self.write_state().adopt(next);
        unreadable.iter().for_each(|f| set.remove_damaged(f));
        Ok(Dropped {
            files: old.len() + unreadable.len(),
            values: old.iter().map(|f| f.block.footer.values).sum(),
            bytes: old.iter().map(|f| f.block.len).sum(),
        })
    }
}
