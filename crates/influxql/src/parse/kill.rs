//! KILL QUERY.

use super::{Parsed, Parser};
use crate::ast::Statement;
use crate::token::Keyword as K;

impl Parser<'_> {
    /// The word KILL was read.
    pub(super) fn kill(&mut self) -> Parsed<Statement> {
        self.expect_words(&[K::Query])?;
        let id = self.id()?;
        Ok(Statement::KillQuery { id, host: self.optional_database()? })
    }
}
