//! InfluxQL's SELECT becomes a plan, checked as InfluxDB 1.6 checks it and refused with the same words.
//!
//! Nothing here knows what a store holds: wildcards and patterns stay in the plan until [`expand`] replaces them by what a
//! measurement has. Not here: syntax (`influxql`), where INTO writes to (the caller), types of fields (execution).

mod calls;
mod checks;
mod condition;
mod constant;
mod dimensions;
mod expand;
mod fields;
mod math;
mod names;
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
        limit: at_least_one(select.limit),
        offset: to_usize(select.offset),
        series_limit: at_least_one(select.series_limit),
        series_offset: to_usize(select.series_offset),
        time_zone: select.time_zone.clone(),
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

fn zone_of(select: &ast::Select) -> Result<TimeZone, QueryError> {
    let Some(name) = &select.time_zone else { return Ok(TimeZone::UTC) };
    TimeZone::get(name).map_err(|_| QueryError::invalid(format!("unable to find time zone {name}")))
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
