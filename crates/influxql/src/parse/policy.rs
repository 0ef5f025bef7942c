//! CREATE and ALTER RETENTION POLICY.

use super::{Parsed, Parser};
use crate::ast::{PolicyOptions, Statement};
use crate::error::Reason;
use crate::token::{Keyword as K, Kind};

impl Parser<'_> {
    /// The words CREATE RETENTION were read.
    pub(super) fn create_policy(&mut self) -> Parsed<Statement> {
        self.expect_words(&[K::Policy])?;
        let name = self.ident()?;
        let database = self.database()?;
        self.expect_words(&[K::Duration])?;
        let duration = self.duration()?;
        self.expect_words(&[K::Replication])?;
        let options = PolicyOptions {
            name: None,
            duration: Some(duration),
            replication: Some(self.small_integer()?),
            shard_duration: if self.accept_word(K::Shard) { Some(self.shard_duration()?) } else { None },
            default: self.accept_word(K::Default),
        };
        Ok(Statement::CreateRetentionPolicy { name, database, options })
    }

    /// The word SHARD was read.
    fn shard_duration(&mut self) -> Parsed<i64> {
        self.expect_words(&[K::Duration])?;
        let token = self.tokens.next();
        if token.kind == Kind::Word(K::Inf) {
            return Err(self.wrong(&token, Reason::InfiniteShardDuration));
        }
        self.tokens.back();
        self.finite_duration()
    }

    /// The word ALTER was read.
    pub(super) fn alter_policy(&mut self) -> Parsed<Statement> {
        self.expect_words(&[K::Retention, K::Policy])?;
        let name = if self.accept_word(K::Default) { "default".to_owned() } else { self.ident()? };
        let database = self.database()?;
        let mut options = PolicyOptions::default();
        while self.policy_option(&mut options)? {}
        Ok(Statement::AlterRetentionPolicy { name, database, options })
    }

    /// The next setting; false where there is none, which is an error if it were the first.
    fn policy_option(&mut self, options: &mut PolicyOptions) -> Parsed<bool> {
        const OPTIONS: &[&str] = &["DURATION", "REPLICATION", "SHARD", "DEFAULT"];
        let token = self.tokens.next();
        let word = match token.kind {
            Kind::Word(word @ (K::Duration | K::Replication | K::Shard | K::Default)) => word,
            _ if *options == PolicyOptions::default() => return Err(self.unexpected(&token, OPTIONS)),
            _ => {
                self.tokens.back();
                return Ok(false);
            }
        };
        if has_option(options, word) {
            return Err(self.wrong(&token, Reason::DuplicateOption(word.text())));
        }
        match word {
            K::Duration => options.duration = Some(self.duration()?),
            K::Replication => options.replication = Some(self.small_integer()?),
            K::Shard => options.shard_duration = Some(self.shard_duration()?),
            _ => options.default = true,
        }
        Ok(true)
    }
}

fn has_option(options: &PolicyOptions, word: K) -> bool {
    match word {
        K::Duration => options.duration.is_some(),
        K::Replication => options.replication.is_some(),
        K::Shard => options.shard_duration.is_some(),
        _ => options.default,
    }
}
