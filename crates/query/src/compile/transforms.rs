//! Functions over sequences of points: of a field, or of what another function gives window by window.

use influxql::ast::Expr;

use super::calls::unit_of;
use super::constant::Constant;
use super::fields::{Compiler, field_constant, field_type_name};
use super::{math, text};
use crate::QueryError;
use crate::plan::expr::{Expr as Planned, Transform, TransformCall};

impl Compiler<'_> {
    /// `None` when the name is that of no such function.
    pub(super) fn transform(&mut self, name: &str, args: &[Expr]) -> Option<Result<Planned, QueryError>> {
        let transform = match name {
            "derivative" | "non_negative_derivative" => derivative(name, args),
            "difference" | "non_negative_difference" => difference(name, args),
            "cumulative_sum" => math::check_arity(name, 1, args.len()).map(|()| Transform::CumulativeSum),
            "moving_average" => moving_average(args),
            "elapsed" => unit_of(name, args).map(|unit| Transform::Elapsed { unit_ns: unit.unwrap_or(1) }),
            "holt_winters" | "holt_winters_with_fit" => holt_winters(name, args),
            _ => return None,
        };
        let of = args.first().map(text::unwrapped);
        Some(transform.and_then(|transform| match of {
            Some(of) => self.transformed(transform, of),
            None => Err(math::wrong_arity(name, 1, 0)),
        }))
    }

    fn transformed(&mut self, transform: Transform, of: &Expr) -> Result<Planned, QueryError> {
        self.checks.has_aggregates = true;
        let of = match of {
            Expr::Call { name, args } => self.transformed_call(transform, of, name, args)?,
            field => self.transformed_field(transform, field)?,
        };
        Ok(Planned::Transform(TransformCall { transform, of: Box::new(of) }))
    }

    fn transformed_call(
        &mut self,
        transform: Transform,
        call: &Expr,
        name: &str,
        args: &[Expr],
    ) -> Result<Planned, QueryError> {
        if !self.scope.windowed {
            let message = format!("{} aggregate requires a GROUP BY interval", transform.name());
            return Err(QueryError::invalid(message));
        }
        if name == "distinct" {
            return self.distinct(args);
        }
        match self.expr(call)? {
            Planned::Math { .. } => Err(QueryError::invalid(format!("unsupported call: {name}"))),
            planned => Ok(planned),
        }
    }

    fn transformed_field(&mut self, transform: Transform, field: &Expr) -> Result<Planned, QueryError> {
        let name = transform.name();
        if matches!(transform, Transform::HoltWinters { .. }) {
            return Err(QueryError::invalid(format!("must use aggregate function with {name}")));
        }
        if self.scope.windowed && !self.scope.inherited {
            return Err(QueryError::invalid(format!("aggregate function required inside the call to {name}")));
        }
        self.symbol(name, field)
    }
}

fn derivative(name: &str, args: &[Expr]) -> Result<Transform, QueryError> {
    Ok(Transform::Derivative { unit_ns: unit_of(name, args)?, non_negative: is_non_negative(name) })
}

fn difference(name: &str, args: &[Expr]) -> Result<Transform, QueryError> {
    math::check_arity(name, 1, args.len())?;
    Ok(Transform::Difference { non_negative: is_non_negative(name) })
}

fn is_non_negative(name: &str) -> bool {
    name.starts_with("non_negative")
}

fn moving_average(args: &[Expr]) -> Result<Transform, QueryError> {
    let [_, points] = args else { return Err(math::wrong_arity("moving_average", 2, args.len())) };
    let message = match field_constant(points) {
        Some(Constant::Integer(points)) if points > 1 => {
            return Ok(Transform::MovingAverage { points: to_usize(points) });
        }
        Some(Constant::Integer(points)) => format!("moving_average window must be greater than 1, got {points}"),
        _ => format!("second argument for moving_average must be an integer, got {}", field_type_name(points)),
    };
    Err(QueryError::invalid(message))
}

fn holt_winters(name: &str, args: &[Expr]) -> Result<Transform, QueryError> {
    let [_, points, season] = args else { return Err(math::wrong_arity(name, 3, args.len())) };
    let message = match (integer(points), integer(season)) {
        (None, _) => format!("expected integer argument as second arg in {name}"),
        (Some(points), _) if points <= 0 => format!("second arg to {name} must be greater than 0, got {points}"),
        (_, None) => format!("expected integer argument as third arg in {name}"),
        (_, Some(season)) if season < 0 => format!("third arg to {name} cannot be negative, got {season}"),
        (Some(points), Some(season)) => {
            let with_fit = name == "holt_winters_with_fit";
            return Ok(Transform::HoltWinters { points: to_usize(points), season: to_usize(season), with_fit });
        }
    };
    Err(QueryError::invalid(message))
}

fn integer(arg: &Expr) -> Option<i64> {
    match field_constant(arg) {
        Some(Constant::Integer(value)) => Some(value),
        _ => None,
    }
}

fn to_usize(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::sample::*;
    use super::*;

    fn refused(name: &str, args: impl IntoIterator<Item = Expr>) -> String {
        refusal(&select([call(name, args)]))
    }

    #[test]
    fn a_function_inside_needs_windows_and_windows_need_a_function() {
        for function in ["derivative", "difference", "cumulative_sum", "elapsed", "non_negative_difference"] {
            assert_eq!(refused(function, [of_v("mean")]), format!("{function} aggregate requires a GROUP BY interval"));
            assert_eq!(
                refusal(&by_minute([of_v(function)])),
                format!("aggregate function required inside the call to {function}")
            );
            assert_eq!(columns(&select([of_v(function)])).len(), 1);
            assert_eq!(columns(&by_minute([call(function, [of_v("mean")])])).len(), 1);
        }
    }

    #[test]
    fn units_are_positive_lengths_of_time() {
        assert_eq!(
            refused("derivative", []),
            "invalid number of arguments for derivative, expected at least 1 but no more than 2, got 0"
        );
        assert_eq!(
            refused("elapsed", [name("v"), Expr::Integer(5)]),
            "second argument to elapsed must be a duration, got *influxql.IntegerLiteral"
        );
        assert_eq!(refused("derivative", [name("v"), Expr::Duration(0)]), "duration argument must be positive, got 0s");
    }

    #[test]
    fn a_moving_average_is_over_two_points_at_least() {
        assert_eq!(
            refused("moving_average", [name("v")]),
            "invalid number of arguments for moving_average, expected 2, got 1"
        );
        assert_eq!(
            refused("moving_average", [name("v"), Expr::Integer(1)]),
            "moving_average window must be greater than 1, got 1"
        );
        assert_eq!(
            refused("moving_average", [name("v"), Expr::Float(2.5)]),
            "second argument for moving_average must be an integer, got *influxql.NumberLiteral"
        );
    }

    #[test]
    fn holt_winters_is_over_windows_only() {
        let args = |of: Expr, points, season| [of, Expr::Integer(points), Expr::Integer(season)];
        assert_eq!(
            refused("holt_winters", [of_v("mean")]),
            "invalid number of arguments for holt_winters, expected 3, got 1"
        );
        assert_eq!(refused("holt_winters", args(name("v"), 1, 1)), "must use aggregate function with holt_winters");
        assert_eq!(
            refused("holt_winters_with_fit", args(of_v("mean"), 0, 1)),
            "second arg to holt_winters_with_fit must be greater than 0, got 0"
        );
        assert_eq!(
            refused("holt_winters", args(of_v("mean"), 1, -1)),
            "third arg to holt_winters cannot be negative, got -1"
        );
        assert_eq!(
            refused("holt_winters", args(of_v("mean"), 1, 1)),
            "holt_winters aggregate requires a GROUP BY interval"
        );
    }

    #[test]
    fn transforms_can_be_nested_but_mathematical_functions_not() {
        let nested = call("moving_average", [call("derivative", [of_v("mean")]), Expr::Integer(2)]);
        assert_eq!(columns(&by_minute([nested])).len(), 1);
        let math = call("derivative", [call("abs", [of_v("mean")])]);
        assert_eq!(refusal(&by_minute([math])), "unsupported call: abs");
    }

    #[test]
    fn inherited_windows_do_not_ask_for_a_function() {
        let mut outer = by_minute([call("max", [name("difference")])]);
        outer.sources = over([], select([of_v("difference")])).sources;
        assert!(inner(&plan(&outer)).window_inherited);
    }
}
