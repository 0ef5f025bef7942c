//! Old values go: a bucket whose policy has a duration loses the partitions that ended before it. What somebody still needs stays
//! until it is not needed any more: raw values without a finished rollup, days that are not in the archive.
//!
//! Queries do not wait for this: they do not see what is older than the policy keeps (`backend::Embedded`).

use std::collections::HashSet;

use catalog::Catalog;
use engine::{Ended, Engine, EngineError, Holding, Removed};
use model::{BucketId, TimestampNs};

/// From this time on values of a bucket must stay, also those that its policy does not keep any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The oldest time that must stay.
    pub from: TimestampNs,
    /// Who needs them, for a person: `not yet rolled up by hourly_avg`.
    pub why: String,
}

impl Hold {
    /// The one that keeps more.
    pub fn earlier(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        a.into_iter().chain(b).min_by_key(|hold| hold.from)
    }
}

/// What is needed to say what is old.
pub struct Retention<'a> {
    /// Knows the policies.
    pub catalog: &'a Catalog,
    /// Has the values.
    pub engine: &'a Engine,
    /// The time that ages are counted from.
    pub now: TimestampNs,
    /// What must stay of a bucket.
    pub holds: &'a dyn Fn(BucketId) -> Option<Hold>,
    /// Nothing is held back.
    pub forced: bool,
}

/// What is to become of the old values of a bucket whose policy has a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The bucket.
    pub bucket: BucketId,
    /// From this time on its policy keeps values.
    pub cutoff: TimestampNs,
    /// What goes: files of partitions that ended before.
    pub goes: Old,
    /// What would go, too, but is held back.
    pub held: Option<Held>,
}

/// Files whose values are old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Old {
    /// Which partitions.
    pub ended: Ended,
    /// What their files hold.
    pub holding: Holding,
}

/// Old files that are held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Since when, and why.
    pub hold: Hold,
    /// The files; at least one.
    pub old: Old,
}

impl Retention<'_> {
    /// What is due of each bucket whose policy has a duration. Reads nothing from the disk and changes nothing.
    pub fn due(&self) -> Vec<Due> {
        self.catalog.cutoffs(self.now).into_iter().map(|(bucket, cutoff)| self.due_of(bucket, cutoff)).collect()
    }

    fn due_of(&self, bucket: BucketId, cutoff: TimestampNs) -> Due {
        let hold = (self.holds)(bucket).filter(|hold| !self.forced && hold.from < cutoff);
        let end = hold.as_ref().map_or(cutoff, |hold| hold.from);
        let old = |ended| Old { ended, holding: self.engine.holding(bucket, ended) };
        let held = hold.map(|hold| Held { hold, old: old(Ended { after: end, by: cutoff }) });
        Due { bucket, cutoff, goes: old(Ended::by(end)), held: held.filter(|held| held.old.holding.files > 0) }
    }

    /// Removes what is due of a bucket.
    ///
    /// # Errors
    /// When that could not be made durable; nothing is removed then.
    pub fn remove(&self, due: &Due) -> Result<Removed, EngineError> {
        match due.goes.holding.files {
            0 => Ok(Removed::default()),
            _ => self.engine.drop_before(due.bucket, due.goes.ended.by),
        }
    }

    /// Number of series that have values in old files. Reads the indexes of the files.
    pub fn series(&self, bucket: BucketId, old: &Old) -> usize {
        let columns = self.engine.columns_ended(bucket, old.ended);
        let names = self.catalog.read();
        let series: HashSet<_> = columns.iter().filter_map(|id| Some(names.column_info(*id)?.series)).collect();
        series.len()
    }
}

/// Removes what is due. To be called every minute or so; cheap when there is nothing to do. Gives what was due of each bucket whose
/// policy has a duration, and what was removed.
pub fn enforce_retention(retention: &Retention<'_>) -> Vec<(Due, Result<Removed, EngineError>)> {
    let remove = |due: Due| {
        let removed = retention.remove(&due);
        (due, removed)
    };
    retention.due().into_iter().map(remove).collect()
}
