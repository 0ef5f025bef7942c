//! SELECT and its parts.

use std::fmt::{self, Display, Formatter};

use super::quote::{Ident, Pattern, Text};
use super::{clause, count, list};
use crate::ast::{Field, Fill, Measurement, MeasurementName, Select, SortField, Source};

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        list(f, &self.fields)?;
        clause(f, " INTO ", self.into.as_ref())?;
        f.write_str(" FROM ")?;
        list(f, &self.sources)?;
        clause(f, " WHERE ", self.condition.as_ref())?;
        if !self.dimensions.is_empty() {
            f.write_str(" GROUP BY ")?;
            list(f, &self.dimensions)?;
        }
        self.fill.fmt(f)?;
        order(f, &self.order)?;
        count(f, "LIMIT", self.limit)?;
        count(f, "OFFSET", self.offset)?;
        count(f, "SLIMIT", self.series_limit)?;
        count(f, "SOFFSET", self.series_offset)?;
        match &self.time_zone {
            Some(name) => write!(f, " TZ({})", Text(name)),
            None => Ok(()),
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        clause(f, " AS ", self.alias.as_deref().map(Ident))
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measurement(measurement) => measurement.fmt(f),
            Self::Subquery(select) => write!(f, "({select})"),
        }
    }
}

impl Display for Measurement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(database) = &self.database {
            write!(f, "{}.", Ident(database))?;
        }
        if let Some(policy) = &self.policy {
            Ident(policy).fmt(f)?;
        }
        if self.database.is_some() || self.policy.is_some() {
            f.write_str(".")?;
        }
        self.name.fmt(f)
    }
}

impl Display for MeasurementName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => Ident(name).fmt(f),
            Self::Pattern(pattern) => Pattern(pattern).fmt(f),
            Self::FromSource => f.write_str(":MEASUREMENT"),
        }
    }
}

/// With a blank before it; the usual one is not printed.
impl Display for Fill {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::None => f.write_str(" fill(none)"),
            Self::Previous => f.write_str(" fill(previous)"),
            Self::Linear => f.write_str(" fill(linear)"),
            Self::Integer(value) => write!(f, " fill({value})"),
            Self::Float(value) if value.fract() == 0.0 => write!(f, " fill({value:.1})"),
            Self::Float(value) => write!(f, " fill({value})"),
        }
    }
}

impl Display for SortField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{} ", Ident(&self.name))?;
        }
        f.write_str(if self.ascending { "ASC" } else { "DESC" })
    }
}

/// `ORDER BY ...`, if there is something to order by.
pub(super) fn order(f: &mut Formatter<'_>, fields: &[SortField]) -> fmt::Result {
    if fields.is_empty() {
        return Ok(());
    }
    f.write_str(" ORDER BY ")?;
    list(f, fields)
}
