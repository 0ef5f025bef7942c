//! SHOW MEASUREMENTS.
//!
//! NOTE: conditions are about measurements here, not about series: `tag != 'x'` takes those that have the tag and no series of
//! the value, as in InfluxDB.

use std::collections::BTreeSet;

use catalog::{Names, TagCondition, TagWanted};
use influxql::ast::{Measurement, MeasurementName, Scope};
use model::MeasurementId;
use query::Cell;
use query::plan::expr::{BinaryOp, Expr};

use crate::condition::Condition;
use crate::failure::Failure;
use crate::measurements::{From, by_name};
use crate::rows::{Rows, page, text};
use crate::task::{Sink, Task};

pub(super) fn run(
    task: &Task<'_>,
    with: Option<&MeasurementName>,
    scope: &Scope,
    sink: Sink<'_>,
) -> Result<(), Failure> {
    let database = task.database(scope.database.as_deref())?;
    let condition = Condition::read(task, scope.condition.as_ref())?.without_time("SHOW MEASUREMENTS")?;
    let from = match with {
        Some(name) => From::read(&[Measurement { database: None, policy: None, name: name.clone() }])?,
        None => From::read(&scope.sources)?,
    };
    let buckets = task.buckets(database);
    let mut found = BTreeSet::new();
    {
        let names = task.parts.catalog.read();
        for (name, ids) in by_name(&names, &buckets, &from) {
            task.request.cancel.check()?;
            if fulfils(&Candidate { names: &names, name: &name, ids: &ids }, condition.filter.as_ref())? {
                found.insert(name);
            }
        }
    }
    let mut rows = Rows::new("measurements", &["name"]);
    page(found, scope.offset, scope.limit).for_each(|name| rows.push([text(name)]));
    Ok(rows.send_unless_empty(sink)?)
}

/// A measurement, in all its buckets.
struct Candidate<'a> {
    names: &'a Names,
    name: &'a str,
    ids: &'a [MeasurementId],
}

fn fulfils(candidate: &Candidate<'_>, filter: Option<&Expr>) -> Result<bool, Failure> {
    match filter {
        None => Ok(true),
        Some(Expr::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right }) => {
            let (left, right) = (fulfils(candidate, Some(left))?, fulfils(candidate, Some(right))?);
            Ok(if *op == BinaryOp::And { left && right } else { left || right })
        }
        Some(Expr::Binary { op, left, right }) => {
            let (Expr::Reference(tag), value) = (&**left, &**right) else {
                return Err(Failure::message("left side of a comparison must be a tag key"));
            };
            candidate.compare(*op, &tag.name, value)
        }
        Some(Expr::Literal(Cell::Boolean(value))) => Ok(*value),
        Some(_) => Err(Failure::message("invalid condition expression")),
    }
}

impl Candidate<'_> {
    fn compare(&self, op: BinaryOp, tag: &str, value: &Expr) -> Result<bool, Failure> {
        let wants_match = matches!(op, BinaryOp::Eq | BinaryOp::Matches);
        let test: Box<dyn Fn(&str) -> bool + '_> = match (op, value) {
            (BinaryOp::Eq | BinaryOp::NotEq, Expr::Literal(Cell::String(text))) => Box::new(move |v| v == text),
            (BinaryOp::Matches | BinaryOp::NotMatches, Expr::Pattern(pattern)) => Box::new(|v| pattern.is_match(v)),
            (BinaryOp::Eq, _) => return Err(Failure::message("right side of '=' must be a tag value string")),
            (BinaryOp::NotEq, _) => return Err(Failure::message("right side of '!=' must be a tag value string")),
            _ => return Err(Failure::message("invalid tag comparison operator")),
        };
        if tag == "_name" {
            return Ok(test(self.name) == wants_match);
        }
        let is_there = |id: &MeasurementId| self.has(*id, tag, &|v| !v.is_empty());
        let matches = |id: &MeasurementId| self.has(*id, tag, &|v| !v.is_empty() && test(v));
        Ok(self.ids.iter().any(is_there) && self.ids.iter().any(matches) == wants_match)
    }

    /// True when a series of the measurement has a value of the tag that `test` accepts.
    fn has(&self, id: MeasurementId, tag: &str, test: &dyn Fn(&str) -> bool) -> bool {
        let condition = TagCondition { key: tag, wanted: TagWanted::Test(test) };
        !self.names.select(id, &[condition]).is_empty()
    }
}
