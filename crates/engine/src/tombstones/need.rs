//! Which deletions files still need. At a change of the set of files only what their footers tell is looked at; what only their
//! indexes tell, the merging thread finds out once for each file and its new deletions, and the file remembers it.

use std::sync::{Arc, PoisonError};

use model::{Seq, TimestampNs};

use super::ranges::DeletedRange;
use crate::files::LiveFile;
use crate::state::Shared;

/// What a file has to do with deletions newer than itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Concern {
    /// Deletions up to here are about nothing inside.
    none_up_to: Seq,
    /// One after that is, and waits for the file to be merged.
    is_awaited: bool,
}

impl LiveFile {
    fn concern(&self) -> Concern {
        let known = *self.concern.lock().unwrap_or_else(PoisonError::into_inner);
        Concern { none_up_to: known.none_up_to.max(self.block.footer.last_seq), ..known }
    }
}

impl Shared {
    /// Has every file know what it has to do with new deletions, so that the next change forgets those that no file needs.
    pub(crate) fn look_for_deletions(&self) {
        let files = Arc::clone(&self.read_state().files.files);
        for file in files.iter() {
            self.awaits_deletion(file);
        }
    }

    /// True when values of a file were deleted since it was written. Its index is read once for each time that some may have been.
    pub(crate) fn awaits_deletion(&self, file: &LiveFile) -> bool {
        let tombstones = Arc::clone(&self.read_state().files.tombstones);
        let known = file.concern();
        if known.is_awaited || tombstones.newest() <= known.none_up_to {
            return known.is_awaited;
        }
        let footer = &file.block.footer;
        // An index that cannot be read may tell of anything.
        let is_awaited = tombstones.meet(footer.min_time, footer.max_time, known.none_up_to)
            && file.block.read_index().map_or(true, |index| tombstones.meet_chunks(&index, known.none_up_to));
        let none_up_to = if is_awaited { known.none_up_to } else { tombstones.newest() };
        *file.concern.lock().unwrap_or_else(PoisonError::into_inner) = Concern { none_up_to, is_awaited };
        is_awaited
    }
}

/// Where files may hold values that deletions are about.
pub(crate) struct Need(Vec<Holder>);

struct Holder {
    first: TimestampNs,
    last: TimestampNs,
    none_up_to: Seq,
}

impl Need {
    pub(crate) fn of(files: &[Arc<LiveFile>]) -> Self {
        let holder = |file: &Arc<LiveFile>| Holder {
            first: file.block.footer.min_time,
            last: file.block.footer.max_time,
            none_up_to: file.concern().none_up_to,
        };
        let mut holders: Vec<Holder> = files.iter().map(holder).collect();
        holders.sort_by_key(|holder| holder.first);
        Self(holders)
    }

    /// True when some file may hold values that a deletion is about. The last of those that begin in time is asked first, since
    /// that is mostly the one.
    pub(crate) fn has(&self, deleted: &DeletedRange) -> bool {
        let begun = self.0.partition_point(|holder| holder.first < deleted.range.end);
        let mut begun = self.0.iter().take(begun).rev();
        begun.any(|h| h.none_up_to < deleted.seq && deleted.range.start <= h.last)
    }
}
