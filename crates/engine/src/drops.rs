//! What goes with names that were dropped. They are dropped in the catalog first, which makes their values invisible at once;
//! here the values themselves go: those of a bucket by whole files, those of columns when their files are written or merged.
//! Only what the catalog says was dropped goes. Values of a column whose name was lost stay, since it may be restored.

use std::sync::PoisonError;

use model::BucketId;

use crate::error::EngineError;
use crate::files::LiveFile;
use crate::retention::Removed;
use crate::state::Shared;

impl Shared {
    /// Removes everything of a bucket. Values that are being written to files at this moment are removed by the next merge.
    pub(crate) fn drop_bucket(&self, bucket: BucketId) -> Result<Removed, EngineError> {
        let turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_state().active.remove_bucket(bucket);
        self.remove_files(&turn, bucket, |_| true, |_| true)
    }

    /// Removes files of dropped buckets, which a crash may have left behind.
    pub(crate) fn remove_dropped_buckets(&self) -> Result<(), EngineError> {
        let set = self.read_state().files.clone();
        let live = set.files.iter().map(|f| f.block.footer.bucket);
        let mut buckets: Vec<BucketId> = live.chain(set.damaged().map(|(_, (bucket, _))| bucket)).collect();
        buckets.sort_unstable();
        buckets.dedup();
        let names = self.catalog.read();
        buckets.retain(|bucket| names.dropped().has_bucket(*bucket));
        drop(names);
        buckets.into_iter().try_for_each(|bucket| self.drop_bucket(bucket).map(|_| ()))
    }

    /// True when a file holds columns that were dropped. Its index is read once for each time that some of its bucket were.
    pub(crate) fn holds_dropped(&self, file: &LiveFile) -> bool {
        let names = self.catalog.read();
        let Some(dropped) = names.dropped().columns_of(file.block.footer.bucket) else { return false };
        let mut known = file.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 == dropped.len() {
            return known.1;
        }
        let dropped = dropped.clone();
        drop(names);
        // A file that cannot be read is not merged, either.
        let index = file.block.read_index().unwrap_or_default();
        *known = (dropped.len(), index.columns.iter().any(|c| dropped.contains(c.id.0)));
        known.1
    }
}
