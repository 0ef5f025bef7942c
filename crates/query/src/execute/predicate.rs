//! Takes the conditions on tags out of a filter, so that the store's index can answer them.

use std::sync::Arc;

use regex::Regex;

use crate::plan::expr::{BinaryOp, Cast, Expr, Reference};
use crate::result::Cell;
use crate::store::{Schema, TagCondition, TagMatch};

/// What of a filter the index answers, and what is left to look at series by series or row by row.
#[derive(Default)]
pub(super) struct Split {
    pub(super) tags: Vec<TagCondition>,
    pub(super) rest: Option<Expr>,
}

/// Splits a filter for a measurement with this schema. All parts must hold.
pub(super) fn split(filter: &Expr, schema: &Schema) -> Split {
    let mut split = Split::default();
    add(filter, schema, &mut split);
    split
}

fn add(filter: &Expr, schema: &Schema, split: &mut Split) {
    if let Expr::Binary { op: BinaryOp::And, left, right } = filter {
        add(left, schema, split);
        add(right, schema, split);
    } else if let Some(condition) = tag_condition(filter, schema) {
        split.tags.push(condition);
    } else {
        let rest = match split.rest.take() {
            None => filter.clone(),
            Some(before) => Expr::Binary { op: BinaryOp::And, left: Box::new(before), right: Box::new(filter.clone()) },
        };
        split.rest = Some(rest);
    }
}

/// The condition on one tag that an expression is.
fn tag_condition(filter: &Expr, schema: &Schema) -> Option<TagCondition> {
    let Expr::Binary { op, left, right } = filter else { return None };
    if *op == BinaryOp::Or {
        return any_of(tag_condition(left, schema)?, tag_condition(right, schema)?);
    }
    let (key, matches) = match (&**left, &**right) {
        (Expr::Reference(reference), Expr::Literal(Cell::String(value)))
        | (Expr::Literal(Cell::String(value)), Expr::Reference(reference)) => {
            (tag_key(reference, schema)?, compared(*op, value)?)
        }
        (Expr::Reference(reference), Expr::Pattern(pattern)) => (tag_key(reference, schema)?, matched(*op, pattern)?),
        _ => return None,
    };
    Some(TagCondition { key: key.to_owned(), matches })
}

fn compared(op: BinaryOp, value: &str) -> Option<TagMatch> {
    match op {
        BinaryOp::Eq => Some(TagMatch::In(vec![value.to_owned()])),
        BinaryOp::NotEq => Some(TagMatch::NotIn(vec![value.to_owned()])),
        _ => None,
    }
}

fn matched(op: BinaryOp, pattern: &Arc<Regex>) -> Option<TagMatch> {
    match op {
        BinaryOp::Matches => Some(TagMatch::Like(Arc::clone(pattern))),
        BinaryOp::NotMatches => Some(TagMatch::NotLike(Arc::clone(pattern))),
        _ => None,
    }
}

/// `tag = 'a' OR tag = 'b'`
fn any_of(left: TagCondition, right: TagCondition) -> Option<TagCondition> {
    match (left.matches, right.matches) {
        (TagMatch::In(mut left_values), TagMatch::In(mut right_values)) if left.key == right.key => {
            left_values.append(&mut right_values);
            Some(TagCondition { key: left.key, matches: TagMatch::In(left_values) })
        }
        _ => None,
    }
}

fn tag_key<'r>(reference: &'r Reference, schema: &Schema) -> Option<&'r str> {
    is_tag(reference, schema).then_some(reference.name.as_str())
}

/// Whether a name in a condition means a tag: it does where there is no such field, also when there is no such tag.
pub(super) fn is_tag(reference: &Reference, schema: &Schema) -> bool {
    match reference.cast {
        Some(Cast::Tag) => true,
        Some(Cast::Field | Cast::Type(_)) => false,
        None => schema.fields.binary_search_by(|(name, _)| name.as_str().cmp(&reference.name)).is_err(),
    }
}
