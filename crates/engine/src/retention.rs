//! Old data goes by whole files: a partition that ended before the cutoff is removed at once.

use std::sync::PoisonError;

use model::{BucketId, TimestampNs};

use crate::error::EngineError;
use crate::files::Change;
use crate::state::Shared;

/// What a cutoff removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Block files.
    pub files: usize,
    /// Values in them, counting overwritten ones.
    pub values: u64,
    /// Their length in bytes.
    pub bytes: u64,
}

impl Shared {
    pub(crate) fn drop_before(&self, bucket: BucketId, cutoff: TimestampNs) -> Result<Dropped, EngineError> {
        let _turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        let set = self.read_state().files.clone();
        let is_old = |f: &crate::block::Footer| f.bucket == bucket && f.partition.end <= cutoff;
        let old: Vec<_> = set.files.iter().filter(|f| is_old(&f.block.footer)).cloned().collect();
        if old.is_empty() {
            return Ok(Dropped::default());
        }
        let remove = old.iter().map(|f| f.block.number).collect();
        let next = set.commit(Change { remove, ..Change::default() })?;
        self.write_state().adopt(next);
        set.unlink(&old);
        Ok(Dropped {
            files: old.len(),
            values: old.iter().map(|f| f.block.footer.values).sum(),
            bytes: old.iter().map(|f| f.block.len).sum(),
        })
    }
}
