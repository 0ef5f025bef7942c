//! Runs continuous queries: each at its times, over the windows that are due, its rows written where INTO says.
//!
//! When a query was run last is kept in memory only, so a query that is seen for the first time (new, or after a start) is not
//! run for windows that ended before; see [`schedule`]. A run that fails is counted, logged where the reason is not that of the
//! run before, and not repeated: the next run is that of the next time. Not here: who calls, about once a second.

mod schedule;
mod within;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use catalog::Meta;
use influxql::ast::{self, Select, Statement};
use model::TimestampNs;
use query::{Cancel, Shortcuts};

use crate::failure::Failure;
use crate::request::Request;
use crate::run::Statements;
use crate::select;
use crate::task::Task;

use schedule::{Due, Schedule};

/// What became of continuous queries since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContinuousCounts {
    /// Runs whose rows were written.
    pub runs: u64,
    /// Runs that failed.
    pub failures: u64,
}

/// What is remembered from round to round.
#[derive(Default)]
pub(crate) struct Continuous {
    queries: Mutex<BTreeMap<Id, Past>>,
    /// Stops the run under way.
    current: Mutex<Cancel>,
    stopped: AtomicBool,
    runs: AtomicU64,
    failures: AtomicU64,
}

/// A continuous query.
#[derive(Debug, Clone, Copy)]
struct Query<'a> {
    database: &'a str,
    name: &'a str,
    text: &'a str,
}

/// Database and name.
type Id = (String, String);

/// What is known of a query.
#[derive(Debug, Clone, Default)]
struct Past {
    /// The time of its last run.
    last_run: Option<TimestampNs>,
    /// Why its last run failed.
    complaint: Option<String>,
}

impl Statements {
    /// Runs the continuous queries that are due, one after another, each within the limits of a statement. Blocks for as long
    /// as that takes.
    pub fn run_due_queries(&self) {
        let meta = self.0.parts.catalog.meta();
        self.0.continuous.forget_all_but(&meta);
        for database in meta.databases() {
            for query in &database.continuous_queries {
                if self.0.continuous.stopped.load(Relaxed) {
                    return;
                }
                self.run_if_due(Query { database: &database.name, name: &query.name, text: &query.text });
            }
        }
    }

    /// Stops the continuous query that is being run; none is run any more.
    pub fn stop_continuous_queries(&self) {
        self.0.continuous.stopped.store(true, Relaxed);
        self.0.continuous.current().cancel();
    }

    /// What became of them so far.
    pub fn continuous_counts(&self) -> ContinuousCounts {
        self.0.continuous.counts()
    }

    fn run_if_due(&self, query: Query<'_>) {
        let state = &self.0.continuous;
        match self.attempt(query) {
            Ok(Attempt::NotDue) => {}
            Ok(Attempt::Done) => {
                state.runs.fetch_add(1, Relaxed);
                state.with_past(query, |past| past.complaint = None);
            }
            Err(_) if state.stopped.load(Relaxed) => {}
            Err(failure) => {
                state.failures.fetch_add(1, Relaxed);
                state.complain(query, failure.to_string());
            }
        }
    }

    fn attempt(&self, query: Query<'_>) -> Result<Attempt, Failure> {
        let cancel = Cancel::new();
        let request = Request {
            text: query.text,
            database: Some(query.database),
            policy: None,
            parameters: None,
            cancel: &cancel,
            modifying_is_deprecated: false,
            shortcuts: Shortcuts::ALL,
            tells_origins: false,
        };
        let now = (self.0.parts.clock)();
        let last = self.0.continuous.with_past(query, |past| past.last_run).filter(|last| *last <= now);
        // NOTE: what `now()` is matters to the offset of windows only. They stay where they were at the last run.
        let task = Task { parts: &self.0.parts, inner: &self.0, request: &request, now: last.unwrap_or(now) };
        let parsed = parse(&request)?;
        let Some(schedule) = Schedule::of(&parsed, &task.context(true))? else { return Ok(Attempt::NotDue) };
        let Some(Due { time, range }) = schedule.due(last, now)? else { return Ok(Attempt::NotDue) };
        self.0.continuous.with_past(query, |past| past.last_run = Some(time));
        let Some(range) = range else { return Ok(Attempt::NotDue) };
        self.execute(&task, &within::within(&parsed.select, range))?;
        Ok(Attempt::Done)
    }

    fn execute(&self, task: &Task<'_>, select: &Select) -> Result<(), Failure> {
        let cancel = task.request.cancel;
        *self.0.continuous.current() = cancel.clone();
        if self.0.continuous.stopped.load(Relaxed) {
            cancel.cancel();
        }
        let _registered = self.0.running.register(select.to_string(), task.request.database, cancel);
        select::run(task, select, &mut |_written| Ok(())).map(|_warnings| ())
    }
}

/// What came of looking at a query.
enum Attempt {
    NotDue,
    Done,
}

impl Continuous {
    pub(crate) fn counts(&self) -> ContinuousCounts {
        ContinuousCounts { runs: self.runs.load(Relaxed), failures: self.failures.load(Relaxed) }
    }

    /// Those that were dropped are new when they come again.
    fn forget_all_but(&self, meta: &Meta) {
        let stands = |(database, name): &Id| {
            let database = meta.database(database);
            database.is_some_and(|database| database.continuous_queries.iter().any(|query| query.name == *name))
        };
        self.queries().retain(|id, _| stands(id));
    }

    fn with_past<T>(&self, query: Query<'_>, change: impl FnOnce(&mut Past) -> T) -> T {
        let id = (query.database.to_owned(), query.name.to_owned());
        change(self.queries().entry(id).or_default())
    }

    /// Logs why a run failed, once for runs that fail in the same way.
    fn complain(&self, query: Query<'_>, reason: String) {
        let is_known = self.with_past(query, |past| past.complaint.replace(reason.clone()) == Some(reason.clone()));
        if !is_known {
            let Query { database, name, .. } = query;
            tracing::warn!(database, name, reason, "a continuous query failed; it is run again at its next time");
        }
    }

    fn queries(&self) -> MutexGuard<'_, BTreeMap<Id, Past>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> MutexGuard<'_, Cancel> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(request: &Request<'_>) -> Result<ast::ContinuousQuery, Failure> {
    let mut statements = request.statements().map_err(|e| Failure::message(e.to_string()))?;
    match statements.pop() {
        Some(Statement::CreateContinuousQuery(query)) => Ok(*query),
        _ => Err(Failure::message("query isn't a valid continuous query")),
    }
}
