//! InfluxQL's SELECT becomes a plan, checked as InfluxDB 1.6 checks it and refused with the same words.
//!
//! Nothing here knows what a store holds: wildcards and patterns stay in the plan until [`expand`] replaces them by what a
//! measurement has. Not here: syntax (`influxql`), where INTO writes to (the caller), types of fields (execution).

mod calls;
mod checks;
mod condition;
mod constant;
mod depth;
mod dimensions;
mod expand;
mod fields;
mod math;
mod names;
mod registered;
#[cfg(test)]
mod sample;
mod sources;
mod text;
mod time;
mod time_text;
mod transforms;

use influxql::ast;
use jiff::tz::TimeZone;
use model::TimestampNs;

use crate::QueryError;
use crate::plan::{FillWith, Order, Select, Source, Windowing};
use crate::result::Cell;

pub use expand::{expand, expanded_name};
pub use names::column_names;
pub(crate) use registered::has_function;

use constant::Clock;
use fields::{Fields, Scope};
use time::Bounds;

/// What a query is compiled with besides its text.
#[derive(Debug, Clone)]
pub struct Context {
    /// What `now()` is.
    pub now: TimestampNs,
    /// Database of measurements that name none.
    pub database: Option<String>,
    /// Retention policy of measurements that name neither a database nor a policy.
    pub policy: Option<String>,
    /// Which language.
    pub dialect: Dialect,
    /// The result is written (INTO): no fill by default, and `top` and `bottom` have no columns for their tags.
    pub into: bool,
}

/// Which language is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// That of InfluxDB 1.6.
    #[default]
    Strict,
    /// The same with windows of calendar units and further functions.
    Extended,
}

/// Makes a plan of a query.
///
/// # Errors
/// [`QueryError::Invalid`] with InfluxDB's message when the query makes no sense.
pub fn compile(select: &ast::Select, context: &Context) -> Result<Select, QueryError> {
    sources::check(select, context)?;
    compile_inside(select, context, None)
}

/// What a subquery takes from the query around it.
struct Outer<'a> {
    bounds: Bounds,
    order: Order,
    window: Option<&'a Windowing>,
}

fn compile_inside(select: &ast::Select, context: &Context, outer: Option<&Outer>) -> Result<Select, QueryError> {
    let zone = zone_of(select)?;
    let clock = Clock { now: Some(context.now), zone: &zone };
    let condition = condition::split(select.condition.as_ref(), &clock, context.dialect)?;
    let dimensions = dimensions::compile(&select.dimensions, &clock, context.dialect)?;
    let order = order_of(select, outer)?;
    let bounds = bounds_of(condition.bounds, dimensions.window.is_some(), context, outer);
    let inherited = outer.and_then(|outer| outer.window).filter(|_| dimensions.window.is_none()).cloned();
    let scope = Scope {
        dialect: context.dialect,
        windowed: dimensions.window.is_some() || inherited.is_some(),
        inherited: inherited.is_some(),
        limit: select.limit,
        into: context.into && outer.is_none(),
    };
    let fields = Fields::compile(select, &scope)?;
    let window_inherited = inherited.is_some() && fields.has_calls;
    let window = dimensions.window.or(inherited);
    let inner = Outer { bounds, order, window: window.as_ref() };
    let sources = compile_sources(select, context, &inner)?;
    Ok(Select {
        columns: fields.columns,
        time_name: fields.time_name,
        sources,
        filter: condition.filter,
        range: bounds.range(),
        window: window.filter(|_| fields.has_calls),
        window_inherited,
        group_by: dimensions.group_by,
        fill: fill_of(select.fill, fields.has_calls && (scope.into || outer.is_some())),
        order,
        direction: order,
        limit_each: true,
        limit: at_least_one(select.limit),
        offset: to_usize(select.offset),
        series_limit: at_least_one(select.series_limit),
        series_offset: to_usize(select.series_offset),
        time_zone: select.time_zone.clone().filter(|name| !name.is_empty()),
    })
}

fn compile_sources(select: &ast::Select, context: &Context, inner: &Outer) -> Result<Vec<Source>, QueryError> {
    let compile = |source: &ast::Source| match source {
        ast::Source::Measurement(measurement) => sources::compile(measurement, context).map(Source::Measurement),
        ast::Source::Subquery(select) => {
            compile_inside(select, context, Some(inner)).map(|select| Source::Subquery(Box::new(select)))
        }
    };
    select.sources.iter().map(compile).collect()
}

/// Whether `tz()` knows a zone of this name, for the parser: there an unknown one is an error of the text.
pub fn time_zone_exists(name: &str) -> bool {
    find_zone(name).is_some()
}

/// The zone of an IANA name, spelled exactly so; the empty name is UTC.
fn find_zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() {
        return Some(TimeZone::UTC);
    }
    TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name))
}

fn zone_of(select: &ast::Select) -> Result<TimeZone, QueryError> {
    let Some(name) = &select.time_zone else { return Ok(TimeZone::UTC) };
    find_zone(name).ok_or_else(|| QueryError::invalid(format!("unable to find time zone {name}")))
}

fn order_of(select: &ast::Select, outer: Option<&Outer>) -> Result<Order, QueryError> {
    let own = match select.order.first() {
        Some(first) if !first.ascending => Order::Descending,
        _ => Order::Ascending,
    };
    match outer {
        Some(outer) if !select.order.is_empty() && own != outer.order => {
            Err(QueryError::invalid("subqueries must be ordered in the same direction as the query itself"))
        }
        Some(outer) => Ok(outer.order),
        None => Ok(own),
    }
}

/// The times wanted: a query's own, inside those of the query around it. Windows end at now where nothing else ends them.
fn bounds_of(own: Bounds, windowed: bool, context: &Context, outer: Option<&Outer>) -> Bounds {
    let mut bounds = outer.map_or(own, |outer| own.intersect(outer.bounds));
    if windowed && bounds.max.is_none() {
        bounds.max = Some(context.now.0);
    }
    bounds
}

/// `default_is_none`: windows without points would be thrown away anyway.
fn fill_of(fill: ast::Fill, default_is_none: bool) -> FillWith {
    match fill {
        ast::Fill::Null if default_is_none => FillWith::None,
        ast::Fill::Null => FillWith::Null,
        ast::Fill::None => FillWith::None,
        ast::Fill::Previous => FillWith::Previous,
        ast::Fill::Linear => FillWith::Linear,
        ast::Fill::Integer(value) => FillWith::Value(Cell::Integer(value)),
        ast::Fill::Float(value) => FillWith::Value(Cell::Float(value)),
    }
}

fn at_least_one(limit: u64) -> Option<usize> {
    Some(to_usize(limit)).filter(|&limit| limit > 0)
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::sample::*;
    use super::*;
    use influxql::ast::{BinaryOp, Expr, SortField};
    use model::TimeRange;

    fn after(at: Expr) -> Expr {
        binary(name("time"), BinaryOp::GreaterEq, at)
    }

    fn descending() -> Vec<SortField> {
        vec![SortField { name: "time".to_owned(), ascending: false }]
    }

    #[test]
    fn windows_end_at_now_and_everything_else_at_the_end_of_time() {
        assert_eq!(plan(&select([of_v("mean")])).range, TimeRange::ALL);
        assert_eq!(plan(&by_minute([of_v("mean")])).range.end, TimestampNs(NOW.0 + 1));
    }

    #[test]
    fn limits_of_0_are_none() {
        let plain = plan(&ast::Select { limit: 0, offset: 3, series_limit: 7, ..select([name("v")]) });
        assert_eq!((plain.limit, plain.offset, plain.series_limit, plain.series_offset), (None, 3, Some(7), 0));
    }

    #[test]
    fn a_subquery_without_windows_inherits_those_around_it_and_their_end() {
        let outer = by_minute([call("max", [name("mean")])]);
        let outer = ast::Select { sources: over([], select([of_v("mean")])).sources, ..outer };
        let plan = plan(&outer);
        assert!(!plan.window_inherited);
        let inner = inner(&plan);
        assert!(inner.window_inherited);
        assert_eq!(inner.window, plan.window);
        assert_eq!(inner.range.end, TimestampNs(NOW.0 + 1));
        assert_eq!(inner.fill, FillWith::None);
    }

    #[test]
    fn a_raw_subquery_has_no_windows_but_hands_them_on() {
        let middle = over([name("mean")], select([of_v("mean")]));
        let outer = ast::Select { sources: over([], middle).sources, ..by_minute([call("max", [name("mean")])]) };
        let plan = plan(&outer);
        assert_eq!(inner(&plan).window, None);
        assert!(inner(inner(&plan)).window_inherited);
    }

    #[test]
    fn the_times_of_a_subquery_lie_inside_those_around_it() {
        let narrow = ast::Select { condition: Some(after(Expr::Integer(10))), ..select([name("v")]) };
        let wide = ast::Select { condition: Some(after(Expr::Integer(5))), ..select([name("v")]) };
        let outer = |inner| ast::Select { condition: Some(after(Expr::Integer(7))), ..over([of_v("mean")], inner) };
        assert_eq!(inner(&plan(&outer(narrow))).range.start, TimestampNs(10));
        assert_eq!(inner(&plan(&outer(wide))).range.start, TimestampNs(7));
    }

    #[test]
    fn windows_of_a_subquery_end_where_the_query_around_it_ends_be_it_after_now() {
        let later = NOW.0 + MINUTE;
        let until = binary(name("time"), BinaryOp::LessEq, Expr::Integer(later));
        let bounded = ast::Select { condition: Some(until), ..over([of_v("max")], by_minute([of_v("mean")])) };
        assert_eq!(inner(&plan(&bounded)).range.end, TimestampNs(later + 1));
        assert_eq!(inner(&plan(&over([of_v("max")], by_minute([of_v("mean")])))).range.end, TimestampNs(NOW.0 + 1));
    }

    #[test]
    fn a_subquery_takes_the_order_around_it_and_must_not_contradict() {
        let outer = ast::Select { order: descending(), ..over([name("v")], select([name("v")])) };
        assert_eq!(inner(&plan(&outer)).order, Order::Descending);
        let other = over([name("v")], ast::Select { order: descending(), ..select([name("v")]) });
        assert_eq!(refusal(&other), "subqueries must be ordered in the same direction as the query itself");
    }

    #[test]
    fn what_is_written_is_not_filled_unless_asked_for() {
        let into = Context { into: true, ..context() };
        let fill = |fill| compile(&ast::Select { fill, ..by_minute([of_v("mean")]) }, &into).unwrap().fill;
        assert_eq!(fill(ast::Fill::Null), FillWith::None);
        assert_eq!(fill(ast::Fill::Previous), FillWith::Previous);
        assert_eq!(fill(ast::Fill::Integer(3)), FillWith::Value(Cell::Integer(3)));
        assert_eq!(plan(&by_minute([of_v("mean")])).fill, FillWith::Null);
    }

    #[test]
    fn zones_are_spelled_exactly_and_the_empty_one_is_utc() {
        let zoned = |name: &str| ast::Select { time_zone: Some(name.to_owned()), ..select([super::sample::name("v")]) };
        for name in ["Foo/Bar", "europe/berlin"] {
            assert!(!time_zone_exists(name));
            assert_eq!(refusal(&zoned(name)), format!("unable to find time zone {name}"));
        }
        assert_eq!(plan(&zoned("")).time_zone, None);
        assert_eq!(plan(&zoned("UTC")).time_zone.as_deref(), Some("UTC"));
        assert_eq!(plan(&zoned("Asia/Shanghai")).time_zone.as_deref(), Some("Asia/Shanghai"));
    }

    /// Messages are those of the real server, 1.6.7, for these very queries.
    #[test]
    fn texts_are_refused_as_by_influxdb() {
        for (query, message) in [
            ("SELECT pow(2, 3) FROM m", "field must contain at least one variable"),
            ("SELECT 'a' - 1 FROM m", "cannot perform a binary expression on two literals"),
            ("SELECT mean(*::tag) FROM m", "unable to use tag wildcard in mean()"),
            ("SELECT mean(v) + mean(*) FROM m", "unsupported expression with wildcard: mean()"),
            ("SELECT count(DISTINCT(v + 1)) FROM m", "expected field argument in distinct()"),
            ("SELECT mean(v) + 1, h FROM m", "mixing aggregate and non-aggregate queries is not supported"),
            ("SELECT difference(distinct(v)) FROM m", "difference aggregate requires a GROUP BY interval"),
            (
                "SELECT derivative(DISTINCT v) FROM m GROUP BY time(1m)",
                "aggregate function required inside the call to derivative",
            ),
            ("SELECT derivative(abs(mean(v))) FROM m GROUP BY time(1m)", "unsupported call: abs"),
            ("SELECT mean(v) FROM m GROUP BY v + 1", "only time and tag dimensions allowed"),
            ("SELECT mean(v) FROM m GROUP BY time", "time() is a function and expects at least one argument"),
            ("SELECT v FROM m WHERE (h)", "invalid condition expression: h"),
            ("SELECT v FROM m WHERE v > 1 AND 1", "invalid condition expression: 1"),
            ("SELECT v FROM m WHERE abs(v)", "invalid condition expression: abs(v)"),
            ("SELECT v FROM m WHERE nosuch(v) > 1", "invalid function call in condition: nosuch(v)"),
            (
                "SELECT v FROM m WHERE time > 3 * 1s",
                "invalid operation: time and *influxql.BinaryExpr are not compatible",
            ),
            (
                "SELECT v FROM m WHERE time > 1d - now()",
                "invalid operation: time and *influxql.BinaryExpr are not compatible",
            ),
            (
                "SELECT v FROM m WHERE time > '2024-3-1'",
                "invalid operation: time and *influxql.StringLiteral are not compatible",
            ),
            ("SELECT v FROM m WHERE time > '2024-03-10 10:00:00Z'", "invalid timestamp string"),
        ] {
            assert_eq!(refusal(&parsed(query)), message, "{query}");
        }
    }

    #[test]
    fn texts_are_taken_as_by_influxdb() {
        for query in [
            "SELECT -(v + i), abs(1 + 2) + v FROM m WHERE TIME > 1.5 AND v > now()",
            "SELECT mean((v)), count(DISTINCT v) FROM m GROUP BY (h), time(30s * 2, -90s)",
            "SELECT h, top(v, 2), i FROM m WHERE h = 'a' AND 1 = 1",
            "SELECT moving_average(derivative(mean(v)), 2) FROM m GROUP BY time(1m)",
            "SELECT abs(*), pow(*, 2), abs(v::integer) FROM m WHERE abs(-3) < v",
            "SELECT v FROM m WHERE '2024-03-10' + 1d < time AND time > '2024-03-10 1:00:00' AND time > now() - now()",
        ] {
            assert!(compile(&parsed(query), &context()).is_ok(), "{query}");
        }
    }

    #[test]
    fn chains_of_conditions_may_be_as_long_as_they_are_parsed_and_of_operators_not() {
        let many = " OR v > 1".repeat(influxql::Limits::default().operators / 2 - 1);
        assert!(compile(&parsed(&format!("SELECT v FROM m WHERE v > 1{many}")), &context()).is_ok());
        let sum = " + v".repeat(300);
        let message = "expression too deep: at most 256 operators inside each other";
        assert_eq!(refusal(&parsed(&format!("SELECT v{sum} FROM m"))), message);
        assert_eq!(refusal(&parsed(&format!("SELECT v FROM m WHERE v{sum} > 1"))), message);
        assert!(compile(&parsed(&format!("SELECT v{} FROM m", " + v".repeat(200))), &context()).is_ok());
    }
}
