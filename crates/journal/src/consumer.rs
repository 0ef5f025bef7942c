//! A follower that remembers durably how far the records were taken care of, and which ones further on were before their
//! turn. Nothing after its cursor is deleted.

mod claim;

use std::sync::Arc;
use std::time::Duration;

use model::Seq;

use crate::cursor::{self, Ahead, CursorFile, Progress};
use crate::delivery::{Delivery, GapReason};
use crate::error::{CommitError, ConsumerError, ReadError};
use crate::follower::Follower;
use crate::shared::{Position, Shared};
use claim::{AtEnd, Claim};

/// A named reader with a durable cursor. Dropping it lets somebody else open it.
pub struct Consumer {
    follower: Follower,
    name: String,
    cursor: CursorFile,
}

impl Consumer {
    pub(crate) fn open(shared: &Arc<Shared>, name: &str) -> Result<Self, ConsumerError> {
        let mut claim = Claim::take(shared, name)?;
        let path = cursor::path(&shared.dir, name);
        let cursor = CursorFile::create(&*shared.fs, path.clone(), claim.progress)
            .map_err(ConsumerError::io("create cursor", &path))?;
        claim.at_end = AtEnd::Keep;
        Ok(Self { follower: Follower::new(shared, claim.progress.seq), name: name.to_owned(), cursor })
    }

    pub(crate) fn remove(shared: &Arc<Shared>, name: &str) -> Result<(), ConsumerError> {
        let mut claim = Claim::take(shared, name)?;
        let path = cursor::path(&shared.dir, name);
        if shared.fs.exists(&path) {
            let removed = shared.fs.remove(&path).and_then(|()| shared.fs.sync_dir(&shared.dir));
            removed.map_err(ConsumerError::io("remove cursor", &path))?;
        }
        claim.at_end = AtEnd::Forget;
        Ok(())
    }

    /// The next record in order, from memory when the consumer keeps up, else from the files; waits for it at most
    /// `timeout`. Records done ahead are delivered like the others.
    ///
    /// # Errors
    /// [`ReadError`] when a segment cannot be read. The position is unchanged.
    pub fn next(&mut self, timeout: Duration) -> Result<Delivery, ReadError> {
        let delivery = self.follower.next(timeout)?;
        let damaged = match delivery {
            Delivery::Gap { from, to, reason: GapReason::Corrupt, .. } => to.next().0 - from.0,
            _ => 0,
        };
        self.show(damaged);
        Ok(delivery)
    }

    /// Continues after this position: the store may know better than the cursor. Seeking back before the cursor gives
    /// what is still retained, and a gap for the rest.
    pub fn seek(&mut self, after: Seq) {
        self.follower.seek(after);
        self.show(0);
    }

    /// Moves the cursor, durably; never back. Segments that all consumers have passed are deleted soon after; once the
    /// journal is closed, by this call. A range that was done ahead is forgotten.
    ///
    /// # Errors
    /// [`CommitError`]; the cursor is then where it was.
    pub fn commit(&mut self, seq: Seq) -> Result<(), CommitError> {
        self.commit_ahead(seq, None)
    }

    /// Moves the cursor like [`Consumer::commit`], and with it, in one write and one sync, says which range is done ahead
    /// of it from now on. A range that is empty, or begins before the cursor, is left out. Nothing is written when nothing
    /// changes.
    ///
    /// # Errors
    /// [`CommitError`]; cursor and range are then what they were.
    pub fn commit_ahead(&mut self, seq: Seq, ahead: Option<Ahead>) -> Result<(), CommitError> {
        self.check(seq, ahead)?;
        let before = self.cursor.progress();
        let progress = Progress::new(seq.max(before.seq), ahead);
        if progress == before {
            return Ok(());
        }
        let written = self.cursor.write(progress);
        written.map_err(|source| CommitError::Io { path: self.cursor.path().to_owned(), source })?;
        let shared = self.follower.shared();
        if let Some(position) = shared.lock().consumers.get_mut(&self.name) {
            position.progress = progress;
        }
        if progress.seq > before.seq {
            shared.trim_soon();
        }
        Ok(())
    }

    fn check(&self, seq: Seq, ahead: Option<Ahead>) -> Result<(), CommitError> {
        let read = self.position();
        if seq > read {
            return Err(CommitError::NotRead { seq, read });
        }
        let last = Seq(self.follower.shared().lock().next.0 - 1);
        match ahead {
            Some(ahead) if ahead.to > last => Err(CommitError::NotWritten { to: ahead.to, last }),
            _ => Ok(()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The durable position.
    pub fn committed_seq(&self) -> Seq {
        self.cursor.progress().seq
    }

    /// The range that is durably done ahead of the cursor.
    pub fn ahead(&self) -> Option<Ahead> {
        self.cursor.progress().ahead
    }

    /// The last position delivered or sought.
    pub fn position(&self) -> Seq {
        self.follower.position()
    }

    /// Shows everybody how far it has read, and counts damaged records.
    fn show(&self, damaged: u64) {
        let read = self.position();
        let mut state = self.follower.shared().lock();
        state.counters.corrupt_records += damaged;
        if let Some(position) = state.consumers.get_mut(&self.name) {
            position.read = read;
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if let Some(position) = self.follower.shared().lock().consumers.get_mut(&self.name) {
            *position = Position::at(position.progress);
        }
    }
}
