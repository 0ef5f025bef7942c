//! The rollups of a node: opened before values are taken in, so that none is missed; worked at by a thread once they can be written.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use catalog::{Catalog, CatalogError, MetaError};
use engine::{Engine, EngineError, Removed, Touched};
use model::{BucketId, TimestampNs};
use pipeline::{Intake, Observer};
use vfs::Fs;

use crate::ledger::{Ledger, LedgerError, LedgerLimits, TaskNumber, TaskSpec};
use crate::pace::Bell;
use crate::settings::Settings;
use crate::stats::{Book, Stats, TaskStats};
use crate::task::{Plan, Tier};
use crate::tiers::{MAX_TASKS, Tiers};
use crate::worker::Worker;

/// Why rollups could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// More than can be kept apart.
    #[error("downsampling: {0} tasks are more than the {MAX_TASKS} that there may be")]
    TooMany(usize),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// New names could not be made durable.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Old names could not be dropped durably.
    #[error(transparent)]
    Meta(#[from] MetaError),
}

/// All rollups of a node.
pub struct Rollups {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

pub(crate) struct Shared {
    pub(crate) tiers: Arc<Tiers>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) settings: Settings,
    pub(crate) books: Vec<Book>,
    pub(crate) bell: Bell,
}

impl Rollups {
    /// Opens, or creates, the ledger in `dir`. Tasks that it does not know are worked at from the first point on.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        plan: Plan,
        catalog: Arc<Catalog>,
        engine: Arc<Engine>,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        if plan.len() > MAX_TASKS {
            return Err(OpenError::TooMany(plan.len()));
        }
        let specs = plan.tiers.iter().map(|tier| TaskSpec {
            name: tier.task.name.clone(),
            fingerprint: tier.fingerprint(&plan.tiers),
            grid: tier.grid.clone(),
        });
        let limits = LedgerLimits { max_memory: settings.max_memory };
        let (ledger, report) = Ledger::open(fs, dir, specs.collect(), limits)?;
        for finding in report.findings {
            tracing::warn!(finding, "the ledger of rollups was damaged; what is doubtful is made anew");
        }
        drop_old_rows(&plan, &report.begun, &catalog, &engine)?;
        let books = plan.tiers.iter().map(|_| Book::default()).collect();
        let tiers = Arc::new(Tiers::new(plan, catalog, ledger));
        tiers.find_buckets(&engine)?;
        let shared = Arc::new(Shared { tiers, engine, settings, books, bell: Bell::default() });
        Ok(Self { shared, thread: Mutex::default() })
    }

    /// Starts making rows, which go through `intake`. Nothing is made until `is_ready`, so that what the journal still holds is there.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        &self,
        intake: Intake,
        clock: fn() -> TimestampNs,
        is_ready: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<()> {
        let tiers = Arc::clone(&self.shared.tiers);
        intake.set_needed(Box::new(move |column| tiers.is_marked(column)));
        let worker = Worker::new(Arc::clone(&self.shared), intake, clock);
        let run = move || worker.run(&is_ready);
        let thread = std::thread::Builder::new().name("rollups".to_owned()).spawn(run)?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// What queries read by.
    pub fn tiers(&self) -> &Tiers {
        &self.shared.tiers
    }

    /// Names of tasks whose database or policies do not exist: nothing is made for them until they do.
    pub fn homeless(&self) -> Vec<String> {
        let tiers = &self.shared.tiers;
        (0..tiers.plan.len())
            .filter(|number| tiers.buckets_of(*number).is_none())
            .map(|number| tiers.name(number))
            .collect()
    }

    /// Ends the thread; what it has under way is done again after the next start.
    pub fn stop(&self) {
        self.shared.bell.ring();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of rollups had panicked");
        }
    }

    /// Removes rows that are older than their policy keeps. Cheap when there is nothing to do.
    pub fn enforce_retention(&self, now: TimestampNs) -> Vec<(BucketId, Result<Removed, EngineError>)> {
        let limited = self.shared.tiers.hidden().into_iter().filter_map(|(bucket, kept)| Some((bucket, kept?)));
        let held = |bucket| self.shared.tiers.held_from(bucket).unwrap_or(TimestampNs::MAX);
        let cutoffs = limited.map(|(bucket, kept)| (bucket, now.saturating_add(-kept).min(held(bucket))));
        let outcomes = cutoffs.map(|(bucket, cutoff)| (bucket, self.shared.engine.drop_before(bucket, cutoff)));
        outcomes.filter(|(_, outcome)| !matches!(outcome, Ok(removed) if removed.files == 0)).collect()
    }

    /// Figures of the moment.
    pub fn stats(&self) -> Stats {
        let marks = self.shared.tiers.ledger.stats();
        let tasks = marks.into_iter().enumerate().map(|(number, marks)| TaskStats {
            name: self.shared.tiers.name(number),
            dirty_windows: marks.windows,
            dirty_pairs: marks.pairs,
            dirty_stretches: marks.ranges,
            oldest: marks.oldest,
            oldest_end: marks.oldest.and_then(|oldest| Some(self.shared.tiers.grid(number)?.containing(oldest).end)),
            totals: self.shared.books.get(number).map(Book::read).unwrap_or_default(),
        });
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        Stats { tasks: tasks.collect(), is_working: thread.as_ref().is_some_and(|thread| !thread.is_finished()) }
    }
}

/// Rows of tasks that are gone, or are not what they were, are of no use; those of the latter are made anew.
fn drop_old_rows(plan: &Plan, begun: &[TaskNumber], catalog: &Catalog, engine: &Engine) -> Result<(), MetaError> {
    let is_kept = |database: &str, hidden: &str| {
        let is_it = |tier: &Tier| tier.task.database == database && catalog::hidden_name(&tier.task.name) == hidden;
        plan.tiers.iter().position(is_it).is_some_and(|number| !begun.contains(&TaskNumber(number)))
    };
    let old: Vec<(String, String)> = {
        let names = catalog.read();
        let hidden = names.buckets().filter(|(_, _, policy)| catalog::is_hidden(policy));
        hidden.filter(|(_, d, p)| !is_kept(d, p)).map(|(_, d, p)| (d.to_owned(), p.to_owned())).collect()
    };
    old.iter().try_for_each(|(database, hidden)| pipeline::drop_policy(catalog, engine, database, hidden))
}

impl Observer for Rollups {
    fn changed(&self, touched: &Touched) {
        self.shared.tiers.note(touched);
    }

    fn lost_track(&self) {
        (0..self.shared.tiers.plan.len())
            .for_each(|number| self.shared.tiers.ledger.mark_everything(TaskNumber(number)));
    }

    fn persist(&self) -> io::Result<()> {
        self.shared.tiers.ledger.persist()
    }
}
