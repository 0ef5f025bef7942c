//! The one way in: batches become durable in the journal, then visible, then the sender is told.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use catalog::{Catalog, CatalogError, MetaError};
use journal::{AppendError, Journal};
use model::{ColumnId, Precision, TimestampNs};

use crate::counters::{Counters, Origin};
use crate::lines::{self, Encoded, LineBody};
use crate::{Applied, PointBatch, Target, Visible};

/// A journal record is ended when it has grown to so many bytes, or to half of what the journal takes: the line or point that
/// ends it may be long.
const RECORD_BYTES: u64 = 4 << 20;

/// Says whether something is still to be made of a column, so that its series stays although it is empty.
pub type Needed = Box<dyn Fn(ColumnId) -> bool + Send + Sync>;

/// Takes values in. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) applied: Arc<Applied>,
    /// Says of which columns something is still to be made.
    pub(crate) needed: Arc<OnceLock<Needed>>,
    /// Held for reading from the lookup of names until the journal has what is written under them.
    pub(crate) gate: Arc<RwLock<()>>,
}

/// A body of line protocol.
#[derive(Debug, Clone, Copy)]
pub struct LineWrite<'a> {
    /// Where it goes.
    pub target: &'a Target,
    /// The body, inflated.
    pub text: &'a [u8],
    /// Unit of its times.
    pub precision: Precision,
    /// The time now: that of lines that have none, cut to the precision, and what a retention policy counts from.
    pub now: TimestampNs,
}

/// What became of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Lines stored.
    pub lines: u64,
    /// Values stored.
    pub values: u64,
    /// The first rejected lines, described.
    pub rejected: Vec<Rejected>,
    /// Lines that could not be read.
    pub malformed: u64,
    /// Lines that contradict a field's type or the range of times, are older than the retention policy keeps, or use the name
    /// `time`.
    pub dropped: u64,
}

/// A line that was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong.
    pub message: String,
    /// True when it could not be read, false when it was read but cannot be stored.
    pub malformed: bool,
}

/// Why nothing (more) of a body was stored.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The journal did not take it.
    #[error(transparent)]
    Journal(#[from] AppendError),
    /// The journal took it and lost it again before the store had it: its disk budget dropped it, or it was damaged.
    #[error("the journal lost the values before the store had them; write them again")]
    Lost,
    /// The journal has it, but the store is so far behind that it is not visible yet.
    #[error("it is durable and will take effect, but the store is behind: it is not visible yet")]
    Behind,
    /// New names could not be made durable.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl IntakeError {
    /// True when the same body may be taken later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Journal(e) => e.is_retryable(),
            Self::Lost => true,
            Self::Behind => false,
            Self::Catalog(e) => matches!(e, CatalogError::Io { .. }),
        }
    }
}

impl Intake {
    /// Joins catalog, journal and the word of what is visible.
    pub fn new(catalog: Arc<Catalog>, journal: Arc<Journal>, applied: Arc<Applied>) -> Self {
        Self { catalog, journal, counters: Arc::default(), applied, needed: Arc::default(), gate: Arc::default() }
    }

    /// Sets who says which empty series are still needed; once.
    pub fn set_needed(&self, needed: Needed) {
        let was_set = self.needed.set(needed).is_err();
        debug_assert!(!was_set, "it is set once");
    }

    /// What became of the values so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Where values go that are meant for a database and a retention policy, which must exist. Where none is named: those of
    /// measurements with a home go there, all others to the database's default policy.
    ///
    /// # Errors
    /// [`MetaError`]: which of the two there is not.
    pub fn target(&self, database: &str, policy: Option<&str>) -> Result<Target, MetaError> {
        Target::find(&self.catalog, database, policy)
    }

    /// While this is held no series is dropped for being empty, so that identifiers looked up can be written under.
    pub fn names_stay(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a body on this thread and hands it to the journal; `done` is called, on another thread, once it is durable and
    /// visible. Lines that are wrong are left out and described.
    pub fn write_lines(&self, write: LineWrite<'_>, done: impl FnOnce(Result<Outcome, IntakeError>) + Send + 'static) {
        let LineWrite { target, text, precision, now } = write;
        let oldest = target.cutoffs(&self.catalog, now);
        let now = TimestampNs(now.0 - now.0.rem_euclid(precision.ns()));
        let body = LineBody { target, text, precision, now, oldest, record_bytes: self.record_bytes() };
        let names_stay = self.names_stay();
        let encoded = match lines::encode(&self.catalog, &body) {
            Ok(encoded) => encoded,
            Err(e) => return done(Err(e.into())),
        };
        let Encoded { mut records, lines, values, rejected, malformed, dropped } = encoded;
        self.counters.of(Origin::Http).book(|c| {
            c.receive(values + malformed + dropped);
            c.reject(malformed + dropped);
        });
        let outcome = Outcome { lines, values, rejected, malformed, dropped };
        let Some((last, last_values)) = records.pop() else { return done(Ok(outcome)) };
        let mut left = values;
        for (record, count) in records {
            if let Err(e) = self.journal.append_wait(record, count) {
                self.counters.of(Origin::Http).book(|c| c.lose(left));
                return done(Err(e.into()));
            }
            self.counters.of(Origin::Http).book(|c| c.journal(u64::from(count)));
            left -= u64::from(count);
        }
        let (applied, counters) = (Arc::clone(&self.applied), Arc::clone(&self.counters));
        self.journal.append(last, last_values, move |appended| match appended {
            Ok(seq) => {
                counters.of(Origin::Http).book(|c| c.journal(left));
                applied.when(seq, move |visible| match visible {
                    Visible::Yes => done(Ok(outcome)),
                    Visible::Lost => done(Err(IntakeError::Lost)),
                });
            }
            Err(e) => {
                counters.of(Origin::Http).book(|c| c.lose(left));
                done(Err(e.into()));
            }
        });
        drop(names_stay);
    }

    /// Length at which a journal record is ended.
    pub(crate) fn record_bytes(&self) -> usize {
        RECORD_BYTES.min(self.journal.payload_max().0 / 2) as usize
    }

    /// A batch for a source to fill.
    pub fn batch(&self, target: impl Into<Target>, origin: Origin) -> PointBatch {
        PointBatch::new(self.clone(), target.into(), origin)
    }
}
