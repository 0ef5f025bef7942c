//! DELETE and DROP SERIES: `[FROM ...] [WHERE ...]`, at least one of them.

use super::{Parsed, Parser};
use crate::ast::{Measurement, Removal, Statement};
use crate::error::Reason;
use crate::token::{Keyword as K, Kind};

impl Parser<'_> {
    /// The word DELETE was read.
    pub(super) fn delete(&mut self) -> Parsed<Statement> {
        self.removal().map(Statement::Delete)
    }

    /// The words DROP SERIES were read.
    pub(super) fn drop_series(&mut self) -> Parsed<Statement> {
        self.removal().map(Statement::DropSeries)
    }

    fn removal(&mut self) -> Parsed<Removal> {
        let first = self.tokens.next();
        let sources = if first.kind == Kind::Word(K::From) {
            self.measurements()?
        } else {
            self.tokens.back();
            Vec::new()
        };
        unqualified(&sources)?;
        let condition = self.condition()?;
        if sources.is_empty() && condition.is_none() {
            return Err(self.unexpected(&first, &["FROM", "WHERE"]));
        }
        Ok(Removal { sources, condition })
    }
}

/// Points are removed from the database of the request, in all its retention policies.
fn unqualified(sources: &[Measurement]) -> Parsed<()> {
    let last = sources.iter().rfind(|source| source.database.is_some() || source.policy.is_some());
    match last {
        None => Ok(()),
        Some(Measurement { policy: Some(_), .. }) => Err(Reason::PolicyNotSupported.at_begin()),
        Some(_) => Err(Reason::DatabaseNotSupported.at_begin()),
    }
}
