//! CREATE.

use super::{Parsed, Parser};
use crate::ast::{PolicyOptions, Statement};
use crate::token::{Keyword as K, Kind};

impl Parser<'_> {
    /// The word CREATE was read.
    pub(super) fn create(&mut self) -> Parsed<Statement> {
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(K::Continuous) => self.create_continuous_query(),
            Kind::Word(K::Database) => self.create_database(),
            Kind::Word(K::User) => self.create_user(),
            Kind::Word(K::Retention) => self.create_policy(),
            Kind::Word(K::Subscription) => self.create_subscription(),
            _ => Err(self.unexpected(&token, &["CONTINUOUS", "DATABASE", "USER", "RETENTION", "SUBSCRIPTION"])),
        }
    }

    fn create_database(&mut self) -> Parsed<Statement> {
        let name = self.ident()?;
        let policy = if self.accept_word(K::With) { Some(self.database_policy()?) } else { None };
        Ok(Statement::CreateDatabase { name, policy })
    }

    /// At least one setting, in this order.
    fn database_policy(&mut self) -> Parsed<PolicyOptions> {
        let token = self.tokens.next();
        let Kind::Word(K::Duration | K::Name | K::Replication | K::Shard) = token.kind else {
            return Err(self.unexpected(&token, &["DURATION", "NAME", "REPLICATION", "SHARD"]));
        };
        self.tokens.back();
        let mut options = PolicyOptions::default();
        if self.accept_word(K::Duration) {
            options.duration = Some(self.duration()?);
        }
        if self.accept_word(K::Replication) {
            options.replication = Some(self.small_integer()?);
        }
        if self.accept_word(K::Shard) {
            self.expect_words(&[K::Duration])?;
            options.shard_duration = Some(self.duration()?);
        }
        if self.accept_word(K::Name) {
            options.name = Some(self.ident()?);
        }
        Ok(options)
    }

    fn create_subscription(&mut self) -> Parsed<Statement> {
        let name = self.ident()?;
        let database = self.database()?;
        self.expect_dot()?;
        let policy = self.ident()?;
        self.expect_words(&[K::Destinations])?;
        let token = self.tokens.next();
        let Kind::Word(mode @ (K::All | K::Any)) = token.kind else {
            return Err(self.unexpected(&token, &["ALL", "ANY"]));
        };
        let destinations = self.strings()?;
        Ok(Statement::CreateSubscription { name, database, policy, mode: mode.text().to_owned(), destinations })
    }
}
