//! Rules that all families share: words, names, numbers, and the bound on nesting.

use super::{Parsed, Parser};
use crate::duration::parse_duration;
use crate::error::{ParseError, Reason};
use crate::print::quote_segments;
use crate::token::{Keyword, Kind, Token};

impl Parser<'_> {
    /// The error of a token that should be another.
    pub(super) fn unexpected(&self, token: &Token, expected: &[&str]) -> ParseError {
        let position = self.tokens.position(token);
        ParseError::Unexpected { found: token.shown().to_owned(), expected: expected.join(", "), position }
    }

    /// The error of a token that cannot be used.
    pub(super) fn wrong(&self, token: &Token, reason: Reason) -> ParseError {
        ParseError::At { reason, position: self.tokens.position(token) }
    }

    /// Reads the next token if it is of this kind, and says whether it was.
    pub(super) fn accept(&mut self, kind: Kind) -> bool {
        let found = self.tokens.next().kind == kind;
        if !found {
            self.tokens.back();
        }
        found
    }

    /// As [`Self::accept`], for a word.
    pub(super) fn accept_word(&mut self, word: Keyword) -> bool {
        self.accept(Kind::Word(word))
    }

    /// The next token, which must be of this kind; `name` is what messages call that.
    pub(super) fn expect(&mut self, kind: Kind, name: &str) -> Parsed<Token> {
        let token = self.tokens.next();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, &[name])) }
    }

    /// These words in this order.
    pub(super) fn expect_words(&mut self, words: &[Keyword]) -> Parsed<()> {
        words.iter().try_for_each(|word| self.expect(Kind::Word(*word), word.text()).map(|_| ()))
    }

    /// A dot, without blanks before it.
    pub(super) fn expect_dot(&mut self) -> Parsed<()> {
        let token = self.tokens.scan();
        if token.kind == Kind::Dot { Ok(()) } else { Err(self.unexpected(&token, &["."])) }
    }

    /// A name.
    pub(super) fn ident(&mut self) -> Parsed<String> {
        self.expect(Kind::Ident, "identifier").map(|token| token.text)
    }

    /// Names, separated by commas.
    pub(super) fn idents(&mut self) -> Parsed<Vec<String>> {
        let mut names = vec![self.ident()?];
        while self.accept(Kind::Comma) {
            names.push(self.ident()?);
        }
        Ok(names)
    }

    /// A text in single quotes.
    pub(super) fn string(&mut self) -> Parsed<String> {
        self.expect(Kind::String, "string").map(|token| token.text)
    }

    /// Texts, separated by commas.
    pub(super) fn strings(&mut self) -> Parsed<Vec<String>> {
        let mut strings = vec![self.string()?];
        while self.accept(Kind::Comma) {
            strings.push(self.string()?);
        }
        Ok(strings)
    }

    /// `ON name`, or nothing.
    pub(super) fn optional_database(&mut self) -> Parsed<Option<String>> {
        if self.accept_word(Keyword::On) { self.ident().map(Some) } else { Ok(None) }
    }

    /// `ON name`
    pub(super) fn database(&mut self) -> Parsed<String> {
        self.expect_words(&[Keyword::On])?;
        self.ident()
    }

    /// The number of a shard or query.
    pub(super) fn id(&mut self) -> Parsed<u64> {
        let token = self.expect(Kind::Integer, "integer")?;
        let reason = || Reason::OutOfRange { parser: "ParseUint", digits: token.text.clone() };
        token.text.parse().map_err(|_| self.wrong(&token, reason()))
    }

    /// A whole number between 1 and the largest of 32 bits.
    pub(super) fn small_integer(&mut self) -> Parsed<i64> {
        let (min, max) = (1, i64::from(i32::MAX));
        let token = self.expect(Kind::Integer, "integer")?;
        let Ok(value) = token.text.parse() else {
            return Err(self.wrong(&token, Reason::OutOfRange { parser: "Atoi", digits: token.text.clone() }));
        };
        match (min..=max).contains(&value) {
            true => Ok(value),
            false => Err(self.wrong(&token, Reason::OutOfBounds { value, min, max })),
        }
    }

    /// A duration, without `INF`.
    pub(super) fn finite_duration(&mut self) -> Parsed<i64> {
        let token = self.tokens.next();
        match token.kind {
            Kind::Duration => self.duration_of(&token),
            _ => Err(self.unexpected(&token, &["duration"])),
        }
    }

    /// A duration, or `INF`, which is 0.
    pub(super) fn duration(&mut self) -> Parsed<i64> {
        if self.accept_word(Keyword::Inf) { Ok(0) } else { self.finite_duration() }
    }

    /// Only a parameter's value can have a sign; there is no place for one here.
    fn duration_of(&self, token: &Token) -> Parsed<i64> {
        let ns = parse_duration(&token.text).map_err(|reason| self.wrong(token, reason))?;
        if ns < 0 { Err(self.wrong(token, Reason::InvalidDuration)) } else { Ok(ns) }
    }

    /// Up to three names with dots between them; the middle one may be missing. It ends at a dot before a regular
    /// expression or a colon, which the caller reads.
    pub(super) fn segments(&mut self) -> Parsed<Vec<String>> {
        let mut names = vec![self.ident()?];
        while self.tokens.scan().kind == Kind::Dot {
            match self.tokens.peek_char() {
                Some('/' | ':') => return self.bounded(names),
                Some('.') => names.push(String::new()),
                _ => names.push(self.ident()?),
            }
        }
        self.tokens.back();
        self.bounded(names)
    }

    fn bounded(&self, names: Vec<String>) -> Parsed<Vec<String>> {
        if names.len() <= 3 {
            return Ok(names);
        }
        Err(Reason::TooManySegments(quote_segments(&names)).at_begin())
    }

    /// One level deeper: `rule` is read inside parentheses.
    pub(super) fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= self.limits.depth {
            return Err(Reason::TooDeep(self.limits.depth).anywhere());
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }
}
