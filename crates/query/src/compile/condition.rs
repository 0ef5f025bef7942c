//! WHERE: bounds of time are taken out of the whole expression and intersected, what remains is the filter of points.
//!
//! As in InfluxDB it makes no difference whether a comparison with time stands under AND or under OR.

use influxql::ast::{BinaryOp, Expr};

use super::constant::{Clock, Constant, constant};
use super::fields::{operator, reference};
use super::time::{self, Bounds};
use super::{Dialect, math, sources, text};
use crate::QueryError;
use crate::plan::expr::{Expr as Planned, MathFunction};
use crate::result::Cell;

/// The two halves of a condition.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) bounds: Bounds,
    /// `None`: every point will do.
    pub(super) filter: Option<Planned>,
}

/// Takes a condition apart.
pub(super) fn split(condition: Option<&Expr>, clock: &Clock, dialect: Dialect) -> Result<Condition, QueryError> {
    let Some(condition) = condition else { return Ok(Condition::default()) };
    let mut split = Splitter { clock, dialect }.logical(condition)?;
    split.filter = split.filter.filter(|filter| !is(filter, true));
    Ok(split)
}

struct Splitter<'a> {
    clock: &'a Clock<'a>,
    dialect: Dialect,
}

impl Splitter<'_> {
    /// An expression that is true or false.
    fn logical(&self, expr: &Expr) -> Result<Condition, QueryError> {
        match expr {
            Expr::Paren(inner) => self.logical(inner),
            Expr::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
                let (left, right) = (self.logical(left)?, self.logical(right)?);
                Ok(Condition {
                    bounds: left.bounds.intersect(right.bounds),
                    filter: joined(*op, left.filter, right.filter),
                })
            }
            Expr::Binary { op, left, right } if time::is_time(left) => only_bounds(*op, right, self.clock),
            Expr::Binary { op, left, right } if time::is_time(right) => {
                only_bounds(time::mirrored(*op), left, self.clock)
            }
            Expr::Binary { .. } => Ok(Condition { filter: Some(self.value(expr)?), ..Condition::default() }),
            Expr::Boolean(value) => Ok(Condition { filter: Some(boolean(*value)), ..Condition::default() }),
            other => Err(invalid_condition(other)),
        }
    }

    /// Any part of a comparison.
    fn value(&self, expr: &Expr) -> Result<Planned, QueryError> {
        if let Some(constant) = constant(expr, self.clock) {
            return Ok(Planned::Literal(Constant::into_cell(constant)));
        }
        match expr {
            Expr::Paren(inner) => self.value(inner),
            Expr::Reference { name, cast } => Ok(Planned::Reference(reference(name, *cast))),
            Expr::Regex(text) => Ok(Planned::Pattern(sources::pattern(text)?)),
            Expr::Binary { op, left, right } => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Ok(Planned::Binary { op: operator(*op), left: Box::new(left), right: Box::new(right) })
            }
            Expr::Call { name, args } => self.call(expr, name, args),
            other => Err(invalid_condition(other)),
        }
    }

    fn call(&self, expr: &Expr, name: &str, args: &[Expr]) -> Result<Planned, QueryError> {
        let Some(function) = math::function(name) else {
            return Err(QueryError::invalid(format!("invalid function call in condition: {}", text::show(expr))));
        };
        math::check_arity(name, self.arity(function), args.len())?;
        if args.len() != math::arity(function) {
            return Ok(Planned::Literal(Cell::Null));
        }
        let args = args.iter().map(|arg| self.value(arg)).collect::<Result<_, _>>()?;
        Ok(Planned::Math { function, args })
    }

    /// NOTE: InfluxDB 1.6 allows `log` a single argument in conditions; what it gives then is never true.
    fn arity(&self, function: MathFunction) -> usize {
        match (self.dialect, function) {
            (Dialect::Strict, MathFunction::Log) => 1,
            _ => math::arity(function),
        }
    }
}

fn only_bounds(op: BinaryOp, value: &Expr, clock: &Clock) -> Result<Condition, QueryError> {
    Ok(Condition { bounds: time::bounds(op, value, clock)?, filter: None })
}

/// Both, or either; where one half was about time alone, the other.
fn joined(op: BinaryOp, left: Option<Planned>, right: Option<Planned>) -> Option<Planned> {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return left.or(right),
    };
    // `false` decides AND, `true` decides OR; the other one of them has no say.
    let deciding = op == BinaryOp::Or;
    Some(match (is(&left, deciding) || is(&right, deciding), is(&left, !deciding), is(&right, !deciding)) {
        (true, _, _) => boolean(deciding),
        (_, true, _) => right,
        (_, _, true) => left,
        _ => Planned::Binary { op: operator(op), left: Box::new(left), right: Box::new(right) },
    })
}

fn boolean(value: bool) -> Planned {
    Planned::Literal(Cell::Boolean(value))
}

fn is(expr: &Planned, value: bool) -> bool {
    matches!(expr, Planned::Literal(Cell::Boolean(literal)) if *literal == value)
}

fn invalid_condition(expr: &Expr) -> QueryError {
    QueryError::invalid(format!("invalid condition expression: {}", text::show(expr)))
}
