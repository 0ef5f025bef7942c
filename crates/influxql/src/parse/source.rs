//! Where points come from and go to.

use super::{Parsed, Parser};
use crate::ast::{Measurement, MeasurementName, Source};
use crate::token::{Keyword as K, Kind};

impl Parser<'_> {
    /// Sources of a SELECT, separated by commas.
    pub(super) fn sources(&mut self) -> Parsed<Vec<Source>> {
        let mut sources = vec![self.source()?];
        while self.accept(Kind::Comma) {
            sources.push(self.source()?);
        }
        Ok(sources)
    }

    /// `FROM` and measurements, or nothing.
    pub(super) fn optional_measurements(&mut self) -> Parsed<Vec<Measurement>> {
        if self.accept_word(K::From) { self.measurements() } else { Ok(Vec::new()) }
    }

    /// Measurements, separated by commas.
    pub(super) fn measurements(&mut self) -> Parsed<Vec<Measurement>> {
        let mut measurements = vec![self.measurement()?];
        while self.accept(Kind::Comma) {
            measurements.push(self.measurement()?);
        }
        Ok(measurements)
    }

    fn source(&mut self) -> Parsed<Source> {
        if let Some(pattern) = self.regex()? {
            return Ok(Source::Measurement(Measurement::pattern(pattern)));
        }
        if self.accept(Kind::OpenParen) {
            return self.nested(Self::subquery);
        }
        self.named_measurement().map(Source::Measurement)
    }

    fn subquery(&mut self) -> Parsed<Source> {
        self.expect_words(&[K::Select])?;
        let select = self.select()?;
        self.expect(Kind::CloseParen, ")")?;
        Ok(Source::Subquery(Box::new(select)))
    }

    /// A measurement, or those that fit a pattern.
    pub(super) fn measurement(&mut self) -> Parsed<Measurement> {
        match self.regex()? {
            Some(pattern) => Ok(Measurement::pattern(pattern)),
            None => self.named_measurement(),
        }
    }

    fn named_measurement(&mut self) -> Parsed<Measurement> {
        let mut names = self.segments()?;
        let pattern = if names.len() < 3 { self.regex()? } else { None };
        let name = match pattern {
            Some(pattern) => MeasurementName::Pattern(pattern),
            None => MeasurementName::Name(names.pop().unwrap_or_default()),
        };
        Ok(Measurement::qualified(names, name))
    }

    /// `INTO` and a target, if it is there.
    pub(super) fn optional_target(&mut self) -> Parsed<Option<Measurement>> {
        if self.accept_word(K::Into) { self.target().map(Some) } else { Ok(None) }
    }

    /// What follows `INTO`.
    pub(super) fn target(&mut self) -> Parsed<Measurement> {
        let mut names = self.segments()?;
        if names.len() < 3 && self.tokens.peek_char() == Some(':') {
            self.expect(Kind::Colon, ":")?;
            self.expect_words(&[K::Measurement])?;
            return Ok(Measurement::qualified(names, MeasurementName::FromSource));
        }
        let name = MeasurementName::Name(names.pop().unwrap_or_default());
        Ok(Measurement::qualified(names, name))
    }
}

impl Measurement {
    fn pattern(pattern: String) -> Self {
        Self::qualified(Vec::new(), MeasurementName::Pattern(pattern))
    }

    /// `before` is `[]`, `[policy]` or `[database, policy]`; an empty one is as good as none.
    fn qualified(mut before: Vec<String>, name: MeasurementName) -> Self {
        let given = |name: &String| !name.is_empty();
        let policy = before.pop().filter(given);
        let database = before.pop().filter(given);
        Self { database, policy, name }
    }
}
