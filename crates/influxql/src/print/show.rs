//! SHOW.

use std::fmt::{self, Display, Formatter};

use super::quote::{Ident, Pattern, Text};
use super::select::order;
use super::{clause, count, list};
use crate::ast::{Countable, Expr, KeyCondition, MeasurementName, Scope, Show};

impl Display for Show {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Databases => f.write_str("SHOW DATABASES"),
            Self::Measurements { with, scope } => write_measurements(f, with.as_ref(), scope),
            Self::Series(scope) => write_scoped(f, "SHOW SERIES", None, scope),
            Self::TagKeys { with, scope } => write_scoped(f, "SHOW TAG KEYS", with.as_ref(), scope),
            Self::TagValues { with, scope } => write_scoped(f, "SHOW TAG VALUES", Some(with), scope),
            Self::FieldKeys(scope) => write_scoped(f, "SHOW FIELD KEYS", None, scope),
            Self::Cardinality { of, exact, with, dimensions, scope } => {
                let exact = if *exact { "EXACT " } else { "" };
                write!(f, "SHOW {} {exact}CARDINALITY", countable(*of))?;
                write_cardinality(f, with.as_ref(), dimensions, scope)
            }
            Self::RetentionPolicies { database } => {
                f.write_str("SHOW RETENTION POLICIES")?;
                clause(f, " ON ", database.as_deref().map(Ident))
            }
            Self::ContinuousQueries => f.write_str("SHOW CONTINUOUS QUERIES"),
            Self::Subscriptions => f.write_str("SHOW SUBSCRIPTIONS"),
            Self::Users => f.write_str("SHOW USERS"),
            Self::Grants { user } => write!(f, "SHOW GRANTS FOR {}", Ident(user)),
            Self::Queries => f.write_str("SHOW QUERIES"),
            Self::Stats { module } => write_module(f, "SHOW STATS", module.as_deref()),
            Self::Diagnostics { module } => write_module(f, "SHOW DIAGNOSTICS", module.as_deref()),
            Self::Shards => f.write_str("SHOW SHARDS"),
            Self::ShardGroups => f.write_str("SHOW SHARD GROUPS"),
        }
    }
}

fn countable(of: Countable) -> &'static str {
    match of {
        Countable::Series => "SERIES",
        Countable::Measurements => "MEASUREMENT",
        Countable::TagKeys => "TAG KEY",
        Countable::TagValues => "TAG VALUES",
        Countable::FieldKeys => "FIELD KEY",
    }
}

fn write_module(f: &mut Formatter<'_>, words: &str, module: Option<&str>) -> fmt::Result {
    f.write_str(words)?;
    clause(f, " FOR ", module.map(Text))
}

fn write_measurements(f: &mut Formatter<'_>, with: Option<&MeasurementName>, scope: &Scope) -> fmt::Result {
    f.write_str("SHOW MEASUREMENTS")?;
    clause(f, " ON ", scope.database.as_deref().map(Ident))?;
    match with {
        Some(pattern @ MeasurementName::Pattern(_)) => write!(f, " WITH MEASUREMENT =~ {pattern}")?,
        Some(name) => write!(f, " WITH MEASUREMENT = {name}")?,
        None => {}
    }
    write_end(f, scope)
}

fn write_scoped(f: &mut Formatter<'_>, words: &str, with: Option<&KeyCondition>, scope: &Scope) -> fmt::Result {
    f.write_str(words)?;
    write_begin(f, scope)?;
    clause(f, " WITH KEY ", with)?;
    write_end(f, scope)
}

fn write_cardinality(
    f: &mut Formatter<'_>,
    with: Option<&KeyCondition>,
    dimensions: &[Expr],
    scope: &Scope,
) -> fmt::Result {
    write_begin(f, scope)?;
    clause(f, " WITH KEY ", with)?;
    clause(f, " WHERE ", scope.condition.as_ref())?;
    if !dimensions.is_empty() {
        f.write_str(" GROUP BY ")?;
        list(f, dimensions)?;
    }
    count(f, "LIMIT", scope.limit)?;
    count(f, "OFFSET", scope.offset)
}

/// `[ON db] [FROM ...]`
fn write_begin(f: &mut Formatter<'_>, scope: &Scope) -> fmt::Result {
    clause(f, " ON ", scope.database.as_deref().map(Ident))?;
    if scope.sources.is_empty() {
        return Ok(());
    }
    f.write_str(" FROM ")?;
    list(f, &scope.sources)
}

/// `[WHERE ...] [ORDER BY ...] [LIMIT n] ...`
fn write_end(f: &mut Formatter<'_>, scope: &Scope) -> fmt::Result {
    clause(f, " WHERE ", scope.condition.as_ref())?;
    order(f, &scope.order)?;
    count(f, "LIMIT", scope.limit)?;
    count(f, "OFFSET", scope.offset)?;
    count(f, "SLIMIT", scope.series_limit)?;
    count(f, "SOFFSET", scope.series_offset)
}

impl Display for KeyCondition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(key) => write!(f, "= {}", Ident(key)),
            Self::IsNot(key) => write!(f, "!= {}", Ident(key)),
            Self::Matches(pattern) => write!(f, "=~ {}", Pattern(pattern)),
            Self::NotMatches(pattern) => write!(f, "!~ {}", Pattern(pattern)),
            Self::In(keys) => {
                f.write_str("IN (")?;
                list(f, keys.iter().map(|key| Ident(key)))?;
                f.write_str(")")
            }
        }
    }
}
