//! Functions over the values of one field and their arguments. Those over sequences of points are in [`super::transforms`], those that
//! InfluxDB does not have in [`super::registered`].

use influxql::ast::Expr;

use super::checks::not_alone;
use super::constant::Constant;
use super::fields::{Compiler, field_constant, field_type_name, reference};
use super::{Dialect, math, text};
use crate::QueryError;
use crate::pick;
use crate::plan::expr::{AggregateCall, Expr as Planned, Reference};
use crate::result::Cell;

/// A second in nanoseconds, the unit of `integral` where none is given.
const SECOND_NS: i64 = 1_000_000_000;

impl Compiler<'_> {
    /// A function that is no mathematical one.
    pub(super) fn call(&mut self, name: &str, args: &[Expr]) -> Result<Planned, QueryError> {
        self.checks.calls += 1;
        if let Some(planned) = self.transform(name, args) {
            return planned;
        }
        match name {
            "max" | "min" | "first" | "last" => self.simple(name, args),
            "count" | "sum" | "mean" | "median" | "mode" | "stddev" | "spread" => {
                self.checks.has_aggregates = true;
                self.simple(name, args)
            }
            "percentile" => self.percentile(name, args),
            "sample" => self.sample(args),
            "distinct" => {
                let planned = self.distinct(args)?;
                self.checks.has_distinct = true;
                Ok(planned)
            }
            "top" | "bottom" => self.top_or_bottom(name, args),
            "m4" | "minmax" if self.scope.dialect == Dialect::Extended => self.plotted(name, args),
            "integral" => self.integral(args),
            "percentile_approx" if self.scope.dialect == Dialect::Extended => {
                self.checks.has_aggregates = true;
                self.percentile(name, args)
            }
            _ => self.registered(name, args),
        }
    }

    /// `DISTINCT name` as a field.
    pub(super) fn distinct_field(&mut self, name: &str) -> Result<Planned, QueryError> {
        self.checks.calls += 1;
        self.checks.has_aggregates = true;
        self.checks.has_distinct = true;
        Ok(aggregate("distinct", Planned::Reference(reference(name, None)), Vec::new()))
    }

    /// `distinct(name)`, wherever it stands.
    pub(super) fn distinct(&mut self, args: &[Expr]) -> Result<Planned, QueryError> {
        let arg = match args {
            [] => return Err(QueryError::invalid("distinct function requires at least one argument")),
            [arg] => text::unwrapped(arg),
            _ => return Err(QueryError::invalid("distinct function can only have one argument")),
        };
        let Expr::Reference { name, cast } = arg else {
            return Err(QueryError::invalid("expected field argument in distinct()"));
        };
        self.checks.has_aggregates = true;
        Ok(aggregate("distinct", Planned::Reference(reference(name, *cast)), Vec::new()))
    }

    fn simple(&mut self, name: &str, args: &[Expr]) -> Result<Planned, QueryError> {
        let [arg] = args else { return Err(math::wrong_arity(name, 1, args.len())) };
        match text::unwrapped(arg) {
            Expr::Call { name: inner, args } if name == "count" && inner == "distinct" => {
                self.distinct(args).map(counted)
            }
            Expr::Distinct(field) if name == "count" => {
                Ok(counted(aggregate("distinct", Planned::Reference(reference(field, None)), Vec::new())))
            }
            arg => Ok(aggregate(name, self.symbol(name, arg)?, Vec::new())),
        }
    }

    fn percentile(&mut self, name: &str, args: &[Expr]) -> Result<Planned, QueryError> {
        let [of, percent] = args else { return Err(math::wrong_arity(name, 2, args.len())) };
        match field_constant(percent) {
            Some(percent @ (Constant::Integer(_) | Constant::Float(_))) => {
                Ok(aggregate(name, self.symbol(name, of)?, vec![percent.into_cell()]))
            }
            _ => Err(QueryError::invalid(format!("expected float argument in {name}()"))),
        }
    }

    fn sample(&mut self, args: &[Expr]) -> Result<Planned, QueryError> {
        let [of, size] = args else { return Err(math::wrong_arity("sample", 2, args.len())) };
        match field_constant(size) {
            Some(Constant::Integer(size)) if size > 0 => {
                Ok(aggregate("sample", self.symbol("sample", of)?, vec![Cell::Integer(size)]))
            }
            Some(Constant::Integer(size)) => {
                Err(QueryError::invalid(format!("sample window must be greater than 1, got {size}")))
            }
            _ => Err(QueryError::invalid("expected integer argument in sample()")),
        }
    }

    fn integral(&mut self, args: &[Expr]) -> Result<Planned, QueryError> {
        let (of, unit) = one_or_two("integral", args)?;
        let unit = match unit.map(field_constant) {
            None => SECOND_NS,
            Some(Some(Constant::Duration(unit))) => positive(unit)?,
            Some(_) => return Err(QueryError::invalid("second argument must be a duration")),
        };
        self.checks.has_aggregates = true;
        Ok(Planned::Aggregate(AggregateCall {
            function: pick::INTEGRAL.to_owned(),
            label: "integral".to_owned(),
            of: Box::new(self.symbol("integral", of)?),
            keys: Vec::new(),
            arguments: vec![Cell::Integer(unit)],
        }))
    }

    fn top_or_bottom(&mut self, name: &str, args: &[Expr]) -> Result<Planned, QueryError> {
        if let Some(function) = &self.checks.picks_several {
            return Err(not_alone(function));
        }
        let [of, keys @ .., last] = args else {
            let got = args.len();
            let message = format!("invalid number of arguments for {name}, expected at least 2, got {got}");
            return Err(QueryError::invalid(message));
        };
        let size = self.size_of_top(name, last)?;
        let Expr::Reference { name: field, cast } = text::unwrapped(of) else {
            let found = text::show(of);
            let message = format!("expected first argument to be a field in {name}(), found {found}");
            return Err(QueryError::invalid(message));
        };
        let keys: Vec<Reference> = keys.iter().map(|key| key_of_top(name, key)).collect::<Result<_, _>>()?;
        self.checks.has_bare_fields |= !keys.is_empty() && !self.scope.into;
        self.checks.picks_several = Some(name.to_owned());
        Ok(Planned::Aggregate(AggregateCall {
            function: name.to_owned(),
            label: name.to_owned(),
            of: Box::new(Planned::Reference(reference(field, *cast))),
            keys,
            arguments: vec![Cell::Integer(size)],
        }))
    }

    /// The points of a plot: several a window, as of `top`.
    fn plotted(&mut self, name: &str, args: &[Expr]) -> Result<Planned, QueryError> {
        if let Some(function) = &self.checks.picks_several {
            return Err(not_alone(function));
        }
        self.checks.picks_several = Some(name.to_owned());
        self.simple(name, args)
    }

    fn size_of_top(&self, name: &str, arg: &Expr) -> Result<i64, QueryError> {
        let limit = self.scope.limit;
        let message = match field_constant(arg) {
            Some(Constant::Integer(size)) if size <= 0 => {
                format!("limit ({size}) in {name} function must be at least 1")
            }
            Some(Constant::Integer(size)) if limit > 0 && size.unsigned_abs() > limit => format!(
                "limit ({size}) in {name} function can not be larger than the LIMIT ({limit}) in the select statement"
            ),
            Some(Constant::Integer(size)) => return Ok(size),
            _ => format!("expected integer as last argument in {name}(), found {}", text::show(arg)),
        };
        Err(QueryError::invalid(message))
    }
}

fn key_of_top(function: &str, key: &Expr) -> Result<Reference, QueryError> {
    match text::unwrapped(key) {
        Expr::Reference { name, cast } => Ok(reference(name, *cast)),
        other => {
            let found = text::show(other);
            Err(QueryError::invalid(format!("only fields or tags are allowed in {function}(), found {found}")))
        }
    }
}

pub(super) fn aggregate(function: &str, of: Planned, arguments: Vec<Cell>) -> Planned {
    Planned::Aggregate(AggregateCall {
        function: function.to_owned(),
        label: function.to_owned(),
        of: Box::new(of),
        keys: Vec::new(),
        arguments,
    })
}

/// `count(distinct(x))` of `distinct(x)`.
fn counted(distinct: Planned) -> Planned {
    match distinct {
        Planned::Aggregate(call) => Planned::Aggregate(AggregateCall {
            function: "distinct_count".to_owned(),
            label: "count".to_owned(),
            ..call
        }),
        other => other,
    }
}

/// The unit that is the second argument of a function, where it has one.
pub(super) fn unit_of(function: &str, args: &[Expr]) -> Result<Option<i64>, QueryError> {
    let (_, Some(unit)) = one_or_two(function, args)? else { return Ok(None) };
    match field_constant(unit) {
        Some(Constant::Duration(unit)) => positive(unit).map(Some),
        _ => {
            let got = field_type_name(unit);
            Err(QueryError::invalid(format!("second argument to {function} must be a duration, got {got}")))
        }
    }
}

/// Arguments of a function whose second one is optional.
fn one_or_two<'a>(function: &str, args: &'a [Expr]) -> Result<(&'a Expr, Option<&'a Expr>), QueryError> {
    match args {
        [of] => Ok((of, None)),
        [of, unit] => Ok((of, Some(unit))),
        _ => Err(QueryError::invalid(format!(
            "invalid number of arguments for {function}, expected at least 1 but no more than 2, got {}",
            args.len()
        ))),
    }
}

fn positive(unit: i64) -> Result<i64, QueryError> {
    if unit > 0 {
        return Ok(unit);
    }
    Err(QueryError::invalid(format!("duration argument must be positive, got {}", Expr::Duration(unit))))
}

#[cfg(test)]
mod tests {
    use super::super::Context;
    use super::super::compile;
    use super::super::sample::*;
    use super::*;
    use influxql::ast::BinaryOp::Add;
    use influxql::ast::Select;

    fn refused(name: &str, args: impl IntoIterator<Item = Expr>) -> String {
        refusal(&select([call(name, args)]))
    }

    fn first_call(query: &Select, context: &Context) -> AggregateCall {
        match compile(query, context).unwrap().columns.remove(0).expr {
            Planned::Aggregate(call) => call,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_function_takes_one_field() {
        let two = [name("v"), name("w")];
        assert_eq!(refused("mean", two), "invalid number of arguments for mean, expected 1, got 2");
        assert_eq!(refused("mean", []), "invalid number of arguments for mean, expected 1, got 0");
        assert_eq!(refused("mean", [Expr::Integer(2)]), "expected field argument in mean()");
        assert_eq!(refused("mean", [of_v("mean")]), "expected field argument in mean()");
        assert_eq!(refused("mean", [binary(name("v"), Add, name("w"))]), "expected field argument in mean()");
        assert_eq!(columns(&select([call("mean", [paren(name("v"))])])), columns(&select([of_v("mean")])));
    }

    #[test]
    fn unknown_functions_are_refused_and_the_extended_ones_in_the_strict_dialect() {
        assert_eq!(refused("nosuchfn", [name("v")]), "undefined function nosuchfn()");
        assert_eq!(refused("now", []), "undefined function now()");
        assert_eq!(refused("time_weighted_mean", [name("v")]), "undefined function time_weighted_mean()");
        let approximate = select([call("percentile_approx", [name("v"), Expr::Integer(95)])]);
        let planned = first_call(&approximate, &extended());
        assert_eq!((planned.function.as_str(), planned.arguments), ("percentile_approx", vec![Cell::Integer(95)]));
        assert_eq!(first_call(&select([of_v("time_weighted_mean")]), &extended()).function, "time_weighted_mean");
    }

    #[test]
    fn plots_are_extended_and_stand_alone() {
        assert_eq!(refused("m4", [name("v")]), "undefined function m4()");
        assert_eq!(first_call(&by_minute([of_v("minmax")]), &extended()).function, "minmax");
        let refused = |query: &Select| compile(query, &extended()).unwrap_err().to_string();
        let alone = "selector function m4() cannot be combined with other functions";
        assert_eq!(refused(&by_minute([of_v("m4"), of_v("mean")])), alone);
        assert_eq!(refused(&by_minute([of_v("m4"), of_v("minmax")])), alone);
        assert_eq!(refused(&select([call("m4", [])])), "invalid number of arguments for m4, expected 1, got 0");
    }

    #[test]
    fn percentiles_and_samples_have_a_number() {
        assert_eq!(refused("percentile", [name("v")]), "invalid number of arguments for percentile, expected 2, got 1");
        assert_eq!(refused("percentile", [name("v"), text("3")]), "expected float argument in percentile()");
        assert_eq!(refused("sample", [name("v"), Expr::Float(1.5)]), "expected integer argument in sample()");
        assert_eq!(refused("sample", [name("v"), Expr::Integer(0)]), "sample window must be greater than 1, got 0");
    }

    #[test]
    fn distinct_stands_alone_and_can_be_counted() {
        let alone = "aggregate function distinct() cannot be combined with other functions or fields";
        assert_eq!(refusal(&select([of_v("distinct"), name("v")])), alone);
        assert_eq!(refusal(&select([Expr::Distinct("v".to_owned()), of_v("mean")])), alone);
        assert_eq!(refused("distinct", []), "distinct function requires at least one argument");
        assert_eq!(refused("distinct", [name("v"), name("w")]), "distinct function can only have one argument");
        assert_eq!(refused("distinct", [Expr::Wildcard(None)]), "expected field argument in distinct()");
        for counted in [of_v("distinct"), Expr::Distinct("v".to_owned())] {
            let planned = first_call(&select([call("count", [counted]), of_v("mean")]), &context());
            assert_eq!((planned.function.as_str(), planned.label.as_str()), ("distinct_count", "count"));
        }
    }

    #[test]
    fn the_unit_of_an_integral_is_a_second_by_default() {
        assert_eq!(first_call(&select([of_v("integral")]), &context()).arguments, vec![Cell::Integer(SECOND)]);
        assert_eq!(refused("integral", [name("v"), Expr::Integer(5)]), "second argument must be a duration");
        assert_eq!(
            refused("integral", [name("v"), Expr::Duration(-MINUTE)]),
            "duration argument must be positive, got -1m"
        );
    }

    #[test]
    fn top_has_a_field_keys_and_a_number() {
        let found = "expected integer as last argument in top(), found";
        assert_eq!(refused("top", [name("v")]), "invalid number of arguments for top, expected at least 2, got 1");
        assert_eq!(refused("top", [name("v"), name("h")]), format!("{found} h"));
        assert_eq!(refused("top", [name("v"), Expr::Float(1.5)]), format!("{found} 1.500"));
        assert_eq!(refused("top", [name("v"), Expr::Integer(-1)]), "limit (-1) in top function must be at least 1");
        assert_eq!(
            refused("top", [of_v("mean"), Expr::Integer(2)]),
            "expected first argument to be a field in top(), found mean(v)"
        );
        assert_eq!(
            refused("bottom", [name("v"), text("h"), Expr::Integer(2)]),
            "only fields or tags are allowed in bottom(), found 'h'"
        );
        let limited = Select { limit: 2, ..select([call("top", [name("v"), Expr::Integer(3)])]) };
        assert_eq!(
            refusal(&limited),
            "limit (3) in top function can not be larger than the LIMIT (2) in the select statement"
        );
        let planned = first_call(&select([call("top", [name("v"), name("h"), Expr::Integer(3)])]), &context());
        assert_eq!(planned.keys, [reference("h", None)]);
        assert_eq!(planned.arguments, [Cell::Integer(3)]);
    }

    #[test]
    fn top_stands_beside_fields_but_not_beside_functions() {
        let top = call("top", [name("v"), Expr::Integer(1)]);
        let message = "selector function top() cannot be combined with other functions";
        assert_eq!(columns(&select([name("h"), top.clone()])).len(), 2);
        assert_eq!(refusal(&select([top.clone(), of_v("mean")])), message);
        assert_eq!(refusal(&select([top.clone(), call("bottom", [name("v"), Expr::Integer(1)])])), message);
        assert_eq!(refusal(&by_minute([call("derivative", [top])])), message);
    }
}
