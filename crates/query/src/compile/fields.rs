//! What is selected: names, arithmetic, and the columns that are made of them.

use influxql::ast::{self, Expr, WildcardKind};
use jiff::tz::TimeZone;
use model::FieldType;

use super::checks::Checks;
use super::constant::{Clock, Constant, combine, constant};
use super::{Dialect, depth, math, sources, text};
use crate::QueryError;
use crate::plan::Column;
use crate::plan::expr::{Cast, Expr as Planned, Kinds, MathFunction, Reference};

/// What the fields of a query depend on besides themselves.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) dialect: Dialect,
    /// There are windows, asked for here or by the query around this one.
    pub(super) windowed: bool,
    /// They were asked for by the query around this one.
    pub(super) inherited: bool,
    /// `LIMIT`, 0 where there is none.
    pub(super) limit: u64,
    /// The result is written.
    pub(super) into: bool,
}

/// The columns of a query.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) columns: Vec<Column>,
    pub(super) time_name: String,
    /// Some function is computed over several points.
    pub(super) has_calls: bool,
}

impl Fields {
    /// Compiles all fields and checks whether they go together.
    pub(super) fn compile(select: &ast::Select, scope: &Scope) -> Result<Self, QueryError> {
        let mut compiler = Compiler { scope, checks: Checks::default(), wildcards: true };
        let (mut columns, mut time_name) = (Vec::new(), "time".to_owned());
        for field in &select.fields {
            if matches!(&field.expr, Expr::Reference { name, .. } if name == "time") {
                time_name = field.alias.clone().unwrap_or(time_name);
                continue;
            }
            compiler.wildcards = true;
            depth::check(&field.expr)?;
            columns.push(Column { expr: compiler.expr(&field.expr)?, alias: field.alias.clone() });
        }
        if columns.is_empty() {
            return Err(QueryError::invalid("at least 1 non-time field must be queried"));
        }
        compiler.checks.validate(select.fill, scope)?;
        Ok(Self { columns, time_name, has_calls: compiler.checks.calls > 0 })
    }
}

/// Compiles the fields of one query one after the other.
pub(super) struct Compiler<'a> {
    pub(super) scope: &'a Scope,
    pub(super) checks: Checks,
    /// A wildcard or a pattern may stand here: no operator was met yet in this field.
    pub(super) wildcards: bool,
}

impl Compiler<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Planned, QueryError> {
        let expr = text::unwrapped(expr);
        if literal(expr).is_some() {
            return Err(QueryError::invalid("field must contain at least one variable"));
        }
        match expr {
            Expr::Distinct(name) => self.distinct_field(name),
            Expr::Call { name, args } => match math::function(name) {
                Some(function) => self.math(name, function, args),
                None => self.call(name, args),
            },
            Expr::Binary { op, left, right } => self.binary(expr, *op, left, right),
            bare => self.bare(bare),
        }
    }

    /// The values of points, as they are.
    fn bare(&mut self, expr: &Expr) -> Result<Planned, QueryError> {
        self.checks.has_bare_fields = true;
        match expr {
            Expr::Wildcard(_) if !self.wildcards => {
                Err(QueryError::invalid("unable to use wildcard in a binary expression"))
            }
            Expr::Regex(_) if !self.wildcards => Err(QueryError::invalid("unable to use regex in a binary expression")),
            other => named(other)?.ok_or_else(|| QueryError::invalid("unimplemented")),
        }
    }

    fn binary(&mut self, whole: &Expr, op: ast::BinaryOp, left: &Expr, right: &Expr) -> Result<Planned, QueryError> {
        self.wildcards = false;
        if [left, right].iter().any(|side| matches!(text::unwrapped(side), Expr::Regex(_))) {
            let message = format!("unsupported expression with regex field: {}", text::show(whole));
            return Err(QueryError::invalid(message));
        }
        if literal(left).is_some() && literal(right).is_some() {
            return Err(QueryError::invalid("cannot perform a binary expression on two literals"));
        }
        Ok(Planned::Binary { op, left: Box::new(self.operand(left)?), right: Box::new(self.operand(right)?) })
    }

    fn math(&mut self, name: &str, function: MathFunction, args: &[Expr]) -> Result<Planned, QueryError> {
        math::check_arity(name, math::arity(function), args.len())?;
        let is_open = |arg: &Expr| matches!(text::unwrapped(arg), Expr::Wildcard(_) | Expr::Regex(_));
        if args.iter().skip(1).any(is_open) {
            return Err(QueryError::invalid(format!("unsupported expression with wildcard: {name}()")));
        }
        let args = args.iter().map(|arg| self.operand(arg)).collect::<Result<_, _>>()?;
        Ok(Planned::Math { function, args })
    }

    /// Part of a larger expression, where a constant may stand.
    fn operand(&mut self, expr: &Expr) -> Result<Planned, QueryError> {
        match literal(expr) {
            Some(literal) => Ok(literal),
            None => self.expr(expr),
        }
    }

    /// What a function is computed of: a name, or several by a wildcard or a pattern.
    pub(super) fn symbol(&mut self, function: &str, arg: &Expr) -> Result<Planned, QueryError> {
        let arg = text::unwrapped(arg);
        let refused = |what: &str| Err(QueryError::invalid(format!("{what}{function}()")));
        match arg {
            Expr::Wildcard(_) if !self.wildcards => return refused("unsupported expression with wildcard: "),
            Expr::Regex(_) if !self.wildcards => return refused("unsupported expression with regex field: "),
            Expr::Wildcard(Some(WildcardKind::Tag)) => return refused("unable to use tag wildcard in "),
            Expr::Wildcard(_) | Expr::Regex(_) => self.checks.has_aggregates = true,
            _ => {}
        }
        match named(arg)? {
            Some(named) => Ok(named),
            None => refused("expected field argument in "),
        }
    }
}

/// A name, a wildcard or a pattern.
fn named(expr: &Expr) -> Result<Option<Planned>, QueryError> {
    Ok(Some(match expr {
        Expr::Reference { name, cast } => Planned::Reference(reference(name, *cast)),
        Expr::Wildcard(None) => Planned::All(Kinds::Both),
        Expr::Wildcard(Some(WildcardKind::Field)) => Planned::All(Kinds::Fields),
        Expr::Wildcard(Some(WildcardKind::Tag)) => Planned::All(Kinds::Tags),
        Expr::Regex(text) => Planned::Like(sources::pattern(text)?),
        _ => return Ok(None),
    }))
}

/// A field or tag by name.
pub(super) fn reference(name: &str, cast: Option<ast::Cast>) -> Reference {
    Reference { name: name.to_owned(), cast: cast.map(planned_cast) }
}

fn planned_cast(cast: ast::Cast) -> Cast {
    match cast {
        ast::Cast::Float => Cast::Type(FieldType::Float),
        ast::Cast::Integer => Cast::Type(FieldType::Integer),
        ast::Cast::Unsigned => Cast::Type(FieldType::Unsigned),
        ast::Cast::String => Cast::Type(FieldType::String),
        ast::Cast::Boolean => Cast::Type(FieldType::Boolean),
        ast::Cast::Field => Cast::Field,
        ast::Cast::Tag => Cast::Tag,
    }
}

/// A constant argument; `now()` is none among fields.
pub(super) fn field_constant(expr: &Expr) -> Option<Constant> {
    constant(expr, &Clock { now: None, zone: &TimeZone::UTC })
}

/// The kind of an argument, for messages.
pub(super) fn field_type_name(expr: &Expr) -> &'static str {
    text::type_name(expr, &Clock { now: None, zone: &TimeZone::UTC })
}

/// An expression without names: a constant, or mathematical functions of constants.
fn literal(expr: &Expr) -> Option<Planned> {
    folded(expr).map(Folded::into_planned)
}

/// An expression without names, as far as it is reckoned here.
enum Folded {
    Constant(Constant),
    Planned(Planned),
}

impl Folded {
    fn into_planned(self) -> Planned {
        match self {
            Self::Constant(constant) => Planned::Literal(constant.into_cell()),
            Self::Planned(planned) => planned,
        }
    }
}

fn folded(expr: &Expr) -> Option<Folded> {
    match text::unwrapped(expr) {
        Expr::Call { name, args } => {
            let function = math::function(name).filter(|&function| math::arity(function) == args.len())?;
            let args = args.iter().map(literal).collect::<Option<_>>()?;
            Some(Folded::Planned(Planned::Math { function, args }))
        }
        Expr::Binary { op, left, right } => match (folded(left)?, folded(right)?) {
            (Folded::Constant(left), Folded::Constant(right)) => {
                combine(*op, left, right, &TimeZone::UTC).map(Folded::Constant)
            }
            (left, right) => Some(Folded::Planned(Planned::Binary {
                op: *op,
                left: Box::new(left.into_planned()),
                right: Box::new(right.into_planned()),
            })),
        },
        leaf => field_constant(leaf).map(Folded::Constant),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::*;
    use super::*;
    use influxql::ast::BinaryOp::{Add, Mul, Sub};

    #[test]
    fn time_is_no_column_and_its_alias_names_the_column_of_times() {
        let mut query = select([name("v"), name("time")]);
        query.fields.last_mut().unwrap().alias = Some("at".to_owned());
        let plan = plan(&query);
        assert_eq!((plan.columns.len(), plan.time_name.as_str()), (1, "at"));
        assert_eq!(refusal(&select([name("time")])), "at least 1 non-time field must be queried");
    }

    #[test]
    fn a_field_without_a_name_is_refused() {
        let message = "field must contain at least one variable";
        assert_eq!(refusal(&select([Expr::Integer(3)])), message);
        assert_eq!(refusal(&select([binary(Expr::Integer(1), Add, Expr::Integer(1))])), message);
        assert_eq!(refusal(&select([call("pow", [Expr::Integer(2), Expr::Integer(3)])])), message);
        let two = binary(text("a"), Sub, Expr::Integer(1));
        assert_eq!(refusal(&select([two])), "cannot perform a binary expression on two literals");
    }

    #[test]
    fn parentheses_vanish_and_constants_are_folded() {
        let folded = binary(paren(name("v")), Mul, paren(binary(Expr::Integer(1), Add, Expr::Integer(2))));
        let plain = binary(name("v"), Mul, Expr::Integer(3));
        assert_eq!(columns(&select([folded])), columns(&select([plain])));
    }

    #[test]
    fn wildcards_and_patterns_do_not_stand_in_expressions() {
        let plus_one = |expr| refusal(&select([binary(expr, Add, Expr::Integer(1))]));
        let mean_of_all = call("mean", [Expr::Wildcard(None)]);
        assert_eq!(plus_one(Expr::Wildcard(None)), "unable to use wildcard in a binary expression");
        assert_eq!(plus_one(mean_of_all), "unsupported expression with wildcard: mean()");
        assert_eq!(
            plus_one(call("mean", [Expr::Regex("x".to_owned())])),
            "unsupported expression with regex field: mean()"
        );
        assert_eq!(plus_one(Expr::Regex("x".to_owned())), "unsupported expression with regex field: /x/ + 1");
        let tags = call("mean", [Expr::Wildcard(Some(WildcardKind::Tag))]);
        assert_eq!(refusal(&select([tags])), "unable to use tag wildcard in mean()");
    }

    #[test]
    fn aggregates_and_bare_fields_do_not_mix_also_inside_expressions() {
        let message = "mixing aggregate and non-aggregate queries is not supported";
        assert_eq!(refusal(&select([of_v("mean"), name("v")])), message);
        assert_eq!(refusal(&select([binary(of_v("abs"), Mul, of_v("mean"))])), message);
        assert_eq!(refusal(&select([call("max", [Expr::Wildcard(None)]), name("h")])), message);
    }

    #[test]
    fn one_selector_may_stand_beside_fields_two_may_not() {
        assert_eq!(columns(&select([of_v("max"), name("h")])).len(), 2);
        assert_eq!(
            refusal(&select([of_v("max"), of_v("min"), name("h")])),
            "mixing multiple selector functions with tags or fields is not supported"
        );
    }

    #[test]
    fn without_functions_some_clauses_make_no_sense() {
        let filled = |fill| refusal(&ast::Select { fill, ..select([name("v")]) });
        assert_eq!(filled(ast::Fill::None), "fill(none) must be used with a function");
        assert_eq!(filled(ast::Fill::Linear), "fill(linear) must be used with a function");
        assert_eq!(refusal(&by_minute([of_v("abs")])), "GROUP BY requires at least one aggregate function");
    }

    #[test]
    fn mathematical_functions_have_their_number_of_arguments() {
        assert_eq!(refusal(&select([call("abs", [])])), "invalid number of arguments for abs, expected 1, got 0");
        assert_eq!(refusal(&select([of_v("pow")])), "invalid number of arguments for pow, expected 2, got 1");
        assert_eq!(columns(&select([call("log", [name("v"), Expr::Integer(2)])])).len(), 1);
    }
}
