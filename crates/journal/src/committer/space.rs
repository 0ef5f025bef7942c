//! Disk space while the journal is open: room for appends, and the segment in use once all consumers have passed it.

use std::io;

use model::ByteSize;

use super::Committer;
use crate::config::WhenFull;
use crate::error::AppendError;
use crate::segment::HEADER_LEN;
use crate::shared::Room;

impl Committer {
    /// Deletes segments until `bytes` more fit within the disk space.
    pub(super) fn make_room(&mut self, bytes: u64) -> Result<(), AppendError> {
        loop {
            let room = self.shared.lock().room(bytes + HEADER_LEN as u64, &self.shared.config);
            match room {
                Room::Enough => return Ok(()),
                Room::Roll => self.roll()?,
                Room::Delete(segment) => {
                    if !self.shared.delete(segment) {
                        return Err(self.full());
                    }
                    self.shared.sync_dir();
                }
                Room::None(error) => return Err(error),
            }
        }
    }

    /// The disk itself is full, before the journal used what it may.
    pub(super) fn full(&self) -> AppendError {
        let free = self.shared.fs.free_space(&self.shared.dir).unwrap_or(0);
        let mut state = self.shared.lock();
        state.counters.full = true;
        let used = state.segments.used();
        AppendError::Full { used, limit: ByteSize(self.shared.config.max_disk.0.min(used.0.saturating_add(free))) }
    }

    /// Deletes the oldest segment if that is the policy for this error. True when a second attempt makes sense.
    pub(super) fn drops_for(&self, error: &AppendError) -> bool {
        if !error.is_retryable() || self.shared.config.when_full != WhenFull::DropOldest {
            return false;
        }
        let oldest = self.shared.lock().pop_oldest();
        let deleted = oldest.is_some_and(|segment| self.shared.delete(segment));
        if deleted {
            self.shared.sync_dir();
        }
        deleted
    }

    /// Deletes what all consumers have passed, also the segment in use if it is worth it.
    pub(super) fn trim(&mut self) {
        let retire = self.shared.lock().should_retire();
        if retire && let Err(error @ AppendError::Full { .. }) = self.roll() {
            tracing::warn!(%error, "no space to begin another segment; the passed one stays until there is");
        }
        self.shared.delete_passed();
    }
}

/// The disk or the user's share of it is used up.
pub(super) fn is_no_space(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
