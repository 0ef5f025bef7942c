//! The ledger of dirty windows: which windows of which columns each rollup task has to compute anew.
//!
//! Whoever changes values marks the windows they are in, before anybody is told that they are stored; a worker takes marks out,
//! computes, and says done. What is in work counts as dirty until then, and what is touched meanwhile is marked again. After
//! [`Ledger::persist`] a mark survives a power cut until it is done; a "done" that was not persisted comes back as a mark. Past its
//! memory the ledger marks more than was touched, never less.
//!
//! ```text
//! file    = "HSROLLG1" | generation:u64le | tasks:varint | task* | crc32c of all before
//! task    = name:text | fingerprint:text | marks:varint | mark*
//! mark    = 0 window or 1 stretch:u8 | start:i64le | end:i64le | columns
//! columns = 0                                                               all
//!         | 1 | len:varint | roaring bitmap of column ids[len]              these (portable format)
//!         | 2                                                               the same set as that before
//! ```
//! All of it stands in `ledger.1` and in `ledger.2`; the intact one of the higher generation counts.
//! Not here: what windows are computed of, how, and when.

mod columns;
mod content;
mod error;
mod file;
mod marks;
mod memory;
mod ranges;
mod recent;
mod sets;
mod stats;
mod take;
mod work;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{ByteSize, ColumnId, TimeRange, TimestampNs};
use query::execute::Grid;
use roaring::RoaringBitmap;
use vfs::Fs;

pub use columns::Columns;
pub use error::{LedgerError, OpenReport};
pub use file::verify;
pub use stats::TaskStats;
pub use work::{Marked, Order, What, Work};

use content::{Stored, StoredTask};
use file::{Files, failed};
use marks::Marks;
use take::Wanted;

/// A task, by its place among those the ledger was opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskNumber(pub usize);

/// A rollup task as the ledger knows it.
#[derive(Debug)]
pub struct TaskSpec {
    /// Its name; no two tasks have the same.
    pub name: String,
    /// Changes when its windows change, where its values come from, or what is kept of them: then everything is dirty.
    pub fingerprint: String,
    /// Its windows. They should not overlap, as those of a fixed width do on the clocks of a zone that are set back inside of one; where
    /// they do, they are marked together.
    pub grid: Grid,
}

/// Bounds of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerLimits {
    /// Memory for marks, in equal parts for each task. Past it marks become coarser. Default 64 MiB.
    pub max_memory: ByteSize,
}

const DEFAULT_MAX_MEMORY: ByteSize = ByteSize(64 << 20);

impl Default for LedgerLimits {
    fn default() -> Self {
        Self { max_memory: DEFAULT_MAX_MEMORY }
    }
}

/// The dirty windows of all tasks. All methods may be called from any thread; tasks do not wait for each other. A number of a task
/// that does not exist is a fault of the caller: nothing happens then.
pub struct Ledger {
    tasks: Vec<Task>,
    stored: Mutex<StoredState>,
}

struct Task {
    spec: TaskSpec,
    marks: Mutex<Marks>,
}

struct StoredState {
    files: Files,
    /// Of each task, the version of its marks that is stored; `None` when the files must be written whatever it is.
    versions: Option<Vec<u64>>,
}

impl Ledger {
    /// Opens, or creates, the ledger in `dir`. Of tasks that are not in it, by name and fingerprint, everything is dirty; so it is of
    /// all tasks when both files are damaged.
    ///
    /// # Errors
    /// When files cannot be read or written, or are of another version.
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        tasks: Vec<TaskSpec>,
        limits: LedgerLimits,
    ) -> Result<(Self, OpenReport), LedgerError> {
        let (files, loaded) = Files::open(fs, dir)?;
        let mut report = OpenReport { findings: loaded.findings, ..OpenReport::default() };
        let tasks = restore(tasks, loaded.tasks, limits, &mut report);
        let ledger = Self { tasks, stored: Mutex::new(StoredState { files, versions: None }) };
        // IMPORTANT: a task that was forgotten must not be found with its old marks when it comes back: it was told nothing meanwhile.
        if loaded.agree && report.begun.is_empty() && report.forgotten.is_empty() {
            lock(&ledger.stored).versions = Some(ledger.tasks.iter().map(|task| lock(&task.marks).version).collect());
        }
        ledger.persist().map_err(failed("write", dir))?;
        Ok((ledger, report))
    }

    /// Marks the window of each value. For every value that is written: cheapest when values of one window, or of one column, follow
    /// each other. `values` is run through while the task is locked.
    pub fn mark(&self, task: TaskNumber, values: impl Iterator<Item = (ColumnId, TimestampNs)>) {
        self.change(task, |grid, marks| marks.mark(grid, values));
    }

    /// Marks all windows that meet `range`, which may be unbounded, for these columns.
    pub fn mark_range(&self, task: TaskNumber, columns: &RoaringBitmap, range: TimeRange) {
        self.change(task, |grid, marks| marks.add_range(grid, range, columns.clone().into()));
    }

    /// Marks all windows for all columns, also for those that are made before the mark is taken out.
    pub fn mark_everything(&self, task: TaskNumber) {
        self.change(task, |_, marks| marks.add_everything());
    }

    /// Takes out what is to be done next, of what has ended at or before `ripe`: about `max_pairs` (window, column) pairs, or a stretch.
    /// Nothing is handed out that meets something in work. `None`: there is nothing to do now.
    pub fn take(&self, task: TaskNumber, ripe: TimestampNs, order: Order, max_pairs: usize) -> Option<Work> {
        let wanted = Wanted { ripe, order, max_pairs: (max_pairs as u64).max(1) };
        let (number, what) = self.change(task, |grid, marks| marks.take(grid, wanted))??;
        Some(Work { task, number, what })
    }

    /// Forgets the marks of this work; those made since it was taken stay.
    pub fn done(&self, work: Work) {
        self.change(work.task, |_, marks| marks.done(work.number));
    }

    /// Forgets the marks of this work but `remains`, of which all windows that are met are dirty as before.
    pub fn done_but(&self, work: Work, remains: Vec<Marked>) {
        self.change(work.task, |grid, marks| {
            marks.done(work.number);
            remains.into_iter().for_each(|mark| marks.add_range(grid, mark.range, mark.columns));
        });
    }

    /// Takes work back that was not done.
    pub fn give_back(&self, work: Work) {
        self.change(work.task, |_, marks| marks.give_back(work.number, work.what));
    }

    /// Stretches of whole windows that meet `range` and are dirty for `column`: ascending, none touching the next.
    pub fn dirty(&self, task: TaskNumber, column: ColumnId, range: TimeRange) -> Vec<TimeRange> {
        if range.is_empty() {
            return Vec::new();
        }
        self.change(task, |grid, marks| marks.dirty(grid, column, range)).unwrap_or_default()
    }

    /// Start of the oldest dirty window; [`TimestampNs::MIN`] where the marks have no beginning, `None` when nothing is dirty.
    pub fn oldest(&self, task: TaskNumber) -> Option<TimestampNs> {
        self.change(task, |_, marks| marks.oldest())?
    }

    /// Makes the marks durable. Writes nothing when they are as they were the last time. Marks can be made meanwhile.
    ///
    /// # Errors
    /// When writing failed: the marks may or may not be durable. It can be tried again.
    pub fn persist(&self) -> io::Result<()> {
        let mut stored = lock(&self.stored);
        let is_stored = |versions: &Vec<u64>| {
            self.tasks.iter().zip(versions).all(|(task, version)| lock(&task.marks).version == *version)
        };
        if stored.versions.as_ref().is_some_and(is_stored) {
            return Ok(());
        }
        let (tasks, versions): (Vec<_>, Vec<_>) = self.tasks.iter().map(Task::snapshot).unzip();
        stored.versions = None;
        stored.files.save(&tasks)?;
        stored.versions = Some(versions);
        Ok(())
    }

    /// Figures of each task, in their order.
    pub fn stats(&self) -> Vec<TaskStats> {
        self.tasks.iter().map(|task| TaskStats::of(&task.spec.name, &lock(&task.marks))).collect()
    }

    fn change<T>(&self, task: TaskNumber, change: impl FnOnce(&Grid, &mut Marks) -> T) -> Option<T> {
        let task = self.tasks.get(task.0)?;
        Some(change(&task.spec.grid, &mut lock(&task.marks)))
    }
}

impl Task {
    /// What is to be stored, and its version.
    fn snapshot(&self) -> (StoredTask, u64) {
        let marks = lock(&self.marks);
        (StoredTask::of(&self.spec.name, &self.spec.fingerprint, &marks), marks.version)
    }
}

/// Joins each task with what is stored of it, and reports those that have no counterpart.
fn restore(
    specs: Vec<TaskSpec>,
    mut stored: Vec<StoredTask>,
    limits: LedgerLimits,
    report: &mut OpenReport,
) -> Vec<Task> {
    let budget = usize::try_from(limits.max_memory.0).unwrap_or(usize::MAX) / specs.len().max(1);
    let tasks = specs.into_iter().enumerate().map(|(number, spec)| {
        let found = stored.iter().position(|task| task.name == spec.name && task.fingerprint == spec.fingerprint);
        let found = found.map(|at| stored.swap_remove(at));
        if found.is_none() {
            report.begun.push(TaskNumber(number));
        }
        Task { spec, marks: Mutex::new(Marks::restored(budget, found)) }
    });
    let tasks = tasks.collect();
    report.forgotten = stored.into_iter().map(|task| task.name).collect();
    tasks
}

impl Marks {
    /// The marks that were stored; everything when nothing was.
    fn restored(budget: usize, stored: Option<StoredTask>) -> Self {
        let mut marks = Self::new(budget);
        let Some(stored) = stored else {
            marks.add_everything();
            return marks;
        };
        for mark in stored.marks {
            match mark {
                Stored::Window(mark) => marks.mark_window(mark.range, &mark.columns),
                Stored::Stretch(mark) => marks.add_stretch(mark),
            }
        }
        marks.squeeze_when_full();
        marks
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
