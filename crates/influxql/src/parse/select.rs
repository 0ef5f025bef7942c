//! SELECT and EXPLAIN.

use super::{Parsed, Parser};
use crate::ast::{BinaryOp, Expr, Field, Fill, Measurement, Select, Statement};
use crate::error::Reason;
use crate::token::{Keyword as K, Kind};

/// Whole numbers up to here are the same as a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Parser<'_> {
    /// The word EXPLAIN was read.
    pub(super) fn explain(&mut self) -> Parsed<Statement> {
        let analyze = self.accept_word(K::Analyze);
        self.expect_words(&[K::Select])?;
        Ok(Statement::Explain { analyze, select: Box::new(self.select()?) })
    }

    /// The word SELECT was read.
    pub(super) fn select(&mut self) -> Parsed<Select> {
        let fields = self.fields()?;
        let into = self.optional_target()?;
        self.select_from(fields, into)
    }

    /// As [`Self::select`]; a target must be there.
    pub(super) fn select_into(&mut self) -> Parsed<Select> {
        let fields = self.fields()?;
        self.expect_words(&[K::Into])?;
        let into = self.target()?;
        self.select_from(fields, Some(into))
    }

    fn select_from(&mut self, fields: Vec<Field>, into: Option<Measurement>) -> Parsed<Select> {
        self.expect_words(&[K::From])?;
        Ok(Select {
            fields,
            into,
            sources: self.sources()?,
            condition: self.condition()?,
            dimensions: self.dimensions()?,
            fill: self.fill()?,
            order: self.order()?,
            limit: self.count(K::Limit)?,
            offset: self.count(K::Offset)?,
            series_limit: self.count(K::SeriesLimit)?,
            series_offset: self.count(K::SeriesOffset)?,
            time_zone: self.time_zone()?,
        })
    }

    fn fields(&mut self) -> Parsed<Vec<Field>> {
        let mut fields = vec![self.field()?];
        while self.comma_at_once() {
            fields.push(self.field()?);
        }
        Ok(fields)
    }

    fn field(&mut self) -> Parsed<Field> {
        let expr = match self.regex()? {
            Some(pattern) => Expr::Regex(pattern),
            None => self.value()?,
        };
        let alias = if self.accept_word(K::As) { Some(self.ident()?) } else { None };
        self.skip_blanks();
        Ok(Field { expr, alias })
    }

    /// An expression that is no condition.
    fn value(&mut self) -> Parsed<Expr> {
        let begin = self.tokens.next();
        self.tokens.back();
        let expr = self.expr()?;
        match condition_operator(&expr) {
            None => Ok(expr),
            Some(op) => {
                let position = self.tokens.position(&begin);
                Err(Reason::OperatorInSelect { op: op.text(), position }.anywhere())
            }
        }
    }

    /// `fill(...)`, or nothing.
    fn fill(&mut self) -> Parsed<Fill> {
        if !self.name_follows("fill") {
            return Ok(Fill::Null);
        }
        let Expr::Call { args, .. } = self.expr()? else { return Err(Reason::FillNoCall.anywhere()) };
        let [arg] = args.as_slice() else { return Err(Reason::FillArguments.anywhere()) };
        fill_option(arg).ok_or_else(|| Reason::FillNoNumber.anywhere())
    }

    /// `tz('name')`, or nothing.
    fn time_zone(&mut self) -> Parsed<Option<String>> {
        if !self.name_follows("tz") {
            return Ok(None);
        }
        let Expr::Call { mut args, .. } = self.expr()? else { return Err(Reason::ZoneNoCall.anywhere()) };
        let (Some(arg), true) = (args.pop(), args.is_empty()) else { return Err(Reason::ZoneArguments.anywhere()) };
        let Expr::String(name) = arg else { return Err(Reason::ZoneNoString.anywhere()) };
        match (self.limits.time_zone_exists)(&name) {
            true => Ok(Some(name)),
            false => Err(Reason::UnknownZone(name).anywhere()),
        }
    }

    /// The next token is this name, in capitals or not; it stays the next.
    fn name_follows(&mut self, name: &str) -> bool {
        let token = self.tokens.next();
        self.tokens.back();
        token.kind == Kind::Ident && token.text.eq_ignore_ascii_case(name)
    }
}

/// Whole numbers are integers however they are written, as in the text that the real server prints.
fn fill_option(arg: &Expr) -> Option<Fill> {
    match arg {
        Expr::Reference { name, cast: None } => named_fill(name),
        Expr::Integer(value) => Some(Fill::Integer(*value)),
        Expr::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT => Some(Fill::Integer(*value as i64)),
        Expr::Float(value) => Some(Fill::Float(*value)),
        _ => None,
    }
}

fn named_fill(name: &str) -> Option<Fill> {
    match name {
        "null" => Some(Fill::Null),
        "none" => Some(Fill::None),
        "previous" => Some(Fill::Previous),
        "linear" => Some(Fill::Linear),
        _ => None,
    }
}

/// The last operator outside of other conditions whose result is true or false.
fn condition_operator(expr: &Expr) -> Option<BinaryOp> {
    match expr {
        Expr::Binary { op, .. } if op.is_condition() => Some(*op),
        Expr::Binary { left, right, .. } => condition_operator(right).or_else(|| condition_operator(left)),
        Expr::Paren(inner) => condition_operator(inner),
        Expr::Call { args, .. } => args.iter().rev().find_map(condition_operator),
        _ => None,
    }
}
