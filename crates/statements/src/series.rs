//! Which series of a measurement fulfil a condition on tags.

use std::cmp::Ordering;

use catalog::{Names, TagCondition, TagWanted};
use model::{MeasurementId, SeriesId};
use query::Cell;
use query::plan::expr::{BinaryOp, Cast, Expr, Reference};

use crate::failure::Failure;

/// What a condition on a field's value means, where only names are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldConditions {
    /// Every series may fulfil it.
    TakeAll,
    /// No series fulfils it.
    TakeNone,
    /// It is an error.
    Refuse,
}

/// Looks for series of one measurement. Sets of series are ascending.
pub(crate) struct Matcher<'a> {
    pub(crate) names: &'a Names,
    pub(crate) measurement: MeasurementId,
    /// Its name.
    pub(crate) name: &'a str,
    pub(crate) fields: FieldConditions,
}

impl Matcher<'_> {
    /// The series that fulfil `filter`.
    pub(crate) fn matching(&self, filter: Option<&Expr>) -> Result<Vec<SeriesId>, Failure> {
        match filter {
            None => Ok(self.all()),
            Some(Expr::Binary { op: BinaryOp::And, left, right }) => {
                Ok(both(&self.matching(Some(left))?, &self.matching(Some(right))?))
            }
            Some(Expr::Binary { op: BinaryOp::Or, left, right }) => {
                Ok(either(&self.matching(Some(left))?, &self.matching(Some(right))?))
            }
            Some(Expr::Binary { op, left, right }) => match (&**left, &**right) {
                (Expr::Reference(tag), other) | (other, Expr::Reference(tag)) => self.comparison(*op, tag, other),
                _ => self.field_condition(),
            },
            Some(Expr::Literal(Cell::Boolean(value))) => Ok(if *value { self.all() } else { Vec::new() }),
            Some(_) => self.field_condition(),
        }
    }

    fn comparison(&self, op: BinaryOp, tag: &Reference, other: &Expr) -> Result<Vec<SeriesId>, Failure> {
        if self.is_field(tag) {
            return self.field_condition();
        }
        match (other, op) {
            (Expr::Literal(Cell::String(value)), BinaryOp::Eq) => Ok(self.with(tag, Is(value))),
            (Expr::Literal(Cell::String(value)), BinaryOp::NotEq) => Ok(self.with(tag, IsNot(value))),
            (Expr::Literal(Cell::String(_)), _) => Err(Failure::message("invalid tag comparison operator")),
            (Expr::Pattern(pattern), BinaryOp::Matches) => Ok(self.with(tag, Test(&|v| pattern.is_match(v)))),
            (Expr::Pattern(pattern), BinaryOp::NotMatches) => Ok(self.with(tag, Test(&|v| !pattern.is_match(v)))),
            (Expr::Reference(other), _) if self.is_field(other) => self.field_condition(),
            // Two tags are never equal, as in InfluxDB.
            (Expr::Reference(_), _) => Ok(Vec::new()),
            _ => self.field_condition(),
        }
    }

    fn with(&self, tag: &Reference, wanted: Comparison<'_>) -> Vec<SeriesId> {
        if tag.name == "_name" {
            return if wanted.accepts(self.name) { self.all() } else { Vec::new() };
        }
        let select = |wanted| self.names.select(self.measurement, &[TagCondition { key: &tag.name, wanted }]);
        match wanted {
            Is(value) => select(TagWanted::In(&[value.to_owned()])),
            IsNot(value) => select(TagWanted::NotIn(&[value.to_owned()])),
            Test(test) => select(TagWanted::Test(test)),
        }
    }

    fn is_field(&self, reference: &Reference) -> bool {
        match reference.cast {
            Some(Cast::Tag) => false,
            Some(Cast::Field | Cast::Type(_)) => true,
            None => self.names.fields(self.measurement).iter().any(|f| f.name == reference.name),
        }
    }

    fn field_condition(&self) -> Result<Vec<SeriesId>, Failure> {
        match self.fields {
            FieldConditions::TakeAll => Ok(self.all()),
            FieldConditions::TakeNone => Ok(Vec::new()),
            FieldConditions::Refuse => Err(Failure::message("fields not supported in WHERE clause during deletion")),
        }
    }

    fn all(&self) -> Vec<SeriesId> {
        self.names.series_of(self.measurement).to_vec()
    }
}

/// How the value of a tag is compared.
enum Comparison<'a> {
    Is(&'a str),
    IsNot(&'a str),
    Test(&'a dyn Fn(&str) -> bool),
}

use Comparison::{Is, IsNot, Test};

impl Comparison<'_> {
    fn accepts(&self, value: &str) -> bool {
        match self {
            Is(wanted) => value == *wanted,
            IsNot(unwanted) => value != *unwanted,
            Test(test) => test(value),
        }
    }
}

/// What is in both of two ascending sets.
fn both(left: &[SeriesId], right: &[SeriesId]) -> Vec<SeriesId> {
    left.iter().copied().filter(|id| right.binary_search(id).is_ok()).collect()
}

/// What is in one of two ascending sets.
fn either(left: &[SeriesId], right: &[SeriesId]) -> Vec<SeriesId> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().copied().peekable(), right.iter().copied().peekable());
    while let (Some(l), Some(r)) = (left.peek().copied(), right.peek().copied()) {
        let order = l.cmp(&r);
        let from_left = if order == Ordering::Greater { None } else { left.next() };
        let from_right = if order == Ordering::Less { None } else { right.next() };
        out.extend(from_left.or(from_right));
    }
    out.extend(left);
    out.extend(right);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[u32]) -> Vec<SeriesId> {
        ids.iter().copied().map(SeriesId).collect()
    }

    #[test]
    fn sets_are_joined_in_order_and_without_repetition() {
        let (a, b) = (ids(&[1, 3, 5, 7]), ids(&[2, 3, 4, 7, 9]));
        assert_eq!(both(&a, &b), ids(&[3, 7]));
        assert_eq!(either(&a, &b), ids(&[1, 2, 3, 4, 5, 7, 9]));
        assert_eq!(either(&a, &[]), a);
        assert_eq!(both(&a, &[]), ids(&[]));
    }
}
