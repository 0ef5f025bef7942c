//! What a run that had to give up jobs leaves to the next run of the same task, beside its results: what these results are of.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Job;

/// What the results in Redis are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Left {
    /// The task.
    pub(crate) task: String,
    /// The files, as of the start of the run.
    pub(crate) stamps: Stamps,
}

/// When files were changed last: seconds and nanoseconds of the file system's own time of change. That of a modification may be older in a file that
/// took the place of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamps(BTreeMap<PathBuf, (i64, i64)>);

impl Stamps {
    /// Those of the files of jobs; a file that cannot be looked at has none.
    pub(crate) fn of(jobs: &[Job]) -> Self {
        let mut stamps = BTreeMap::new();
        for path in jobs.iter().map(|job| &job.input.path) {
            if !stamps.contains_key(path)
                && let Ok(about) = std::fs::metadata(path)
            {
                stamps.insert(path.clone(), (about.ctime(), about.ctime_nsec()));
            }
        }
        Self(stamps)
    }

    /// Whether a file has not been changed between these and others.
    pub(crate) fn are_same(&self, others: &Self, path: &Path) -> bool {
        self.0.get(path).is_some_and(|stamp| others.0.get(path) == Some(stamp))
    }
}
