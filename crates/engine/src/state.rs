//! What all threads of the engine share, and how records are taken in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use catalog::{Catalog, Names};
use model::wire::{BatchVisitor, decode};
use model::{BucketId, ColumnId, FieldValue, Seq, TimeRange, TimestampNs, WindowNs};

use crate::compact::Unmergeable;
use crate::config::EngineConfig;
use crate::error::{ApplyReport, EngineError};
use crate::files::FileSet;
use crate::head::{Head, Refused};
use crate::scan::{IndexCache, KeptStretches};
use crate::touched::Touched;

/// Longest wait before looking again whether there is work or room.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Shared {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) config: EngineConfig,
    state: RwLock<State>,
    /// Held while the manifest is changed, so that changes follow each other.
    pub(crate) commit: Mutex<()>,
    /// Held while files are merged: by the background thread or by a caller who wants all merged now.
    pub(crate) merging: Mutex<()>,
    pub(crate) unmergeable: Unmergeable,
    pub(crate) signals: Signals,
    pub(crate) indexes: IndexCache,
    pub(crate) stretches: KeptStretches,
    pub(crate) counters: Counters,
    pub(crate) widths: RwLock<Widths>,
}

/// Lengths of time partitions, by bucket.
#[derive(Debug, Clone)]
pub(crate) struct Widths {
    of_all_others: WindowNs,
    special: BTreeMap<BucketId, WindowNs>,
}

impl Widths {
    pub(crate) fn of(&self, bucket: BucketId) -> WindowNs {
        self.special.get(&bucket).copied().unwrap_or(self.of_all_others)
    }

    pub(crate) fn set(&mut self, bucket: BucketId, width: WindowNs) {
        self.special.insert(bucket, width);
    }
}

/// The store at one moment.
pub(crate) struct State {
    /// Taking values in.
    pub(crate) active: Head,
    pub(crate) active_since: Instant,
    /// Full, being written to files.
    pub(crate) frozen: Option<Arc<Head>>,
    pub(crate) files: FileSet,
    pub(crate) applied: Seq,
}

/// Totals since the start.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) flushes: AtomicU64,
    pub(crate) flush_failures: AtomicU64,
    pub(crate) flush_ns: AtomicU64,
    pub(crate) merges: AtomicU64,
    pub(crate) merge_ns: AtomicU64,
    pub(crate) damaged_reads: AtomicU64,
    pub(crate) refused_values: AtomicU64,
    pub(crate) dropped_values: AtomicU64,
}

/// Wakes the threads of the engine, and those who wait for them.
#[derive(Default)]
pub(crate) struct Signals {
    flags: Mutex<Flags>,
    changed: Condvar,
}

#[derive(Default, Clone)]
pub(crate) struct Flags {
    pub(crate) stopping: bool,
    /// Counts flushes that ended, well or not.
    pub(crate) flushes_ended: u64,
    pub(crate) last_failure: Option<String>,
    /// Counts changes that may call for a merge.
    pub(crate) files_changed: u64,
}

impl Signals {
    pub(crate) fn update(&self, f: impl FnOnce(&mut Flags)) {
        f(&mut self.lock());
        self.changed.notify_all();
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Flags> {
        self.flags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change, a second at most.
    pub(crate) fn wait<'a>(&self, guard: MutexGuard<'a, Flags>) -> MutexGuard<'a, Flags> {
        self.changed.wait_timeout(guard, PATIENCE).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Shared {
    pub(crate) fn new(catalog: Arc<Catalog>, config: EngineConfig, files: FileSet) -> Self {
        let indexes = IndexCache::new(config.index_cache);
        let stretches = KeptStretches::new(config.chunk_cache);
        let widths = RwLock::new(Widths { of_all_others: config.partition, special: BTreeMap::new() });
        let state = State {
            active: Head::after(files.flushed_seq),
            active_since: Instant::now(),
            frozen: None,
            applied: files.flushed_seq,
            files,
        };
        Self {
            catalog,
            config,
            state: RwLock::new(state),
            commit: Mutex::default(),
            merging: Mutex::default(),
            unmergeable: Unmergeable::default(),
            signals: Signals::default(),
            indexes,
            stretches,
            counters: Counters::default(),
            widths,
        }
    }

    pub(crate) fn widths(&self) -> RwLockReadGuard<'_, Widths> {
        self.widths.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn apply(
        &self,
        seq: Seq,
        batch: &[u8],
        touched: Option<&mut Touched>,
    ) -> Result<ApplyReport, EngineError> {
        self.wait_for_room()?;
        // IMPORTANT: the names first. Waiting for them with the state locked would make every reader of the state wait, too.
        let names = self.catalog.read();
        let widths = self.widths();
        let mut state = self.write_state();
        if seq <= state.applied {
            return Ok(ApplyReport::default());
        }
        let state = &mut *state;
        let all_flushed = !state.has_unflushed();
        let mut applier = Applier {
            names: &names,
            head: &mut state.active,
            widths: &widths,
            report: ApplyReport::default(),
            deletes: Vec::new(),
            touched,
        };
        let outcome = decode(batch, &mut applier);
        let Applier { report, deletes, touched, .. } = applier;
        for (columns, range) in &deletes {
            state.active.delete(columns, *range);
        }
        if let Some(touched) = touched {
            touched.deleted.extend(deletes);
        }
        if all_flushed {
            state.active_since = Instant::now();
        }
        state.active.last_seq = seq;
        state.applied = seq;
        self.counters.dropped_values.fetch_add(report.dropped, Relaxed);
        self.counters.refused_values.fetch_add(report.unknown_columns + report.wrong_types, Relaxed);
        outcome.map(|()| report).map_err(|source| EngineError::Batch { seq, source })
    }

    /// Freezes a full head; waits while the one before it is still being written.
    fn wait_for_room(&self) -> Result<(), EngineError> {
        let mut flags = self.signals.lock();
        loop {
            if flags.stopping {
                return Err(EngineError::Stopping);
            }
            if !self.is_full() || self.freeze() {
                return Ok(());
            }
            flags = self.signals.wait(flags);
        }
    }

    fn is_full(&self) -> bool {
        self.read_state().active.bytes() as u64 >= self.config.head_max.0
    }

    /// Sets the active head aside for writing. False when one is being written already.
    pub(crate) fn freeze(&self) -> bool {
        let mut state = self.write_state();
        if state.frozen.is_some() {
            return false;
        }
        if state.has_unflushed() {
            state.active.last_seq = state.applied;
            let next = Head::after(state.applied);
            state.frozen = Some(Arc::new(std::mem::replace(&mut state.active, next)));
        }
        drop(state);
        self.signals.changed.notify_all();
        true
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.signals.lock().stopping
    }

    pub(crate) fn stop(&self) {
        self.signals.update(|flags| flags.stopping = true);
    }
}

impl State {
    /// True when something was taken in that no file or manifest has yet.
    pub(crate) fn has_unflushed(&self) -> bool {
        self.applied > self.files.flushed_seq && (self.frozen.as_ref().is_none_or(|f| f.last_seq < self.applied))
    }
}

/// Puts a decoded record into the head.
struct Applier<'a, 't> {
    names: &'a Names,
    head: &'a mut Head,
    widths: &'a Widths,
    report: ApplyReport,
    deletes: Vec<(Vec<ColumnId>, TimeRange)>,
    touched: Option<&'t mut Touched>,
}

impl BatchVisitor for Applier<'_, '_> {
    #[inline]
    fn value(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'_>) {
        match self.head.insert(self.names, self.widths, column, time, value) {
            Ok(()) => {
                self.report.values += 1;
                if let Some(touched) = &mut self.touched {
                    touched.written.push((column, time));
                }
            }
            Err(Refused::UnknownColumn) => self.report.unknown_columns += 1,
            Err(Refused::DroppedColumn) => self.report.dropped += 1,
            Err(Refused::WrongType) => self.report.wrong_types += 1,
        }
    }

    fn delete(&mut self, columns: &[ColumnId], range: TimeRange) {
        self.deletes.push((columns.to_vec(), range));
    }
}
