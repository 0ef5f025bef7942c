//! Runs plans over a [`ColumnSource`]: scans columns piece by piece, joins or aggregates, within limits.
//!
//! A plan that meets a limit ends in [`QueryError::TooMuch`]; only the number of rows of stored points cuts the answer short
//! instead, which `partial` then says. Not here: which store is asked, caches.

mod aggregates;
mod fill;
mod group;
mod limits;
mod scanner;
mod series;
mod windows;

use crate::aggregate::Registry;
use crate::{ColumnSource, Plan, QueryError, QueryResult};

pub use limits::{Cancel, Limits};
pub(crate) use windows::find_zone;

/// Answers `plan` from `source` with the standard aggregate functions. Blocks for as long as the scan takes, at most
/// `limits.timeout`; belongs on a thread for queries.
///
/// # Errors
/// [`QueryError`]: the plan makes no sense, a limit was met, `cancel` was set, or the store failed.
pub fn run(
    plan: &Plan,
    source: &dyn ColumnSource,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<QueryResult, QueryError> {
    run_with(Registry::shared(), plan, source, limits, cancel)
}

/// Like [`run`], with the aggregate functions of `registry`.
///
/// # Errors
/// As for [`run`].
pub fn run_with(
    registry: &Registry,
    plan: &Plan,
    source: &dyn ColumnSource,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<QueryResult, QueryError> {
    let mut scanner = scanner::Scanner::new(source, limits, cancel);
    let mut result = match plan {
        Plan::Series(plan) => series::run(plan, &mut scanner)?,
        Plan::Aggregate(plan) => aggregates::run(plan, registry, &mut scanner)?,
    };
    result.warnings.append(&mut scanner.into_warnings());
    Ok(result)
}
