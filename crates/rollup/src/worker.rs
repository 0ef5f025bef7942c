//! Makes rows anew where they are marked, piece by piece, and leaves most of the time to others.

mod extent;
mod piece;
mod stretch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog::CatalogError;
use engine::ScanCache;
use model::{ColumnId, TimestampNs};
use pipeline::{Intake, IntakeError};

use crate::ledger::{TaskNumber, What, Work};
use crate::pace::rest_after;
use crate::rollups::Shared;
use crate::row::EngineSource;
use crate::stats::Book;

/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);
/// Time between two writings of the ledger, where it has changed.
const PERSIST_EVERY: Duration = Duration::from_secs(10);
/// Pieces of work for one tier before the others have their turn.
const PIECES_A_TURN: usize = 64;
/// Rows made at once, about: some 10 MB with all their parts.
const PAIRS: usize = 20_000;

/// Why a piece of work could not be done; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Names(#[from] CatalogError),
    #[error(transparent)]
    Write(#[from] IntakeError),
    #[error("database or retention policies do not exist")]
    NoBuckets,
    #[error("it is being stopped")]
    Stopping,
}

/// The thread's own.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    intake: Intake,
    clock: fn() -> TimestampNs,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, intake: Intake, clock: fn() -> TimestampNs) -> Self {
        Self { shared, intake, clock }
    }

    pub(crate) fn run(self, is_ready: &dyn Fn() -> bool) {
        let mut persisted = Instant::now();
        while !self.shared.bell.sleep(self.shared.settings.idle) {
            if persisted.elapsed() >= PERSIST_EVERY {
                persisted = Instant::now();
                self.persist();
            }
            if !is_ready() {
                continue;
            }
            if let Err(error) = self.shared.tiers.find_buckets(&self.shared.engine) {
                tracing::warn!(%error, "names of rollups could not be made durable; trying again");
                continue;
            }
            for tier in 0..self.shared.tiers.plan.len() {
                if self.work_at(tier) {
                    return self.persist();
                }
            }
        }
        self.persist();
    }

    /// Makes durable what is done, so that it is not done again after a crash. What is marked is durable before the journal forgets it
    /// anyway.
    fn persist(&self) {
        if let Err(error) = self.shared.tiers.ledger.persist() {
            tracing::warn!(%error, "what rollups have to do could not be made durable; trying again");
        }
    }

    /// Does what there is to do for one tier; true when told to end.
    fn work_at(&self, tier: usize) -> bool {
        let delay = i64::try_from(self.shared.settings.delay.as_nanos()).unwrap_or(i64::MAX);
        let ripe = (self.clock)().saturating_add(-delay);
        let ledger = &self.shared.tiers.ledger;
        for _ in 0..PIECES_A_TURN {
            // Databases and policies may come and go while there is work for hours.
            let is_known = self.shared.tiers.find_buckets(&self.shared.engine).is_ok();
            if !is_known || self.shared.tiers.buckets_of(tier).is_none() {
                break;
            }
            let order = self.shared.settings.order;
            let Some(work) = ledger.take(TaskNumber(tier), ripe, order, PAIRS) else { break };
            let started = Instant::now();
            let rest = self.attempt(tier, work, ripe);
            let Some(book) = self.shared.books.get(tier) else { return false };
            book.change(|totals| totals.time += started.elapsed());
            if self.shared.bell.sleep(rest.unwrap_or(rest_after(started.elapsed(), self.shared.settings.share))) {
                return true;
            }
            if rest.is_some() {
                return false;
            }
        }
        false
    }

    /// Does a piece of work and gives it back; a pause where it failed.
    fn attempt(&self, tier: usize, work: Work, ripe: TimestampNs) -> Option<Duration> {
        let ledger = &self.shared.tiers.ledger;
        let mut piece = piece::Piece {
            shared: &self.shared,
            intake: &self.intake,
            tier,
            source: EngineSource { engine: &self.shared.engine, cache: ScanCache::default() },
            now: (self.clock)(),
            emptied: Vec::new(),
        };
        let outcome = match work.what() {
            What::Windows(windows) => piece.windows(windows).map(|()| Vec::new()),
            What::Range(range) => piece.stretch(range, ripe),
        };
        let book = self.shared.books.get(tier)?;
        match outcome {
            Ok(rest) => {
                let emptied = std::mem::take(&mut piece.emptied);
                ledger.done_but(work, rest);
                self.drop_empty_series(emptied);
            }
            Err(Failure::Stopping) => ledger.give_back(work),
            Err(failure) => {
                ledger.give_back(work);
                self.complain(book, tier, &failure.to_string());
                return Some(PAUSE);
            }
        }
        book.change(|totals| totals.complaint = None);
        None
    }

    /// Series that were left without values stay while something that is made of them is to be made anew: a new series of the same key
    /// would be taken for what the old rows are of. Now they may go.
    fn drop_empty_series(&self, mut columns: Vec<ColumnId>) {
        columns.sort_unstable();
        columns.dedup();
        let mut series: Vec<_> = {
            let names = self.shared.tiers.catalog.read();
            columns.iter().filter_map(|column| names.column_info(*column)).map(|info| info.series).collect()
        };
        series.dedup();
        if series.is_empty() {
            return;
        }
        if let Err(error) = self.intake.drop_empty_series(&self.shared.engine, &series) {
            tracing::debug!(%error, "series without values were not dropped");
        }
    }

    /// Logs a failure, once for those with the same reason.
    fn complain(&self, book: &Book, tier: usize, reason: &str) {
        let is_known = book.change(|totals| {
            totals.failures += 1;
            totals.complaint.replace(reason.to_owned()).as_deref() == Some(reason)
        });
        if !is_known {
            let task = self.shared.tiers.name(tier);
            tracing::warn!(task, reason, "rows of a rollup could not be made; trying again");
        }
    }
}
