//! Questions to a server that speaks InfluxQL: InfluxDB 1.x, what is compatible with it, another hissrv.
//!
//! A plan is said in InfluxQL ([`render`]) and the server's answer becomes tables as it comes ([`answer`]). What InfluxQL cannot
//! say is computed here from the points that the server delivers ([`points`]). Not here: HTTP and logins, which are behind [`Ask`].

mod after;
mod answer;
mod calendar;
mod last_point;
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
use query::{QueryError, Report, Select};

pub(crate) use latest::latest;
pub(crate) use schemas::Schemas;

use answer::Budget;
use calendar::Division;
use last_point::last_point;
use points::InfluxPoints;
use render::{NotSayable, Question, Said, Scene};
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
) -> Result<Report, QueryError> {
    let budget = Budget::new(options.limits, options.cancel);
    budget.check()?;
    let shape = shape::of(plan, asker, schemas)?;
    let way = Way { asker, shape: &shape, budget: &budget, into: options.into };
    match way.question(plan) {
        Ok(_) if plan.range.is_empty() => Ok(Report::default()),
        Ok(question) => way.asked(plan, &question, sink).map(Report::from),
        Err(NotSayable(what)) => match way.asked_otherwise(plan, sink)? {
            Some(warnings) => Ok(warnings.into()),
            None => {
                tracing::debug!(what, "the store cannot say a query, its points are fetched");
                crate::remote::run(&InfluxPoints::new(asker, options), plan, options, sink)
            }
        },
    }
}

/// One plan's way to a server and back.
struct Way<'a> {
    asker: &'a dyn Ask,
    shape: &'a Shape,
    budget: &'a Budget<'a>,
    into: bool,
}

impl Way<'_> {
    fn question(&self, plan: &Select) -> Said<Question> {
        render::question(plan, &Scene { into: self.into, kinds: &self.shape.kinds })
    }

    fn asked(&self, plan: &Select, question: &Question, sink: Sink<'_>) -> Result<Vec<String>, QueryError> {
        let mut tables = Tables::new(plan, question.after, self.shape, self.budget, sink)?;
        let warnings = ask(self.asker, question, self.budget, &mut |part| tables.add(part));
        match warnings.and_then(|warnings| tables.finish().map(|()| warnings)) {
            Err(QueryError::Enough) => Ok(Vec::new()),
            outcome => outcome,
        }
    }

    /// Asks several questions that together are as good as the one that cannot be said; `None` when there are none.
    fn asked_otherwise(&self, plan: &Select, sink: Sink<'_>) -> Result<Option<Vec<String>>, QueryError> {
        let can_be_said = self.question(&last_point::whole(plan, plan.range)).is_ok();
        if let Some(count) = last_point::counting(plan).filter(|_| can_be_said) {
            let mut bounded = plan.clone();
            bounded.range.end = last_point(self.asker, plan, self.budget)?.saturating_add(1);
            if bounded.range.is_empty() {
                return Ok(Some(Vec::new()));
            }
            let Ok(mut question) = self.question(&bounded) else { return Ok(None) };
            question.after.trimmed_by = Some(count);
            return self.asked(&bounded, &question, sink).map(Some);
        }
        if calendar::is_divisible(plan) { self.divided(plan, sink) } else { Ok(None) }
    }

    /// Asks window by window, if that can be said.
    fn divided(&self, plan: &Select, sink: Sink<'_>) -> Result<Option<Vec<String>>, QueryError> {
        let mut tables = Tables::new(plan, calendar::after(plan), self.shape, self.budget, sink)?;
        let division = Division { asker: self.asker, plan, budget: self.budget, warnings: BTreeSet::new() };
        let answered = division.run(&mut tables);
        match answered.and_then(|warnings| tables.finish().map(|()| warnings)) {
            Err(QueryError::Enough) => Ok(Some(Vec::new())),
            outcome => outcome,
        }
    }
}

/// Asks a question and reads the answer. Returns warnings.
fn ask(
    asker: &dyn Ask,
    question: &Question,
    budget: &Budget<'_>,
    each: answer::Each<'_>,
) -> Result<Vec<String>, QueryError> {
    budget.check()?;
    let body = asker.ask(&question.database, question.policy.as_deref(), &question.text)?;
    answer::read(body, budget, each)
}
