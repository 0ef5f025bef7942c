//! What reading the journal gives.

use std::sync::Arc;

use model::Seq;

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A record.
    Record {
        /// Its position.
        seq: Seq,
        /// Points in it, as said when it was appended.
        points: u32,
        /// Its content.
        payload: Arc<[u8]>,
    },
    /// Records that will never be delivered. Reported once per reading.
    Gap {
        /// The first of them.
        from: Seq,
        /// The last of them.
        to: Seq,
        /// Points lost; `None` when that is not known.
        points: Option<u64>,
        /// Why they are gone.
        reason: GapReason,
    },
    /// Nothing came within the timeout.
    Idle,
    /// The journal is closed and everything in it was delivered.
    Closed,
}

/// Why records are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// Deleted before they were read: because the disk space was used up, or, where no cursor of the reader's own held
    /// them back, because all consumers had passed them.
    Dropped,
    /// Damaged on the disk, or lost with a damaged file.
    Corrupt,
}
