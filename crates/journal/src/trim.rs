//! Deletes what all consumers have passed. While the journal is open only its committer thread does that; afterwards
//! whoever moves a cursor last, so that a shutdown that closes the journal before it drains it leaves no records behind.
//!
//! IMPORTANT: the order is new segment, header synced, folder synced, then the old segment removed. The name of the last
//! segment tells the next sequence number, so at every moment there must be one.

use std::sync::PoisonError;

use crate::segment::{self, Segment};
use crate::shared::{Phase, Shared};

impl Shared {
    /// Has deleted what all consumers have passed: soon by the committer, or here and now when it has ended.
    pub(crate) fn trim_soon(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Closed {
            drop(state);
            self.trim_closed();
        } else if state.request_trim() {
            self.work.notify_one();
        }
    }

    /// Deletes what all consumers have passed, the last segment included, for which an empty one is begun. Only when the
    /// committer has ended.
    pub(crate) fn trim_closed(&self) {
        let _alone = self.trimming.lock().unwrap_or_else(PoisonError::into_inner);
        let retire = self.lock().can_retire(0);
        if retire {
            self.begin_last();
        }
        self.delete_passed();
    }

    /// Begins the segment that the next start continues. Without it the old one simply stays.
    fn begin_last(&self) {
        let first = self.lock().next;
        match segment::create(&*self.fs, &self.dir, first) {
            Ok(_) => self.lock().segments.start(first),
            Err(e) => {
                let path = segment::path(&self.dir, first);
                tracing::warn!(path = %path.display(), error = %e, "cannot begin an empty journal segment; the passed one stays");
            }
        }
    }

    /// Deletes segments from the oldest on while all consumers have passed them.
    pub(crate) fn delete_passed(&self) {
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
        self.lock().pop_passed()
    }

    /// Deletes the file of a segment that was taken off the list; puts it back when that fails.
    pub(crate) fn delete(&self, segment: Segment) -> bool {
        let path = segment::path(&self.dir, segment.start().seq);
        let Err(e) = self.fs.remove(&path) else { return true };
        tracing::warn!(path = %path.display(), error = %e, "cannot delete a journal segment");
        self.lock().restore_oldest(segment);
        false
    }

    /// NOTE: a deleted segment that comes back after a power cut costs space until it is deleted again, nothing else.
    pub(crate) fn sync_dir(&self) {
        if let Err(e) = self.fs.sync_dir(&self.dir) {
            tracing::warn!(path = %self.dir.display(), error = %e, "cannot sync the journal's folder");
        }
    }
}
