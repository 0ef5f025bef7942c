//! Functions over the values of one field and their arguments. Those over sequences of points are in [`super::transforms`].

use influxql::ast::Expr;

use super::checks::not_alone;
use super::constant::Constant;
use super::fields::{Compiler, field_constant, field_type_name, reference};
use super::{Dialect, math, text};
use crate::QueryError;
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
            "integral" => self.integral(args),
            "time_weighted_mean" if self.scope.dialect == Dialect::Extended => {
                self.checks.has_aggregates = true;
                self.simple(name, args)
            }
            "percentile_approx" if self.scope.dialect == Dialect::Extended => {
                self.checks.has_aggregates = true;
                self.percentile(name, args)
            }
            _ => Err(QueryError::invalid(format!("undefined function {name}()"))),
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
        Ok(aggregate("integral", self.symbol("integral", of)?, vec![Cell::Integer(unit)]))
    }

    fn top_or_bottom(&mut self, name: &str, args: &[Expr]) -> Result<Planned, QueryError> {
        if let Some(function) = &self.checks.top_or_bottom {
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
        self.checks.top_or_bottom = Some(name.to_owned());
        Ok(Planned::Aggregate(AggregateCall {
            function: name.to_owned(),
            label: name.to_owned(),
            of: Box::new(Planned::Reference(reference(field, *cast))),
            keys,
            arguments: vec![Cell::Integer(size)],
        }))
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

fn aggregate(function: &str, of: Planned, arguments: Vec<Cell>) -> Planned {
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
    Err(QueryError::invalid(format!("duration argument must be positive, got {}", text::duration(unit))))
}
