//! A plan as InfluxQL: the text that a server of InfluxDB's 1.x answers with the very tables that the plan stands for, as far as
//! there is one. It is made as a syntax tree, whose printer quotes every name and text, so that no name can become a statement.
//!
//! What InfluxQL has no words for is [`NotSayable`]. A few differences of order and limits are made up for afterwards
//! ([`After`]). Not here: asking (`super::run`), what the answer looks like (`super::answer`).

mod expr;
mod filter;
mod names;
mod range;
mod sources;
#[cfg(test)]
mod tests;
mod window;

use influxql::ast;
use model::{FieldType, TimeRange};
use query::Cell;
use query::plan::{Dimension, FillWith, Order, Select, Windowing};

use super::after::After;
pub(super) use expr::calls;
pub(super) use filter::{any, tag_condition};
pub(super) use names::{all, checked, equals};
pub(super) use range::bounds;
pub(super) use sources::{are_several, measurement_name};

/// InfluxQL has no words for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("InfluxQL cannot say {0}")]
pub(super) struct NotSayable(pub(super) String);

/// The words for something, if there are any.
pub(super) type Said<T> = Result<T, NotSayable>;

fn not_sayable<T>(what: impl Into<String>) -> Said<T> {
    Err(NotSayable(what.into()))
}

/// What to ask, and what to do with the answer.
#[derive(Debug)]
pub(super) struct Question {
    /// Database of the measurements that name none.
    pub(super) database: String,
    /// Their retention policy.
    pub(super) policy: Option<String>,
    pub(super) text: String,
    pub(super) after: After,
}

/// What a plan is said with.
pub(super) struct Scene<'a> {
    /// The rows are written back.
    pub(super) into: bool,
    /// Types of the columns, as far as they are known.
    pub(super) kinds: &'a [Option<FieldType>],
}

/// Says a plan.
///
/// # Errors
/// [`NotSayable`].
pub(super) fn question(plan: &Select, scene: &Scene<'_>) -> Said<Question> {
    if scene.into && expr::has_keys(plan) {
        return not_sayable("the tags of `top` and `bottom` without their columns");
    }
    if expr::has_integral(plan) && !plan.group_by.is_empty() {
        // InfluxDB 1.6 gives the series in no order.
        return not_sayable("an integral of groups");
    }
    let place = sources::place(plan);
    let after = After::of(plan);
    let asked = after.asked(plan);
    let speaker = Speaker { kinds: scene.kinds, qualified: place.is_none() };
    let text = speaker.select(&asked, None)?.to_string();
    let (database, policy) = place.unwrap_or_else(|| sources::any_database(plan));
    Ok(Question { database, policy, text, after })
}

/// What a query leaves to those inside it.
struct Around<'p> {
    range: TimeRange,
    /// Windows that they have too where they ask for none.
    window: Option<&'p Windowing>,
}

impl<'p> Around<'p> {
    fn of(plan: &'p Select, outer: Option<&Self>) -> Self {
        let window = plan.window.as_ref().or(outer.and_then(|outer| outer.window));
        Self { range: plan.range, window }
    }
}

/// Makes syntax trees.
struct Speaker<'a> {
    kinds: &'a [Option<FieldType>],
    /// Measurements are named with their database.
    qualified: bool,
}

impl Speaker<'_> {
    /// A query, or one inside another one.
    fn select(&self, plan: &Select, outer: Option<&Around<'_>>) -> Said<ast::Select> {
        if outer.is_some() && plan.order != plan.direction {
            return not_sayable("a subquery whose rows are turned round");
        }
        let window = window::of(plan, outer)?;
        let around = Around::of(plan, outer);
        Ok(ast::Select {
            fields: expr::fields(plan)?,
            into: None,
            sources: plan.sources.iter().map(|source| self.source(source, &around)).collect::<Said<_>>()?,
            condition: range::condition(plan, outer)?,
            dimensions: dimensions(plan, window)?,
            fill: self.fill(plan)?,
            order: if outer.is_none() { order(plan.order) } else { Vec::new() },
            limit: limit(plan.limit)?,
            offset: plan.offset as u64,
            series_limit: limit(plan.series_limit)?,
            series_offset: plan.series_offset as u64,
            time_zone: window::zone(plan).map(checked).transpose()?,
        })
    }

    fn fill(&self, plan: &Select) -> Said<ast::Fill> {
        let has_calls = expr::has_calls(plan);
        Ok(match &plan.fill {
            // Without functions both change nothing and are refused.
            FillWith::None | FillWith::Linear if !has_calls => ast::Fill::Null,
            FillWith::Null => ast::Fill::Null,
            FillWith::None => ast::Fill::None,
            FillWith::Previous => ast::Fill::Previous,
            FillWith::Linear => ast::Fill::Linear,
            FillWith::Value(number) => fill_with(number)?,
            FillWith::Exactly(number) => self.fill_exactly(number)?,
        })
    }

    /// InfluxQL makes the number one of the column's type, which must not change it.
    fn fill_exactly(&self, number: &Cell) -> Said<ast::Fill> {
        let keeps = |kind: &Option<FieldType>| match (number, kind) {
            (Cell::Integer(_), Some(FieldType::Float | FieldType::Integer)) | (_, Some(FieldType::Float)) => true,
            (Cell::Float(v), Some(FieldType::Integer)) => *v == *v as i64 as f64,
            _ => false,
        };
        if self.kinds.is_empty() || !self.kinds.iter().all(keeps) {
            return not_sayable("a fill with a number of another type");
        }
        fill_with(number)
    }
}

fn fill_with(number: &Cell) -> Said<ast::Fill> {
    match number {
        Cell::Integer(value) => Ok(ast::Fill::Integer(*value)),
        Cell::Float(value) if value.is_finite() => Ok(ast::Fill::Float(*value)),
        _ => not_sayable("a fill with something else than a number"),
    }
}

fn dimensions(plan: &Select, window: Option<window::Width>) -> Said<Vec<ast::Expr>> {
    let dimension = |dimension: &Dimension| match dimension {
        Dimension::Tag(key) if names::is_time(key) => not_sayable("a tag called `time`"),
        Dimension::Tag(key) => Ok(ast::Expr::Reference { name: checked(key)?, cast: None }),
        Dimension::Like(pattern) => names::pattern(pattern),
        Dimension::All => Ok(ast::Expr::Wildcard(None)),
    };
    let tags = plan.group_by.iter().map(dimension);
    window.map(|width| Ok(width.dimension())).into_iter().chain(tags).collect()
}

fn order(order: Order) -> Vec<ast::SortField> {
    match order {
        Order::Ascending => Vec::new(),
        Order::Descending => vec![ast::SortField { name: "time".to_owned(), ascending: false }],
    }
}

/// 0 would mean none.
fn limit(limit: Option<usize>) -> Said<u64> {
    match limit {
        Some(0) => not_sayable("a limit of 0"),
        limit => Ok(limit.unwrap_or(0) as u64),
    }
}
