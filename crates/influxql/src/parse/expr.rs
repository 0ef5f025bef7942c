//! Expressions. Operators bind as OR < AND < comparison < `+ - | ^` < `* / % &`, and from left to right.

use super::{Parsed, Parser};
use crate::ast::{BinaryOp, Cast, Expr, WildcardKind};
use crate::error::Reason;
use crate::token::{Keyword as K, Kind, Token};

impl Parser<'_> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        if self.expr_depth == 0 {
            self.operators = 0;
        }
        self.expr_depth += 1;
        let expr = self.operations();
        self.expr_depth -= 1;
        expr
    }

    fn operations(&mut self) -> Parsed<Expr> {
        let mut expr = self.operand()?;
        while let Some(op) = self.tokens.next().kind.operator() {
            self.count_operator()?;
            let right = match op {
                BinaryOp::Matches | BinaryOp::NotMatches => Expr::Regex(self.required_regex()?),
                _ => self.operand()?,
            };
            expr = attach(expr, op, right);
        }
        self.tokens.back();
        Ok(expr)
    }

    fn count_operator(&mut self) -> Parsed<()> {
        self.operators += 1;
        if self.operators > self.limits.operators {
            return Err(Reason::TooManyOperators(self.limits.operators).anywhere());
        }
        Ok(())
    }

    /// What stands between operators.
    fn operand(&mut self) -> Parsed<Expr> {
        let token = self.tokens.next();
        match token.kind {
            Kind::OpenParen => self.nested(Self::parentheses),
            Kind::Ident => self.name(token),
            Kind::Word(K::Distinct) => self.distinct(),
            Kind::String => Ok(Expr::String(token.text)),
            Kind::Number => self.number(&token),
            Kind::Integer => self.integer(&token),
            Kind::Word(K::True) => Ok(Expr::Boolean(true)),
            Kind::Word(K::False) => Ok(Expr::Boolean(false)),
            Kind::Duration => Self::duration_literal(&token),
            Kind::Operator(BinaryOp::Mul) => self.wildcard(),
            Kind::Operator(sign @ (BinaryOp::Add | BinaryOp::Sub)) => self.signed(sign),
            Kind::Param => Err(Self::missing_parameter(&token)),
            _ => Err(self.unexpected(&token, &["identifier", "string", "number", "bool"])),
        }
    }

    fn parentheses(&mut self) -> Parsed<Expr> {
        let inner = self.expr()?;
        self.expect(Kind::CloseParen, ")")?;
        Ok(Expr::Paren(Box::new(inner)))
    }

    /// A call if a parenthesis follows at once, else a reference.
    fn name(&mut self, token: Token) -> Parsed<Expr> {
        if self.tokens.scan().kind == Kind::OpenParen {
            return self.nested(|parser| parser.call(&token.text));
        }
        self.tokens.back();
        self.tokens.back();
        let name = self.segments()?.join(".");
        Ok(Expr::Reference { name, cast: self.cast()? })
    }

    /// The arguments of a call; the parenthesis was read.
    fn call(&mut self, name: &str) -> Parsed<Expr> {
        let name = name.to_lowercase();
        let mut args = Vec::new();
        match self.regex()? {
            Some(pattern) => args.push(Expr::Regex(pattern)),
            None if self.tokens.scan().kind == Kind::CloseParen => return Ok(Expr::Call { name, args }),
            None => {
                self.tokens.back();
                args.push(self.expr()?);
            }
        }
        while self.accept(Kind::Comma) {
            let arg = match self.regex()? {
                Some(pattern) => Expr::Regex(pattern),
                None => self.expr()?,
            };
            args.push(arg);
        }
        let end = self.tokens.scan();
        if end.kind == Kind::CloseParen { Ok(Expr::Call { name, args }) } else { Err(self.unexpected(&end, &[")"])) }
    }

    /// `distinct(x)` or `DISTINCT x`; the word was read.
    fn distinct(&mut self) -> Parsed<Expr> {
        let token = self.tokens.scan();
        match token.kind {
            Kind::OpenParen => self.nested(|parser| parser.call("distinct")),
            Kind::Space => self.ident().map(Expr::Distinct),
            _ => Err(self.unexpected(&token, &["(", "identifier"])),
        }
    }

    /// `::type` behind a name, or nothing.
    fn cast(&mut self) -> Parsed<Option<Cast>> {
        if self.tokens.scan().kind != Kind::DoubleColon {
            self.tokens.back();
            return Ok(None);
        }
        let token = self.tokens.scan();
        match token.kind {
            Kind::Word(K::Field) => Ok(Some(Cast::Field)),
            Kind::Word(K::Tag) => Ok(Some(Cast::Tag)),
            Kind::Ident => self.typed_cast(&token).map(Some),
            _ => Err(self.unexpected(&token, &["float", "integer", "string", "boolean", "field", "tag"])),
        }
    }

    fn typed_cast(&self, token: &Token) -> Parsed<Cast> {
        match token.text.to_ascii_lowercase().as_str() {
            "float" => Ok(Cast::Float),
            "integer" => Ok(Cast::Integer),
            "unsigned" => Ok(Cast::Unsigned),
            "string" => Ok(Cast::String),
            "boolean" => Ok(Cast::Boolean),
            _ => Err(self.unexpected(token, &["float", "integer", "unsigned", "string", "boolean", "field", "tag"])),
        }
    }

    /// The star was read.
    fn wildcard(&mut self) -> Parsed<Expr> {
        if self.tokens.scan().kind != Kind::DoubleColon {
            self.tokens.back();
            return Ok(Expr::Wildcard(None));
        }
        let token = self.tokens.scan();
        match token.kind {
            Kind::Word(K::Field) => Ok(Expr::Wildcard(Some(WildcardKind::Field))),
            Kind::Word(K::Tag) => Ok(Expr::Wildcard(Some(WildcardKind::Tag))),
            _ => Err(self.unexpected(&token, &["field", "tag"])),
        }
    }

    /// What follows a sign: a literal changes its sign, anything else is multiplied.
    fn signed(&mut self, sign: BinaryOp) -> Parsed<Expr> {
        let token = self.tokens.next();
        let (Kind::Number | Kind::Integer | Kind::Duration | Kind::OpenParen | Kind::Ident) = token.kind else {
            return Err(self.unexpected(&token, &["identifier", "number", "duration", "("]));
        };
        self.tokens.back();
        let operand = self.operand()?;
        if sign == BinaryOp::Add { Ok(plus(operand)) } else { minus(operand) }
    }
}

fn plus(operand: Expr) -> Expr {
    match operand {
        Expr::Reference { .. } | Expr::Call { .. } | Expr::Paren(_) => multiplied(1, operand),
        literal => literal,
    }
}

fn minus(operand: Expr) -> Parsed<Expr> {
    Ok(match operand {
        Expr::Integer(value) => Expr::Integer(value.wrapping_neg()),
        Expr::Unsigned(value) if value == i64::MIN.unsigned_abs() => Expr::Integer(i64::MIN),
        Expr::Unsigned(value) => return Err(Reason::Underflow(value).anywhere()),
        Expr::Float(value) => Expr::Float(-value),
        Expr::Duration(ns) => Expr::Duration(ns.wrapping_neg()),
        other => multiplied(-1, other),
    })
}

fn multiplied(factor: i64, operand: Expr) -> Expr {
    Expr::Binary { op: BinaryOp::Mul, left: Box::new(Expr::Integer(factor)), right: Box::new(operand) }
}

/// Puts `op right` behind `expr`: at the last operand of `expr` that binds less tightly. The operators on the way down
/// bind ever more tightly, so it goes down five times at most.
fn attach(expr: Expr, op: BinaryOp, right: Expr) -> Expr {
    match expr {
        Expr::Binary { op: outer, left, right: inner } if outer.precedence() < op.precedence() => {
            Expr::Binary { op: outer, left, right: Box::new(attach(*inner, op, right)) }
        }
        left => Expr::Binary { op, left: Box::new(left), right: Box::new(right) },
    }
}
