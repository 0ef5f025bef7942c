//! WHERE: bounds of time are taken out of the whole expression and intersected, what remains is the filter of points.
//!
//! As in InfluxDB it makes no difference whether a comparison with time stands under AND or under OR.

use influxql::ast::{BinaryOp, Expr};

use super::constant::{Clock, Constant, constant};
use super::fields::reference;
use super::time::{self, Bounds};
use super::{Dialect, depth, math, sources, text};
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
            Expr::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), .. } => {
                let parts: Vec<Condition> =
                    chain(*op, expr).into_iter().map(|part| self.logical(part)).collect::<Result<_, _>>()?;
                let bounds = parts.iter().fold(Bounds::default(), |all, part| all.intersect(part.bounds));
                let filters = parts.into_iter().filter_map(|part| part.filter).collect();
                Ok(Condition { bounds, filter: joined_all(*op, filters) })
            }
            _ => {
                depth::check(expr)?;
                self.comparison(expr)
            }
        }
    }

    fn comparison(&self, expr: &Expr) -> Result<Condition, QueryError> {
        match expr {
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
                Ok(Planned::Binary { op: *op, left: Box::new(left), right: Box::new(right) })
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

/// What stands between operators of one kind: `a`, `b` and `c` of `a OR b OR c`.
fn chain(op: BinaryOp, expr: &Expr) -> Vec<&Expr> {
    let (mut first, mut parts) = (expr, Vec::new());
    while let Expr::Binary { op: other, left, right } = first
        && *other == op
    {
        parts.push(right.as_ref());
        first = left;
    }
    parts.push(first);
    parts.reverse();
    parts
}

/// All of them, or any, as a tree that is no deeper than it must be.
fn joined_all(op: BinaryOp, mut parts: Vec<Planned>) -> Option<Planned> {
    match parts.len() {
        0 | 1 => parts.pop(),
        count => {
            let right = joined_all(op, parts.split_off(count / 2))?;
            Some(joined(op, joined_all(op, parts)?, right))
        }
    }
}

fn joined(op: BinaryOp, left: Planned, right: Planned) -> Planned {
    // `false` decides AND, `true` decides OR; the other one of them has no say.
    let deciding = op == BinaryOp::Or;
    match (is(&left, deciding) || is(&right, deciding), is(&left, !deciding), is(&right, !deciding)) {
        (true, _, _) => boolean(deciding),
        (_, true, _) => right,
        (_, _, true) => left,
        _ => Planned::Binary { op, left: Box::new(left), right: Box::new(right) },
    }
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

#[cfg(test)]
mod tests {
    use super::super::sample::*;
    use super::super::{Context, compile};
    use super::*;
    use influxql::ast::BinaryOp::{Add, And, Eq, Greater, GreaterEq, Less, LessEq, Matches, NotEq, Or, Sub};

    fn range(condition: Expr) -> (i64, i64) {
        let range = plan(&filtered(condition)).range;
        (range.start.0, range.end.0)
    }

    fn filter(condition: Expr) -> Option<String> {
        plan(&filtered(condition)).filter.map(|filter| format!("{filter:?}"))
    }

    fn time(op: BinaryOp, at: Expr) -> Expr {
        binary(name("time"), op, at)
    }

    fn hosts(host: &str) -> Expr {
        binary(name("h"), Eq, text(host))
    }

    #[test]
    fn comparisons_with_time_bound_the_range_half_open() {
        assert_eq!(range(time(Greater, Expr::Integer(5))), (6, i64::MAX));
        assert_eq!(range(time(GreaterEq, Expr::Integer(5))), (5, i64::MAX));
        assert_eq!(range(time(Less, Expr::Integer(5))), (i64::MIN, 5));
        assert_eq!(range(time(LessEq, Expr::Integer(5))), (i64::MIN, 6));
        assert_eq!(range(time(Eq, Expr::Duration(SECOND))), (SECOND, SECOND + 1));
        assert_eq!(range(binary(Expr::Integer(5), Less, name("time"))), (6, i64::MAX));
        assert_eq!(range(time(Greater, Expr::Float(1.9))), (2, i64::MAX));
    }

    #[test]
    fn bounds_are_intersected_under_or_too_and_leave_the_rest() {
        let both = binary(time(GreaterEq, Expr::Integer(5)), Or, paren(time(Less, Expr::Integer(9))));
        assert_eq!(range(both.clone()), (5, 9));
        assert_eq!(filter(both.clone()), None);
        assert_eq!(filter(binary(paren(hosts("a")), Or, both)), filter(hosts("a")));
    }

    #[test]
    fn times_are_reckoned() {
        let now = || call("now", []);
        assert_eq!(range(time(GreaterEq, binary(now(), Sub, Expr::Duration(MINUTE)))).0, NOW.0 - MINUTE);
        let day = binary(text("1970-01-01"), Add, paren(binary(Expr::Duration(SECOND), Add, Expr::Duration(5))));
        assert_eq!(range(time(GreaterEq, day)).0, SECOND + 5);
        assert_eq!(range(time(GreaterEq, binary(Expr::Integer(7), Add, Expr::Duration(5)))).0, 12);
        assert_eq!(range(time(GreaterEq, binary(now(), Sub, now()))).0, 0);
    }

    #[test]
    fn dates_are_on_the_clocks_of_the_zone() {
        let mut query = filtered(time(GreaterEq, text("1970-01-02")));
        query.time_zone = Some("Asia/Shanghai".to_owned());
        assert_eq!(plan(&query).range.start.0, 16 * 60 * MINUTE);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let refused = |op, value| refusal(&filtered(time(op, value)));
        let odd = |kind| format!("invalid operation: time and *influxql.{kind} are not compatible");
        assert_eq!(refused(Greater, text("not a time")), odd("StringLiteral"));
        assert_eq!(refused(Matches, Expr::Regex("x".to_owned())), odd("RegexLiteral"));
        assert_eq!(refused(Greater, name("h")), odd("VarRef"));
        assert_eq!(refused(Greater, Expr::Boolean(true)), odd("BooleanLiteral"));
        assert_eq!(refused(Greater, Expr::Unsigned(1 << 63)), odd("UnsignedLiteral"));
        assert_eq!(refused(Greater, call("now", [Expr::Integer(1)])), odd("Call"));
        assert_eq!(refused(Greater, binary(text("x"), Add, Expr::Duration(1))), odd("BinaryExpr"));
        assert_eq!(refused(Greater, text("2024-13-10")), "invalid timestamp string");
        assert_eq!(refused(NotEq, Expr::Integer(1)), "invalid time comparison operator: !=");
        assert_eq!(refused(Greater, text("2300-01-01")), "time 2300-01-01T00:00:00Z overflows time literal");
        assert_eq!(refused(Greater, text("1600-01-01")), "time 1600-01-01T00:00:00Z underflows time literal");
    }

    #[test]
    fn conditions_that_say_nothing_vanish() {
        let one = || binary(Expr::Integer(1), Eq, Expr::Integer(1));
        assert_eq!(filter(Expr::Boolean(true)), None);
        assert_eq!(filter(paren(one())), None);
        assert_eq!(filter(binary(hosts("a"), And, one())), filter(hosts("a")));
        assert_eq!(filter(binary(Expr::Boolean(false), Or, hosts("a"))), filter(hosts("a")));
        assert_eq!(filter(binary(Expr::Boolean(false), And, hosts("a"))), filter(Expr::Boolean(false)));
        assert_eq!(filter(Expr::Boolean(false)).as_deref(), Some("Literal(Boolean(false))"));
    }

    #[test]
    fn what_compares_nothing_is_no_condition() {
        let refused = |condition| refusal(&filtered(condition));
        assert_eq!(refused(name("h")), "invalid condition expression: h");
        assert_eq!(refused(paren(Expr::Integer(3))), "invalid condition expression: 3");
        assert_eq!(refused(of_v("mean")), "invalid condition expression: mean(v)");
        assert_eq!(
            refused(binary(of_v("mean"), Greater, Expr::Integer(1))),
            "invalid function call in condition: mean(v)"
        );
    }

    #[test]
    fn mathematical_functions_may_be_compared() {
        assert!(filter(binary(of_v("abs"), Greater, Expr::Integer(1))).unwrap().contains("Abs"));
        assert_eq!(
            refusal(&filtered(binary(of_v("pow"), Greater, Expr::Integer(1)))),
            "invalid number of arguments for pow, expected 2, got 1"
        );
        let log = filtered(binary(call("log", [name("v"), Expr::Integer(2)]), Greater, Expr::Integer(1)));
        assert_eq!(refusal(&log), "invalid number of arguments for log, expected 1, got 2");
        assert!(compile(&log, &Context { dialect: Dialect::Extended, ..context() }).is_ok());
    }
}
