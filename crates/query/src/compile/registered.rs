//! Functions that are registered and that InfluxDB does not have: the extended dialect knows them all, with constants behind the field.

use influxql::ast::Expr;

use super::calls::aggregate;
use super::constant::Constant;
use super::fields::{Compiler, field_constant};
use super::{Dialect, math, text};
use crate::QueryError;
use crate::aggregate::Registry;
use crate::pick;
use crate::plan::expr::Expr as Planned;
use crate::result::Cell;

const NS_PER_SECOND: f64 = 1e9;

/// Functions that InfluxQL has by itself, whatever is registered, besides the mathematical ones.
const OF_INFLUXQL: [&str; 17] = [
    "bottom",
    "cumulative_sum",
    "derivative",
    "difference",
    "distinct",
    "elapsed",
    "holt_winters",
    "holt_winters_with_fit",
    "integral",
    "moving_average",
    "non_negative_derivative",
    "non_negative_difference",
    "now",
    "sample",
    "time",
    "top",
    pick::INTEGRAL,
];

/// Whether InfluxQL, or a plan, has a function of this name that a registered one would hide behind.
pub(crate) fn has_function(name: &str) -> bool {
    math::function(name).is_some() || OF_INFLUXQL.contains(&name)
}

impl Compiler<'_> {
    /// A function that InfluxDB does not have: a field, behind it constants.
    pub(super) fn registered(&mut self, name: &str, args: &[Expr]) -> Result<Planned, QueryError> {
        let known = Registry::shared().get(name).ok().filter(|_| self.scope.dialect == Dialect::Extended);
        let Some(function) = known else {
            return Err(QueryError::invalid(format!("undefined function {name}()")));
        };
        let [of, constants @ ..] = args else { return Err(math::wrong_arity(name, 1, 0)) };
        let arguments = constants.iter().map(|arg| number_of(name, arg)).collect::<Result<Vec<f64>, _>>()?;
        let checked = function.check_arguments(&arguments);
        checked.map_err(|expected| QueryError::invalid(format!("{name}() {expected}")))?;
        self.checks.has_aggregates = true;
        Ok(aggregate(name, self.symbol(name, of)?, arguments.into_iter().map(Cell::Float).collect()))
    }
}

/// A constant argument of a registered function; a length of time counts in seconds.
fn number_of(function: &str, arg: &Expr) -> Result<f64, QueryError> {
    match field_constant(arg) {
        Some(Constant::Integer(value)) => Ok(value as f64),
        Some(Constant::Unsigned(value)) => Ok(value as f64),
        Some(Constant::Float(value)) => Ok(value),
        Some(Constant::Duration(ns)) => Ok(ns as f64 / NS_PER_SECOND),
        _ => {
            let found = text::show(arg);
            Err(QueryError::invalid(format!(
                "expected a number or a duration as argument in {function}(), found {found}"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::compile;
    use super::super::sample::*;
    use super::*;

    #[test]
    fn what_is_registered_has_constants_behind_the_field_in_the_extended_dialect() {
        let minutes = Expr::Duration(4 * MINUTE);
        let arguments = |name_of: &str, constants: Vec<Expr>| {
            let args = std::iter::once(name("v")).chain(constants);
            match compile(&select([call(name_of, args)]), &extended()).unwrap().columns.remove(0).expr {
                Planned::Aggregate(call) => call.arguments,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(arguments("increase", vec![]), []);
        assert_eq!(arguments("time_weighted_mean", vec![minutes.clone()]), [Cell::Float(240.0)]);
        let constants = vec![Expr::Integer(3600), minutes];
        assert_eq!(arguments("integral_step", constants), [Cell::Float(3600.0), Cell::Float(240.0)]);
        let refused = |args: [Expr; 2]| {
            let query = select([call("rate", args)]);
            compile(&query, &extended()).unwrap_err().to_string()
        };
        assert_eq!(
            refused([name("v"), text("1h")]),
            "expected a number or a duration as argument in rate(), found '1h'"
        );
        assert_eq!(
            refused([name("v"), Expr::Integer(0)]),
            "rate() takes at most one argument, a unit in seconds above 0, found [0.0]"
        );
    }

    #[test]
    fn names_of_influxql_are_taken() {
        for name in OF_INFLUXQL.into_iter().filter(|name| !["now", "time", pick::INTEGRAL].contains(name)) {
            assert_ne!(refusal(&select([call(name, [])])), format!("undefined function {name}()"));
        }
        assert!(["top", "abs", "moving_average"].into_iter().all(has_function));
        assert!(!has_function("range_ratio"));
    }
}
