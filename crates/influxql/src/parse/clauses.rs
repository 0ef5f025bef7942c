//! Clauses that several statements have: WHERE, GROUP BY, ORDER BY, LIMIT.

use super::{Parsed, Parser};
use crate::ast::{Expr, SortField};
use crate::error::Reason;
use crate::token::{Keyword as K, Kind};

impl Parser<'_> {
    /// `WHERE ...`, or nothing.
    pub(super) fn condition(&mut self) -> Parsed<Option<Expr>> {
        if self.accept_word(K::Where) { self.expr().map(Some) } else { Ok(None) }
    }

    /// `GROUP BY ...`, or nothing.
    pub(super) fn dimensions(&mut self) -> Parsed<Vec<Expr>> {
        if !self.accept_word(K::Group) {
            return Ok(Vec::new());
        }
        self.expect_words(&[K::By])?;
        let mut dimensions = vec![self.dimension()?];
        while self.comma_at_once() {
            dimensions.push(self.dimension()?);
        }
        Ok(dimensions)
    }

    fn dimension(&mut self) -> Parsed<Expr> {
        if let Some(pattern) = self.regex()? {
            return Ok(Expr::Regex(pattern));
        }
        let expr = self.expr()?;
        self.skip_blanks();
        Ok(expr)
    }

    /// A comma without blanks before it.
    pub(super) fn comma_at_once(&mut self) -> bool {
        let found = self.tokens.scan().kind == Kind::Comma;
        if !found {
            self.tokens.back();
        }
        found
    }

    /// `ORDER BY ...`, or nothing.
    pub(super) fn order(&mut self) -> Parsed<Vec<SortField>> {
        if !self.accept_word(K::Order) {
            return Ok(Vec::new());
        }
        self.expect_words(&[K::By])?;
        let first = self.first_sort_field()?;
        let mut alone = true;
        while self.accept(Kind::Comma) {
            self.sort_field()?;
            alone = false;
        }
        if alone { Ok(vec![first]) } else { Err(Reason::OrderNotByTime.anywhere()) }
    }

    /// The first may be the direction alone.
    fn first_sort_field(&mut self) -> Parsed<SortField> {
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(word @ (K::Asc | K::Desc)) => Ok(SortField { name: String::new(), ascending: word == K::Asc }),
            Kind::Ident => {
                self.tokens.back();
                let field = self.sort_field()?;
                if field.name == "time" { Ok(field) } else { Err(Reason::OrderNotByTime.anywhere()) }
            }
            _ => Err(self.unexpected(&token, &["identifier", "ASC", "DESC"])),
        }
    }

    fn sort_field(&mut self) -> Parsed<SortField> {
        let name = self.ident()?;
        let ascending = self.accept_word(K::Asc) || !self.accept_word(K::Desc);
        Ok(SortField { name, ascending })
    }

    /// `word n`, or nothing, which is 0. A number that is too large is as good as none.
    pub(super) fn count(&mut self, word: K) -> Parsed<u64> {
        if !self.accept_word(word) {
            return Ok(0);
        }
        let token = self.expect(Kind::Integer, "integer")?;
        if token.text.starts_with('-') {
            return Err(self.wrong(&token, Reason::Negative(word.text())));
        }
        Ok(token.text.parse().unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs()))
    }
}
