//! Questions to PostgreSQL. Plans are run by hissrv's own execution ([`query::execute`]), so that every answer is what the embedded
//! engine would give; PostgreSQL takes over what it does exactly alike and what saves most: conditions on fields ([`condition`]),
//! the first rows of each series, counts, sums and extremes of windows, first and last points ([`uses`], [`scan`]).

mod bins;
mod blocks;
mod condition;
mod latest;
mod pieces;
mod pool;
mod reader;
mod scan;
mod session;
mod sql;
mod store;
mod stream;
mod uses;

use query::execute::{Options, Sink, execute};
use query::plan::{NameOrPattern, Source};
use query::store::{Place, SeriesQuery};
use query::{Cancel, Limits, QueryError, QueryResult, Report, Select};

pub(super) use pool::Pool;

use condition::Condition;
use session::Session;
use store::PostgresQuery;
use uses::Uses;

use super::Postgres;
use crate::Query;

impl Query for Postgres {
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
        let session = self.ask_as(options.cancel, options.limits);
        let server = session.server()?;
        let Prepared { plan, uses, condition } = prepare(&session, plan)?;
        let store = PostgresQuery::new(session, &plan, uses, condition, server);
        let outcome = execute(&plan, &store, options, &mut |table| {
            // What a failed scan left out may be missing from this table.
            if store.has_failed() { Err(QueryError::Enough) } else { sink(table) }
        });
        store.into_failure().map_or(outcome, Err)
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        latest::latest(&self.ask_as(cancel, &Limits::default()), place, &query)
    }
}

impl Postgres {
    fn ask_as(&self, cancel: &Cancel, limits: &Limits) -> Session<'_> {
        Session::new(&self.pool, &self.shared.known, cancel, limits)
    }
}

/// A plan, and what PostgreSQL takes over of it.
struct Prepared {
    plan: Select,
    uses: Uses,
    condition: Condition,
}

/// Conditions are taken over where the plan reads one measurement only, whose types are known then.
fn prepare(session: &Session<'_>, plan: &Select) -> Result<Prepared, QueryError> {
    let mut plan = plan.clone();
    let is_of_measurements = plan.sources.iter().all(|source| matches!(source, Source::Measurement(_)));
    if !is_of_measurements {
        return Ok(Prepared { plan, uses: Uses::everything(), condition: Condition::default() });
    }
    let mut condition = Condition::default();
    let mut is_filtered = plan.filter.is_some();
    if let ([Source::Measurement(only)], Some(_)) = (plan.sources.as_slice(), &plan.filter)
        && let NameOrPattern::Name(name) = &only.name
    {
        let place = Place { database: only.database.clone(), policy: only.policy.clone() };
        let measurement = session.names_of(&place, name)?;
        (condition, plan.filter) = condition::split(plan.filter.take(), &measurement.names);
        is_filtered = plan.filter.as_ref().is_some_and(|filter| condition::reads_field(filter, &measurement.names));
    }
    let uses = Uses::of(&plan, is_filtered);
    Ok(Prepared { plan, uses, condition })
}
