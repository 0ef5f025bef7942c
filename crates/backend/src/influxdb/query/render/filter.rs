//! What a point must fulfil besides its time.

use influxql::ast::Expr as SaidExpr;
use query::Cell;
use query::plan::expr::{BinaryOp, Expr, Reference};
use query::store::{TagCondition, TagMatch};

use super::expr::{in_parentheses, literal, math, reference};
use super::names::{self, any_of};
use super::{NotSayable, Said, not_sayable};

/// So many values that any may hold become a pattern: a server follows a long chain of OR slowly, and refuses a very long one.
const MANY: usize = 100;

/// A condition of a plan.
pub(super) fn filter(of: &Expr) -> Said<SaidExpr> {
    match of {
        Expr::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
            if let Some(pattern) = long_list(of) {
                return pattern;
            }
            Ok(names::binary(part(filter(left)?), *op, part(filter(right)?)))
        }
        Expr::Binary { left, right, .. } if is_time(left) || is_time(right) => not_sayable("a tag called `time`"),
        Expr::Binary { .. } | Expr::Literal(Cell::Boolean(_)) => value(of),
        _ => not_sayable("a condition that compares nothing"),
    }
}

/// A condition as a part of a larger one: comparisons bind more tightly than AND and OR.
pub(super) fn part(condition: SaidExpr) -> SaidExpr {
    match condition {
        SaidExpr::Binary { op: BinaryOp::And | BinaryOp::Or, .. } => in_parentheses(condition),
        comparison => comparison,
    }
}

/// Any of some conditions, as a part of a larger one.
pub(in super::super) fn any(conditions: Vec<SaidExpr>) -> Option<SaidExpr> {
    let parts = conditions.into_iter().map(part);
    parts.reduce(|any, condition| names::binary(any, BinaryOp::Or, condition)).map(part)
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Reference(reference) if names::is_time(&reference.name))
}

/// Any part of a comparison.
fn value(of: &Expr) -> Said<SaidExpr> {
    match of {
        Expr::Reference(of) => reference(of),
        Expr::Literal(cell) => literal(cell),
        Expr::Pattern(pattern) => names::pattern(pattern),
        Expr::Binary { op, left, right } => {
            Ok(names::binary(in_parentheses(value(left)?), *op, in_parentheses(value(right)?)))
        }
        Expr::Math { function, args } => math(*function, args, &|arg| value(arg).map(in_parentheses)),
        Expr::All(_) | Expr::Like(_) | Expr::Aggregate(_) | Expr::Transform(_) => {
            not_sayable("a condition on the result of a function")
        }
    }
}

/// The pattern for `tag = 'a' OR tag = 'b' OR ...`, if the expression is such a list and a long one.
fn long_list(of: &Expr) -> Option<Said<SaidExpr>> {
    let mut list = List::default();
    list.add(of)?;
    let key = list.key.filter(|_| list.values.len() > MANY)?;
    let is_pattern = |key| Ok(names::binary(key, influxql::ast::BinaryOp::Matches, any_of(list.values)));
    Some(reference(key).and_then(is_pattern))
}

/// Values that one field or tag may have.
#[derive(Default)]
struct List<'e> {
    key: Option<&'e Reference>,
    values: Vec<&'e str>,
}

impl<'e> List<'e> {
    /// `None` when the expression is no such list.
    fn add(&mut self, of: &'e Expr) -> Option<()> {
        let Expr::Binary { op, left, right } = of else { return None };
        if *op == BinaryOp::Or {
            self.add(left)?;
            return self.add(right);
        }
        let (BinaryOp::Eq, Expr::Reference(key), Expr::Literal(Cell::String(value))) = (op, &**left, &**right) else {
            return None;
        };
        self.values.push(value);
        (**self.key.get_or_insert(key) == *key).then_some(())
    }
}

/// A condition on a tag, in any statement.
pub(in super::super) fn tag_condition(of: &TagCondition) -> Said<SaidExpr> {
    let key = names::tag(&of.key)?;
    let (op, right) = match &of.matches {
        TagMatch::In(values) => (BinaryOp::Matches, any_of(values.iter().map(String::as_str))),
        TagMatch::NotIn(values) => (BinaryOp::NotMatches, any_of(values.iter().map(String::as_str))),
        TagMatch::Like(pattern) => (BinaryOp::Matches, names::pattern(pattern)?),
        TagMatch::NotLike(pattern) => (BinaryOp::NotMatches, names::pattern(pattern)?),
    };
    match &of.matches {
        TagMatch::In(values) if values.is_empty() => Err(NotSayable("a list without values".to_owned())),
        TagMatch::In(values) if values.len() == 1 => names::equals(&of.key, values.first().map_or("", String::as_str)),
        _ => Ok(names::binary(key, op, right)),
    }
}
