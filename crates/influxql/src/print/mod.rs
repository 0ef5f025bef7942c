//! Syntax tree to text, in the form in which the real server prints it: words in capitals, quotes only where a name needs
//! them, durations in their largest unit. What was parsed and is printed parses to the same tree, but for passwords, which
//! are never printed.
//!
//! In two places the text is not that of the real server, whose text would mean something else: a number that three
//! decimals do not hold is printed in full, and `a / -b` keeps its minus (the real server prints `a / -1 * b`).

mod admin;
mod expr;
mod quote;
mod select;
mod show;

pub(crate) use quote::quote_segments;

use std::fmt::{self, Display, Formatter};

use crate::ast::{Removal, Statement};
use quote::Ident;

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(select) => select.fmt(f),
            Self::Explain { analyze, select } => {
                write!(f, "EXPLAIN {}{select}", if *analyze { "ANALYZE " } else { "" })
            }
            Self::Show(show) => show.fmt(f),
            Self::Delete(removal) => write!(f, "DELETE{removal}"),
            Self::DropSeries(removal) => write!(f, "DROP SERIES{removal}"),
            Self::DropMeasurement { name } => write!(f, "DROP MEASUREMENT {}", Ident(name)),
            Self::DropShard { id } => write!(f, "DROP SHARD {id}"),
            Self::KillQuery { id, host: None } => write!(f, "KILL QUERY {id}"),
            Self::KillQuery { id, host: Some(host) } => write!(f, "KILL QUERY {id} ON {}", Ident(host)),
            other => admin::write_statement(f, other),
        }
    }
}

/// With a blank before each clause.
impl Display for Removal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.sources.is_empty() {
            f.write_str(" FROM ")?;
            list(f, &self.sources)?;
        }
        clause(f, " WHERE ", self.condition.as_ref())
    }
}

/// The items with commas between them.
fn list<T: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// The words and the value, if there is one.
fn clause<T: Display>(f: &mut Formatter<'_>, words: &str, value: Option<T>) -> fmt::Result {
    match value {
        Some(value) => write!(f, "{words}{value}"),
        None => Ok(()),
    }
}

/// The word and the number, unless it is 0.
fn count(f: &mut Formatter<'_>, word: &str, count: u64) -> fmt::Result {
    if count > 0 { write!(f, " {word} {count}") } else { Ok(()) }
}
