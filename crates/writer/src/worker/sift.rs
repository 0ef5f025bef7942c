//! What need not be sent is taken out of a task before its first write: values that are too old, that lost their names, or that
//! the store is known to refuse.

use std::time::Instant;

use model::TimestampNs;

use super::Worker;
use crate::account::Fates;
use crate::batch::{Batch, point};
use crate::task::{Dead, Task};
use crate::values::Item;

impl Worker {
    pub(super) fn sift(&self, task: &mut Task) {
        let oldest = self.oldest_kept(&task.batch);
        let (mut fates, mut resent) = (Fates::default(), 0);
        let mut values = std::mem::take(&mut task.batch.values);
        let names = task.batch.catalog().read();
        values.retain(|item| {
            let is_expired = item.time < oldest;
            let stays = !is_expired && names.column_info(item.column).is_some();
            match (stays, item.again) {
                (true, _) => {}
                (false, true) => resent += 1,
                (false, false) if is_expired => fates.expired += 1,
                (false, false) => fates.filtered += 1,
            }
            stays
        });
        drop(names);
        task.batch.values = values;
        task.fates += fates;
        task.resent += resent;
        self.sift_known_bad(task);
        task.start_over();
    }

    /// The time from which on the values of a batch are kept by their policy.
    fn oldest_kept(&self, batch: &Batch) -> TimestampNs {
        let policy = batch.catalog().policy_of(batch.bucket);
        match policy.map(|p| p.duration_ns).filter(|d| *d > 0) {
            Some(duration_ns) => (self.bench.clock)().saturating_add(-duration_ns),
            None => TimestampNs::MIN,
        }
    }

    /// Values of columns that were refused lately are not tried again for a while.
    fn sift_known_bad(&self, task: &mut Task) {
        let (bad, now) = (self.bench.bad_columns(), Instant::now());
        if bad.is_empty() {
            return;
        }
        self.remove_dead(task, |item| bad.reason(item.column, item.time, now).map(ToOwned::to_owned));
    }

    /// Makes those values dead for which there is a reason. One without names stays.
    pub(super) fn remove_dead(&self, task: &mut Task, mut reason: impl FnMut(&Item<'_>) -> Option<String>) {
        let mut values = std::mem::take(&mut task.batch.values);
        let mut found = Vec::new();
        values.retain(|item| {
            let dead = reason(&item).and_then(|reason| self.dead(&task.batch, item, reason));
            let stays = dead.is_none();
            found.extend(dead);
            stays
        });
        task.batch.values = values;
        task.dead.append(&mut found);
    }

    /// The value as a dead letter; `None` when its names were dropped.
    pub(super) fn dead(&self, batch: &Batch, item: Item<'_>, reason: String) -> Option<Dead> {
        let names = batch.catalog().read();
        let point = point(&names, item)?;
        let letter = self.letter(batch, point, reason);
        Some(Dead { letter, again: item.again })
    }
}
