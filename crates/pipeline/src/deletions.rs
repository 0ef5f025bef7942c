//! Deletions: each is a record of the journal, in its order among what is written. Many share a wait.

use model::{ColumnId, Seq, TimeRange, wire};

use crate::{Intake, IntakeError};

/// Deletions that are waited for together at most; besides there is a bound on their bytes. The store has so long for all of them as for one.
const AT_ONCE: usize = 256;

/// What one of several deletions removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion<'a> {
    /// Of these columns.
    pub columns: &'a [ColumnId],
    /// The values inside this range.
    pub range: TimeRange,
}

/// Of several deletions not all were done.
#[derive(Debug, thiserror::Error)]
#[error("deletion {} of {of}: {source}", .done + 1)]
pub struct Undeleted {
    /// So many of the first are durable. Those behind may be: doing them again does no harm.
    pub done: usize,
    /// How many there were to do.
    pub of: usize,
    /// Why.
    pub source: IntakeError,
}

impl Deletion<'_> {
    fn encode(self) -> Vec<u8> {
        let mut sorted = self.columns.to_vec();
        sorted.sort_unstable();
        wire::encode_delete(&sorted, self.range)
    }
}

impl Intake {
    /// Deletes the values of `columns` inside `range`; returns once that is durable and visible. Later writes are not affected.
    ///
    /// # Errors
    /// When the journal did not take it, or the store did not catch up with the journal.
    pub fn delete(&self, columns: &[ColumnId], range: TimeRange) -> Result<Seq, IntakeError> {
        let seq = self.journal.append_wait(Deletion { columns, range }.encode(), 0)?;
        self.until_visible(seq)?;
        Ok(seq)
    }

    /// Does several deletions in their order, as [`Intake::delete`] does one, but waits once for some hundred of them.
    ///
    /// # Errors
    /// [`Undeleted`]: how many were done, and why not more.
    pub fn delete_all(&self, deletions: &[Deletion<'_>]) -> Result<(), Undeleted> {
        let mut done = 0;
        while let Some(left) = deletions.get(done..).filter(|left| !left.is_empty()) {
            let undeleted = |done, source| Undeleted { done, of: deletions.len(), source };
            let portion = self.portion(left);
            let count = portion.len();
            let last = self.journal.append_all_wait(portion);
            let last = last.map_err(|e| undeleted(done + e.place, e.source.into()))?;
            last.map_or(Ok(()), |seq| self.until_visible(seq)).map_err(|source| undeleted(done, source))?;
            done += count;
        }
        Ok(())
    }

    /// The first deletions as records, so many as go together.
    fn portion(&self, deletions: &[Deletion<'_>]) -> Vec<Vec<u8>> {
        let (mut records, mut bytes) = (Vec::new(), 0);
        for deletion in deletions.iter().take(AT_ONCE) {
            let record = deletion.encode();
            bytes += record.len();
            records.push(record);
            if bytes >= self.record_bytes() {
                break;
            }
        }
        records
    }
}
