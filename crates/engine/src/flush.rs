//! Writing a full head to block files.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use catalog::Dropped;

use crate::block::{BlockSpec, BlockWriter};
use crate::error::EngineError;
use crate::files::{Change, FileSet, LiveFile};
use crate::head::{Head, HeadColumn, Partition};
use crate::state::Shared;

/// Files that a head was written to, when listing them in the manifest is still to be done.
pub(crate) type Written = Option<Vec<Arc<LiveFile>>>;

impl Shared {
    /// Sets the active head aside when it is older than allowed.
    pub(crate) fn freeze_when_old(&self) {
        let state = self.read_state();
        let old = state.has_unflushed() && state.active_since.elapsed() >= self.config.head_max_age;
        drop(state);
        if old {
            self.freeze();
        }
    }

    /// Writes one file for each partition of the head, then makes them part of the store. After a failure, to be called again
    /// with the same `written`: files that were completed are not written once more.
    pub(crate) fn write_head(&self, head: &Arc<Head>, written: &mut Written) -> Result<(), EngineError> {
        let started = Instant::now();
        let _turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        let set = self.read_state().files.clone();
        let files = match written {
            Some(files) => files.clone(),
            None => {
                let dropped = self.catalog.read().dropped().clone();
                written.insert(write_files(&set, head, &dropped)?).clone()
            }
        };
        let tombstones = head.tombstones.clone();
        let change = Change { add: files, flushed_seq: Some(head.last_seq), tombstones, ..Change::default() };
        let next = set.commit(change)?;
        *written = None;
        let mut state = self.write_state();
        state.files = next;
        state.frozen = None;
        drop(state);
        self.counters.flushes.fetch_add(1, Relaxed);
        self.counters.flush_ns.fetch_add(started.elapsed().as_nanos() as u64, Relaxed);
        Ok(())
    }

    /// Sets the active head aside and waits until it is in files.
    pub(crate) fn flush_and_wait(&self) -> Result<(), EngineError> {
        let wanted = self.read_state().applied;
        let mut flags = self.signals.lock();
        let ended = flags.flushes_ended;
        while self.read_state().files.flushed_seq < wanted {
            if flags.stopping {
                return Err(EngineError::Stopping);
            }
            if let Some(failure) = flags.last_failure.clone().filter(|_| flags.flushes_ended > ended) {
                return Err(EngineError::Stored(failure));
            }
            self.freeze();
            flags = self.signals.wait(flags);
        }
        Ok(())
    }
}

/// Files with the values of the head, synced under durable names. On failure those that were written are removed again.
fn write_files(set: &FileSet, head: &Head, dropped: &Dropped) -> Result<Vec<Arc<LiveFile>>, EngineError> {
    let partitions = head.partitions().iter().filter(|p| !dropped.has_bucket(p.bucket));
    let written = partitions.map(|p| write_partition(set, p, head, dropped)).collect::<Result<Vec<_>, _>>()?;
    set.sync_names()?;
    Ok(written.into_iter().flatten().collect())
}

fn write_partition(
    set: &FileSet,
    partition: &Partition,
    head: &Head,
    dropped: &Dropped,
) -> Result<Option<Arc<LiveFile>>, EngineError> {
    let (path, number) = set.name_next(partition.bucket, partition.range.start);
    let spec = BlockSpec { bucket: partition.bucket, partition: partition.range, last_seq: head.last_seq, level: 0 };
    let write = || -> io::Result<bool> {
        let mut writer = BlockWriter::create(&*set.fs, &path, spec)?;
        let dropped = dropped.columns_of(partition.bucket);
        let is_live = |column: &&HeadColumn| !dropped.is_some_and(|d| d.contains(column.id.0));
        for column in partition.columns_in_order().filter(is_live) {
            column.in_order(|points| writer.points(points))?;
            writer.end_column(column.id, column.kind())?;
        }
        Ok(writer.finish()?.is_some())
    };
    match write().map_err(|e| EngineError::io("write", &path, e))? {
        true => Ok(Some(set.adopt_new(&path, number)?)),
        false => Ok(None),
    }
}
