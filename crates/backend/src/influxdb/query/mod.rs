//! Questions to a server that speaks InfluxQL: InfluxDB 1.x, what is compatible with it, another hissrv.
//!
//! A plan is said in InfluxQL ([`render`]) and the server's answer becomes tables as it comes ([`answer`]). What InfluxQL cannot
//! say is computed here from the points that the server delivers ([`points`]). Not here: HTTP and logins, which are behind [`Ask`].

mod after;
mod answer;
mod calendar;
mod latest;
mod points;
mod render;
mod schemas;
mod shape;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::Read;

use query::execute::{Options, Sink};
use query::{QueryError, Select};

pub(crate) use latest::latest;
pub(crate) use schemas::Schemas;

use answer::Budget;
use calendar::Division;
use points::InfluxPoints;
use render::{NotSayable, Question, Scene};
use shape::Shape;
use tables::Tables;

/// A server that can be asked in InfluxQL. Several threads ask at once.
pub(crate) trait Ask: Send + Sync {
    /// Asks for the answer to one statement, in JSON, chunked, with times in nanoseconds (`chunked=true&epoch=ns`; `db` and `rp` are
    /// for measurements that name none). Dropping the answer early ends it. Blocks until it begins, and reading it blocks too, both
    /// for no longer than the store's timeout; what goes wrong while reading comes as the error of the reader.
    ///
    /// # Errors
    /// [`QueryError::Store`] when the server cannot be reached or refuses, [`QueryError::Invalid`] with its message when it does not
    /// understand the text.
    fn ask(&self, database: &str, policy: Option<&str>, text: &str) -> Result<Box<dyn Read>, QueryError>;
}

/// Answers a plan as [`query::execute::execute`] would over the same points. `schemas` belongs to the server.
///
/// # Errors
/// Those of `execute`, and the server's.
pub(crate) fn run(
    asker: &dyn Ask,
    schemas: &Schemas,
    plan: &Select,
    options: &Options<'_>,
    sink: Sink<'_>,
) -> Result<Vec<String>, QueryError> {
    let shape = shape::of(plan, asker, schemas)?;
    match render::question(plan, &Scene { into: options.into, kinds: &shape.kinds }) {
        Ok(_) if plan.range.is_empty() => Ok(Vec::new()),
        Ok(question) => asked(asker, plan, &question, &shape, options, sink),
        Err(NotSayable(what)) => {
            if calendar::is_divisible(plan)
                && let Some(warnings) = divided(asker, plan, &shape, options, sink)?
            {
                return Ok(warnings);
            }
            tracing::debug!(what, "the store cannot say a query, its points are fetched");
            crate::remote::run(&InfluxPoints::new(asker, schemas, options), plan, options, sink)
        }
    }
}

/// Asks window by window, if that can be said.
fn divided(
    asker: &dyn Ask,
    plan: &Select,
    shape: &Shape,
    options: &Options<'_>,
    sink: Sink<'_>,
) -> Result<Option<Vec<String>>, QueryError> {
    let budget = Budget::new(options.limits, options.cancel);
    let mut tables = Tables::new(plan, calendar::after(plan), shape, &budget, sink)?;
    let division = Division { asker, plan, budget: &budget, warnings: BTreeSet::new() };
    let answered = division.run(&mut tables);
    match answered.and_then(|warnings| tables.finish().map(|()| warnings)) {
        Err(QueryError::Enough) => Ok(Some(Vec::new())),
        outcome => outcome,
    }
}

fn asked(
    asker: &dyn Ask,
    plan: &Select,
    question: &Question,
    shape: &Shape,
    options: &Options<'_>,
    sink: Sink<'_>,
) -> Result<Vec<String>, QueryError> {
    let budget = Budget::new(options.limits, options.cancel);
    budget.check()?;
    let body = asker.ask(&question.database, question.policy.as_deref(), &question.text)?;
    let mut tables = Tables::new(plan, question.after, shape, &budget, sink)?;
    let warnings = answer::read(body, &budget, &mut |part| tables.add(part));
    match warnings.and_then(|warnings| tables.finish().map(|()| warnings)) {
        Err(QueryError::Enough) => Ok(Vec::new()),
        outcome => outcome,
    }
}
