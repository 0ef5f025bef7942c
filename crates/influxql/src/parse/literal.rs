//! Literals: numbers, durations, regular expressions.

use super::{Parsed, Parser};
use crate::ast::Expr;
use crate::duration::parse_duration;
use crate::error::{ParseError, Reason};
use crate::regex_syntax;
use crate::token::{Kind, Token};

impl Parser<'_> {
    pub(super) fn number(&self, token: &Token) -> Parsed<Expr> {
        match token.text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Expr::Float(value)),
            _ => Err(self.wrong(token, Reason::InvalidNumber)),
        }
    }

    pub(super) fn integer(&self, token: &Token) -> Parsed<Expr> {
        if let Ok(value) = token.text.parse() {
            return Ok(Expr::Integer(value));
        }
        token.text.parse().map(Expr::Unsigned).map_err(|_| self.wrong(token, Reason::InvalidInteger))
    }

    pub(super) fn duration_literal(token: &Token) -> Parsed<Expr> {
        parse_duration(&token.text).map(Expr::Duration).map_err(Reason::anywhere)
    }

    /// Why a `$name` has no value.
    pub(super) fn missing_parameter(token: &Token) -> ParseError {
        match token.text.trim_start_matches('$') {
            "" => Reason::EmptyParameter.anywhere(),
            name => Reason::MissingParameter(name.to_owned()).anywhere(),
        }
    }

    /// A regular expression, if one is next. It looks at the text itself, not at tokens: in `FROM m /x/` it comes upon the
    /// blank that was taken back, and that is an error, as in the real server.
    pub(super) fn regex(&mut self) -> Parsed<Option<String>> {
        if matches!(self.tokens.peek_char(), Some(' ' | '\t' | '\n')) {
            self.skip_blanks();
        }
        match self.tokens.peek_char() {
            Some('/') => {}
            Some('$') if self.regex_is_parameter() => {}
            _ => return Ok(None),
        }
        let token = self.tokens.scan_regex();
        match token.kind {
            Kind::Regex => self.checked_regex(token).map(Some),
            Kind::BadRegex => Err(self.wrong(&token, Reason::UnendedRegex)),
            _ => Err(self.unexpected(&token, &["regex"])),
        }
    }

    /// As [`Self::regex`], where nothing else may stand.
    pub(super) fn required_regex(&mut self) -> Parsed<String> {
        if let Some(pattern) = self.regex()? {
            return Ok(pattern);
        }
        let token = self.tokens.next();
        Err(self.unexpected(&token, &["regex"]))
    }

    pub(super) fn skip_blanks(&mut self) {
        if self.tokens.scan().kind != Kind::Space {
            self.tokens.back();
        }
    }

    fn regex_is_parameter(&mut self) -> bool {
        let kind = self.tokens.scan().kind;
        self.tokens.back();
        kind == Kind::Regex
    }

    fn checked_regex(&self, token: Token) -> Parsed<String> {
        match regex_syntax::check(&token.text) {
            Ok(()) => Ok(token.text),
            Err(reason) => Err(self.wrong(&token, reason)),
        }
    }
}
