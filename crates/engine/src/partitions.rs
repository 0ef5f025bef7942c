//! What there is by bucket and time partition: the unit in which files are made, merged and removed.

use std::collections::BTreeMap;

use model::{BucketId, TimeRange};

use crate::state::Shared;

/// Values of one bucket inside one time partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// The bucket.
    pub bucket: BucketId,
    /// Times that may stand in it.
    pub range: TimeRange,
    /// Block files of it; none while all its values are in memory.
    pub files: usize,
    /// Their length in bytes.
    pub file_bytes: u64,
}

/// Every partition that has values, by bucket, then by time.
pub(crate) fn partitions(shared: &Shared) -> Vec<Partition> {
    let state = shared.read_state();
    let mut found = BTreeMap::new();
    let files = state.files.files.iter().map(|f| (f.block.footer.bucket, f.block.footer.partition, Some(f.block.len)));
    let heads = state.frozen.iter().map(|head| &**head).chain([&state.active]);
    let in_memory = heads.flat_map(|head| head.partitions()).map(|p| (p.bucket, p.range, None));
    for (bucket, range, file_bytes) in files.chain(in_memory) {
        let empty = Partition { bucket, range, files: 0, file_bytes: 0 };
        let partition = found.entry((bucket, range.start)).or_insert(empty);
        partition.files += usize::from(file_bytes.is_some());
        partition.file_bytes += file_bytes.unwrap_or(0);
    }
    found.into_values().collect()
}
