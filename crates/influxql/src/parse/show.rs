//! SHOW.

use super::{Parsed, Parser};
use crate::ast::BinaryOp as Op;
use crate::ast::{Countable, KeyCondition, MeasurementName, Scope, Show};
use crate::token::{Keyword as K, Kind};

impl Parser<'_> {
    /// The word SHOW was read.
    pub(super) fn show(&mut self) -> Parsed<Show> {
        let token = self.tokens.next();
        let Kind::Word(word) = token.kind else { return Err(self.unexpected(&token, WHAT)) };
        match word {
            K::Continuous => self.expect_words(&[K::Queries]).map(|()| Show::ContinuousQueries),
            K::Databases => Ok(Show::Databases),
            K::Diagnostics => Ok(Show::Diagnostics { module: self.module()? }),
            K::Field => self.show_field(),
            K::Grants => self.show_grants(),
            K::Measurement => self.show_measurement_cardinality(),
            K::Measurements => self.show_measurements(),
            K::Queries => Ok(Show::Queries),
            K::Retention => self.show_policies(),
            K::Series => self.show_series(),
            K::Shard => self.expect_words(&[K::Groups]).map(|()| Show::ShardGroups),
            K::Shards => Ok(Show::Shards),
            K::Stats => Ok(Show::Stats { module: self.module()? }),
            K::Subscriptions => Ok(Show::Subscriptions),
            K::Tag => self.show_tag(),
            K::Users => Ok(Show::Users),
            _ => Err(self.unexpected(&token, WHAT)),
        }
    }

    fn module(&mut self) -> Parsed<Option<String>> {
        if self.accept_word(K::For) { self.string().map(Some) } else { Ok(None) }
    }

    fn show_grants(&mut self) -> Parsed<Show> {
        self.expect_words(&[K::For])?;
        Ok(Show::Grants { user: self.ident()? })
    }

    fn show_policies(&mut self) -> Parsed<Show> {
        self.expect_words(&[K::Policies])?;
        Ok(Show::RetentionPolicies { database: self.optional_database()? })
    }

    fn show_field(&mut self) -> Parsed<Show> {
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(K::Key) => self.counted_keys(Countable::FieldKeys),
            Kind::Word(K::Keys) => self.show_field_keys(),
            _ => Err(self.unexpected(&token, &["KEY", "KEYS"])),
        }
    }

    fn show_tag(&mut self) -> Parsed<Show> {
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(K::Key) => self.counted_keys(Countable::TagKeys),
            Kind::Word(K::Keys) => self.show_tag_keys(),
            Kind::Word(K::Values) => self.show_tag_values(),
            _ => Err(self.unexpected(&token, &["KEY", "KEYS", "VALUES"])),
        }
    }

    fn show_field_keys(&mut self) -> Parsed<Show> {
        let mut scope = self.scope()?;
        self.scope_end(&mut scope)?;
        Ok(Show::FieldKeys(scope))
    }

    fn show_tag_keys(&mut self) -> Parsed<Show> {
        let mut scope = self.scope()?;
        let with = if self.accept_word(K::With) { Some(self.key_condition()?) } else { None };
        scope.condition = self.condition()?;
        self.scope_end(&mut scope)?;
        scope.series_limit = self.count(K::SeriesLimit)?;
        scope.series_offset = self.count(K::SeriesOffset)?;
        Ok(Show::TagKeys { with, scope })
    }

    fn show_tag_values(&mut self) -> Parsed<Show> {
        if self.accept_word(K::Exact) {
            self.expect_words(&[K::Cardinality])?;
            return self.cardinality(Countable::TagValues, true);
        }
        if self.accept_word(K::Cardinality) {
            return self.cardinality(Countable::TagValues, false);
        }
        let mut scope = self.scope()?;
        self.expect_words(&[K::With])?;
        let with = self.key_condition()?;
        scope.condition = self.condition()?;
        self.scope_end(&mut scope)?;
        Ok(Show::TagValues { with, scope })
    }

    /// `EXACT` without `CARDINALITY` means nothing, as in the real server.
    fn show_series(&mut self) -> Parsed<Show> {
        let exact = self.accept_word(K::Exact);
        if self.accept_word(K::Cardinality) {
            return self.cardinality(Countable::Series, exact);
        }
        let mut scope = self.scope()?;
        scope.condition = self.condition()?;
        self.scope_end(&mut scope)?;
        Ok(Show::Series(scope))
    }

    fn show_measurements(&mut self) -> Parsed<Show> {
        let mut scope = Scope { database: self.optional_database()?, ..Scope::default() };
        let with = if self.accept_word(K::With) { Some(self.measurement_condition()?) } else { None };
        scope.condition = self.condition()?;
        self.scope_end(&mut scope)?;
        Ok(Show::Measurements { with, scope })
    }

    /// Either operator takes either kind of name, and a database or policy before it counts for nothing.
    fn measurement_condition(&mut self) -> Parsed<MeasurementName> {
        self.expect_words(&[K::Measurement])?;
        let token = self.tokens.next();
        match token.kind {
            Kind::Operator(Op::Eq | Op::Matches) => Ok(self.measurement()?.name),
            _ => Err(self.unexpected(&token, &["=", "=~"])),
        }
    }

    fn show_measurement_cardinality(&mut self) -> Parsed<Show> {
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(K::Exact) => {
                self.expect_words(&[K::Cardinality])?;
                self.cardinality(Countable::Measurements, true)
            }
            Kind::Word(K::Cardinality) => self.cardinality(Countable::Measurements, false),
            _ => Err(self.unexpected(&token, &["EXACT", "CARDINALITY"])),
        }
    }

    fn counted_keys(&mut self, of: Countable) -> Parsed<Show> {
        let exact = self.accept_word(K::Exact);
        let expected: &[&str] = if exact { &["CARDINALITY"] } else { &["EXACT", "CARDINALITY"] };
        let token = self.tokens.next();
        if token.kind != Kind::Word(K::Cardinality) {
            return Err(self.unexpected(&token, expected));
        }
        self.cardinality(of, exact)
    }

    /// The word CARDINALITY was read.
    fn cardinality(&mut self, of: Countable, exact: bool) -> Parsed<Show> {
        let mut scope = self.scope()?;
        let with = match of {
            Countable::TagValues => {
                self.expect_words(&[K::With])?;
                Some(self.key_condition()?)
            }
            _ => None,
        };
        scope.condition = self.condition()?;
        let dimensions = self.dimensions()?;
        scope.limit = self.count(K::Limit)?;
        scope.offset = self.count(K::Offset)?;
        Ok(Show::Cardinality { of, exact, with, dimensions, scope })
    }

    /// `[ON db] [FROM ...]`
    fn scope(&mut self) -> Parsed<Scope> {
        let database = self.optional_database()?;
        Ok(Scope { database, sources: self.optional_measurements()?, ..Scope::default() })
    }

    /// `[ORDER BY ...] [LIMIT n] [OFFSET n]`
    fn scope_end(&mut self, scope: &mut Scope) -> Parsed<()> {
        scope.order = self.order()?;
        scope.limit = self.count(K::Limit)?;
        scope.offset = self.count(K::Offset)?;
        Ok(())
    }

    /// The word WITH was read.
    fn key_condition(&mut self) -> Parsed<KeyCondition> {
        self.expect_words(&[K::Key])?;
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(K::In) => self.key_list().map(KeyCondition::In),
            Kind::Operator(Op::Eq) => self.ident().map(KeyCondition::Is),
            Kind::Operator(Op::NotEq) => self.ident().map(KeyCondition::IsNot),
            Kind::Operator(Op::Matches) => self.required_regex().map(KeyCondition::Matches),
            Kind::Operator(Op::NotMatches) => self.required_regex().map(KeyCondition::NotMatches),
            _ => Err(self.unexpected(&token, &["IN", "=", "=~"])),
        }
    }

    fn key_list(&mut self) -> Parsed<Vec<String>> {
        self.expect(Kind::OpenParen, "(")?;
        let keys = self.idents()?;
        self.expect(Kind::CloseParen, ")")?;
        Ok(keys)
    }
}

/// What can be shown.
const WHAT: &[&str] = &[
    "CONTINUOUS",
    "DATABASES",
    "DIAGNOSTICS",
    "FIELD",
    "GRANTS",
    "MEASUREMENT",
    "MEASUREMENTS",
    "QUERIES",
    "RETENTION",
    "SERIES",
    "SHARD",
    "SHARDS",
    "STATS",
    "SUBSCRIPTIONS",
    "TAG",
    "USERS",
];
