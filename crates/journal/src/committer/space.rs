//! Disk space: what is deleted when all consumers have passed it, or when there is no room for more.

use std::io;

use model::ByteSize;

use super::Committer;
use crate::config::WhenFull;
use crate::error::AppendError;
use crate::segment::{self, HEADER_LEN, Segment};
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
                    if !self.delete(segment) {
                        return Err(self.full());
                    }
                    self.sync_dir();
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
        let deleted = oldest.is_some_and(|segment| self.delete(segment));
        if deleted {
            self.sync_dir();
        }
        deleted
    }

    pub(super) fn trim(&self) {
        let mut deleted = false;
        while let Some(segment) = self.pop_passed() {
            if !self.delete(segment) {
                break;
            }
            deleted = true;
        }
        if deleted {
            self.sync_dir();
        }
    }

    // The lock must not be held in the loop that uses this.
    fn pop_passed(&self) -> Option<Segment> {
        self.shared.lock().pop_passed()
    }

    /// Deletes the file of a segment that was taken off the list; puts it back when that fails.
    fn delete(&self, segment: Segment) -> bool {
        let path = segment::path(&self.shared.dir, segment.start().seq);
        let Err(e) = self.shared.fs.remove(&path) else { return true };
        tracing::warn!(path = %path.display(), error = %e, "cannot delete a journal segment");
        self.shared.lock().restore_oldest(segment);
        false
    }

    /// NOTE: a deleted segment that comes back after a power cut costs space until it is deleted again, nothing else.
    fn sync_dir(&self) {
        if let Err(e) = self.shared.fs.sync_dir(&self.shared.dir) {
            tracing::warn!(path = %self.shared.dir.display(), error = %e, "cannot sync the journal's folder");
        }
    }
}

/// The disk or the user's share of it is used up.
pub(super) fn is_no_space(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
