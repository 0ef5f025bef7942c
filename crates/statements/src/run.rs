//! The statements of a request, one after another.

use std::sync::Arc;
use std::time::Instant;

use backend::StorageBackend;
use catalog::Catalog;
use engine::Engine;
use influxql::ast::Statement;
use model::TimestampNs;
use pipeline::Intake;
use query::compile::Dialect;
use query::store::Store;
use query::{Answer, Limits, Message, Outcome, QueryError, Table};

use crate::continuous::Continuous;
use crate::failure::Failure;
use crate::request::{Request, RequestError};
use crate::running::Running;
use crate::task::Task;
use crate::{change, delete, explain, select, show};

/// What statements are run with.
pub struct Parts {
    /// Names, databases and users.
    pub catalog: Arc<Catalog>,
    /// The values.
    pub engine: Arc<Engine>,
    /// The way in.
    pub intake: Intake,
    /// What EXPLAIN looks at: the embedded store.
    pub store: OpenStore,
    /// Answers SELECT: the embedded store, or one in another process.
    pub backend: Arc<dyn StorageBackend>,
    /// False when the embedded store is switched off and holds no values.
    pub has_values_here: bool,
    /// Bounds of one statement.
    pub limits: Limits,
    /// Threads that one query may use, at least 1.
    pub threads: usize,
    /// Language of queries.
    pub dialect: Dialect,
    /// The time now.
    pub clock: fn() -> TimestampNs,
}

/// Opens the store for one query: what it shows then is that of one moment.
pub type OpenStore = Arc<dyn Fn() -> Box<dyn Store + Send> + Send + Sync>;

/// Runs statements. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct Statements(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) running: Arc<Running>,
    pub(crate) continuous: Continuous,
    pub(crate) started: Instant,
    pub(crate) started_at: TimestampNs,
}

impl Statements {
    /// Joins the parts.
    pub fn new(parts: Parts) -> Self {
        let started_at = (parts.clock)();
        Self(Arc::new(Inner {
            parts,
            running: Arc::default(),
            continuous: Continuous::default(),
            started: Instant::now(),
            started_at,
        }))
    }

    /// Runs the statements of a request until one fails. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`RequestError`]: the text or the parameters cannot be read, and nothing was executed.
    pub fn run(&self, request: &Request<'_>, answer: &mut dyn Answer) -> Result<(), RequestError> {
        for (number, statement) in request.statements()?.iter().enumerate() {
            answer.begin(number);
            let outcome = self.run_one(statement, request, answer);
            let failed = outcome.is_err();
            answer.end(match outcome {
                Ok(messages) => Outcome::Done(messages),
                Err(failure) => Outcome::Failed(failure.to_string()),
            });
            if failed {
                break;
            }
        }
        Ok(())
    }

    fn run_one(
        &self,
        statement: &Statement,
        request: &Request<'_>,
        answer: &mut dyn Answer,
    ) -> Result<Vec<Message>, Failure> {
        request.cancel.check()?;
        let _registered = self.0.running.register(statement.to_string(), request.database, request.cancel);
        let task = Task { parts: &self.0.parts, inner: &self.0, request, now: (self.0.parts.clock)() };
        let mut messages = run_statement(&task, statement, &mut |table| answer.table(table))?;
        if request.modifying_is_deprecated && is_modifying(statement) {
            messages.push(Message::warning(format!(
                "deprecated use of '{statement}' in a read only context, please use a POST request instead"
            )));
        }
        Ok(messages)
    }
}

/// Gives messages for the reader.
fn run_statement(
    task: &Task<'_>,
    statement: &Statement,
    sink: &mut dyn FnMut(Table) -> Result<(), QueryError>,
) -> Result<Vec<Message>, Failure> {
    use Statement as S;
    match statement {
        S::Select(query) => return select::run(task, query, sink),
        S::Explain { analyze, select } => explain::run(task, select, *analyze, sink)?,
        S::Show(show) => show::run(task, show, sink)?,
        S::Delete(removal) => delete::delete(task, removal)?,
        S::DropSeries(removal) => delete::drop_series(task, removal)?,
        S::DropMeasurement { name } => delete::drop_measurement(task, name)?,
        S::DropShard { id } => delete::drop_shard(task, *id)?,
        S::KillQuery { id, .. } => kill(task, *id)?,
        change => change::run(task, change)?,
    }
    Ok(Vec::new())
}

fn kill(task: &Task<'_>, id: u64) -> Result<(), Failure> {
    if task.inner.running.kill(id) {
        return Ok(());
    }
    Err(Failure::message(format!("no such query id: {id}")))
}

pub(crate) fn is_modifying(statement: &Statement) -> bool {
    match statement {
        Statement::Select(query) => query.into.is_some(),
        Statement::Explain { .. } | Statement::Show(_) => false,
        _ => true,
    }
}
