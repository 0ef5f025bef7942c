//! DROP, but for DROP SERIES, which is `delete`.

use super::{Parsed, Parser};
use crate::ast::Statement;
use crate::token::{Keyword as K, Kind};

impl Parser<'_> {
    /// The word DROP was read.
    pub(super) fn drop_statement(&mut self) -> Parsed<Statement> {
        const WHAT: &[&str] =
            &["CONTINUOUS", "DATABASE", "MEASUREMENT", "RETENTION", "SERIES", "SHARD", "SUBSCRIPTION", "USER"];
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(K::Continuous) => self.drop_continuous_query(),
            Kind::Word(K::Database) => Ok(Statement::DropDatabase { name: self.ident()? }),
            Kind::Word(K::Measurement) => Ok(Statement::DropMeasurement { name: self.ident()? }),
            Kind::Word(K::Retention) => self.drop_policy(),
            Kind::Word(K::Series) => self.drop_series(),
            Kind::Word(K::Shard) => Ok(Statement::DropShard { id: self.id()? }),
            Kind::Word(K::Subscription) => self.drop_subscription(),
            Kind::Word(K::User) => Ok(Statement::DropUser { name: self.ident()? }),
            _ => Err(self.unexpected(&token, WHAT)),
        }
    }

    fn drop_continuous_query(&mut self) -> Parsed<Statement> {
        self.expect_words(&[K::Query])?;
        let name = self.ident()?;
        Ok(Statement::DropContinuousQuery { name, database: self.database()? })
    }

    fn drop_policy(&mut self) -> Parsed<Statement> {
        self.expect_words(&[K::Policy])?;
        let name = self.ident()?;
        Ok(Statement::DropRetentionPolicy { name, database: self.database()? })
    }

    fn drop_subscription(&mut self) -> Parsed<Statement> {
        let name = self.ident()?;
        let database = self.database()?;
        self.expect_dot()?;
        Ok(Statement::DropSubscription { name, database, policy: self.ident()? })
    }
}
