//! Text to syntax tree, by recursive descent: one function a rule, one file a family of statements. Each function says
//! which words were read before it is called.
//!
//! What is refused here is what the real server refuses before it runs anything; names that do not exist, unknown functions
//! and wrong arguments are not its business.

mod tokens;

mod basic;
mod clauses;
mod continuous;
mod create;
mod delete;
mod drop;
mod expr;
mod kill;
mod literal;
mod policy;
mod select;
mod show;
mod source;
mod users;

#[cfg(test)]
mod tests;

use crate::ast::Statement;
use crate::error::{ParseError, Reason};
use crate::limits::Limits;
use crate::params::Params;
use crate::token::{Keyword as K, Kind};
use tokens::Tokens;

/// Result of a rule.
type Parsed<T> = Result<T, ParseError>;

/// Reads all statements of a request; they are separated by `;`, and empty ones are left out.
///
/// # Errors
/// The first thing that is wrong with the text. Then nothing of it may be executed.
pub fn parse(text: &str, params: &Params, limits: &Limits) -> Result<Vec<Statement>, ParseError> {
    if text.len() > limits.text_bytes {
        return Err(Reason::TextTooLong(limits.text_bytes).anywhere());
    }
    let tokens = Tokens::new(text, params);
    Parser { tokens, limits, depth: 0, expr_depth: 0, operators: 0 }.statements()
}

/// State of a parse.
struct Parser<'a> {
    tokens: Tokens<'a>,
    limits: &'a Limits,
    /// Subqueries, parentheses and calls that are open.
    depth: usize,
    /// Expressions that are open.
    expr_depth: usize,
    /// Operators of the outermost expression that is open.
    operators: usize,
}

impl Parser<'_> {
    fn statements(&mut self) -> Parsed<Vec<Statement>> {
        let mut statements = Vec::new();
        let mut separated = true;
        loop {
            let token = self.tokens.next();
            match token.kind {
                Kind::Eof => return Ok(statements),
                Kind::Semicolon => separated = true,
                _ if !separated => return Err(self.unexpected(&token, &[";"])),
                _ => {
                    self.tokens.back();
                    statements.push(self.statement()?);
                    separated = false;
                }
            }
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        const BEGINS: &[&str] =
            &["SELECT", "DELETE", "SHOW", "CREATE", "DROP", "EXPLAIN", "GRANT", "REVOKE", "ALTER", "SET", "KILL"];
        let token = self.tokens.next();
        let Kind::Word(word) = token.kind else { return Err(self.unexpected(&token, BEGINS)) };
        match word {
            K::Select => Ok(Statement::Select(Box::new(self.select()?))),
            K::Delete => self.delete(),
            K::Show => Ok(Statement::Show(self.show()?)),
            K::Create => self.create(),
            K::Drop => self.drop_statement(),
            K::Explain => self.explain(),
            K::Grant => self.grant(),
            K::Revoke => self.revoke(),
            K::Alter => self.alter_policy(),
            K::Set => self.set_password(),
            K::Kill => self.kill(),
            _ => Err(self.unexpected(&token, BEGINS)),
        }
    }
}
