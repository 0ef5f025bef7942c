//! Conditions of requests as expressions of a plan.

use crate::QueryError;
use crate::plan::expr::{BinaryOp, Cast, Expr, Reference};
use crate::result::Cell;

use super::common::{OneOrMany, TagFilter};

/// All conditions together; `None` without any.
pub(super) fn filter(tags: TagFilter) -> Result<Option<Expr>, QueryError> {
    let conditions = tags.into_iter().map(|(key, values)| condition(&key, values)).collect::<Result<Vec<_>, _>>()?;
    Ok(joined(BinaryOp::And, conditions))
}

fn condition(key: &str, values: OneOrMany) -> Result<Expr, QueryError> {
    let equals = |value: String| Expr::Binary {
        op: BinaryOp::Eq,
        left: Box::new(Expr::Reference(Reference { name: key.to_owned(), cast: Some(Cast::Tag) })),
        right: Box::new(Expr::Literal(Cell::String(value))),
    };
    let values = values.into_vec().into_iter().map(equals).collect();
    joined(BinaryOp::Or, values).ok_or_else(|| {
        QueryError::invalid(format!("the list of values of tag `{key}` is empty: expected at least one"))
    })
}

/// Expressions joined pair by pair, so that even a long list makes no deep tree.
fn joined(op: BinaryOp, mut parts: Vec<Expr>) -> Option<Expr> {
    while parts.len() > 1 {
        let mut rest = parts.into_iter();
        let mut pairs = Vec::with_capacity(rest.len().div_ceil(2));
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => Expr::Binary { op, left: Box::new(left), right: Box::new(right) },
                None => left,
            });
        }
        parts = pairs;
    }
    parts.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(expr: &Expr) -> usize {
        match expr {
            Expr::Binary { left, right, .. } => 1 + depth(left).max(depth(right)),
            _ => 1,
        }
    }

    #[test]
    fn a_long_list_of_values_makes_no_deep_tree() {
        let values = (0..100_000).map(|n| n.to_string()).collect();
        let tags = TagFilter::from([("channel".to_owned(), OneOrMany::Many(values))]);
        assert_eq!(depth(&filter(tags).unwrap().unwrap()), 19);
    }

    #[test]
    fn no_tags_are_no_condition() {
        assert!(filter(TagFilter::new()).unwrap().is_none());
    }
}
