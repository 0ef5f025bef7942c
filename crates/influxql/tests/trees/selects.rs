//! Random SELECTs.

use influxql::ast::{Expr, Field, Fill, Measurement, MeasurementName, Select, SortField, Source};
use proptest::option::of;
use proptest::prelude::*;

use super::{exprs, name, pattern, text};

/// A SELECT with subqueries down to a level.
pub(crate) fn select(levels: u32) -> BoxedStrategy<Select> {
    let source = match levels {
        0 => measurement().prop_map(Source::Measurement).boxed(),
        _ => prop_oneof![
            3 => measurement().prop_map(Source::Measurement),
            1 => select(levels - 1).prop_map(|select| Source::Subquery(Box::new(select))),
        ]
        .boxed(),
    };
    let sources = prop::collection::vec(source, 1..3);
    let limits = (0..=i64::MAX.unsigned_abs(), 0_u64..3, 0_u64..3, 0_u64..3);
    let dimensions = prop::collection::vec(dimension(), 0..3);
    let begin = (prop::collection::vec(field(), 1..3), of(target()), sources, of(exprs::expr()), dimensions);
    (begin, fill(), order(), limits, of(text()))
        .prop_map(|((fields, into, sources, condition, dimensions), fill, order, limits, time_zone)| {
            let (limit, offset, series_limit, series_offset) = limits;
            Select {
                fields,
                into,
                sources,
                condition,
                dimensions,
                fill,
                order,
                limit,
                offset,
                series_limit,
                series_offset,
                time_zone,
            }
        })
        .boxed()
}

/// What a continuous query runs.
pub(crate) fn windowed_into() -> impl Strategy<Value = Select> {
    (select(1), target(), 1..i64::MAX).prop_map(|(select, target, ns)| {
        let time = Expr::Call { name: "time".to_owned(), args: vec![Expr::Duration(ns)] };
        Select { into: Some(target), dimensions: vec![time], ..select }
    })
}

/// A name or pattern without database and policy.
pub(crate) fn bare_measurement() -> impl Strategy<Value = Measurement> {
    measurement_name().prop_map(|name| Measurement { database: None, policy: None, name })
}

/// A name or pattern.
pub(crate) fn measurement() -> impl Strategy<Value = Measurement> {
    (of(name()), of(name()), measurement_name()).prop_map(|(database, policy, name)| Measurement {
        database,
        policy,
        name,
    })
}

/// A name or pattern.
pub(crate) fn measurement_name() -> impl Strategy<Value = MeasurementName> {
    prop_oneof![3 => name().prop_map(MeasurementName::Name), 1 => pattern().prop_map(MeasurementName::Pattern)]
}

/// Names to group by.
pub(crate) fn dimension() -> impl Strategy<Value = Expr> {
    prop_oneof![3 => exprs::expr(), 1 => pattern().prop_map(Expr::Regex)]
}

/// The only orders there are.
pub(crate) fn order() -> impl Strategy<Value = Vec<SortField>> {
    let names = prop::sample::select(vec!["", "time"]).prop_map(str::to_owned);
    let field = (names, any::<bool>()).prop_map(|(name, ascending)| SortField { name, ascending });
    prop::collection::vec(field, 0..=1)
}

fn target() -> impl Strategy<Value = Measurement> {
    let names = prop_oneof![3 => name().prop_map(MeasurementName::Name), 1 => Just(MeasurementName::FromSource)];
    (of(name()), name(), names).prop_map(|(database, policy, name)| Measurement {
        database,
        policy: Some(policy),
        name,
    })
}

fn field() -> impl Strategy<Value = Field> {
    let expr = prop_oneof![4 => exprs::value(), 1 => pattern().prop_map(Expr::Regex)];
    (expr, of(name())).prop_map(|(expr, alias)| Field { expr, alias })
}

fn fill() -> impl Strategy<Value = Fill> {
    prop_oneof![
        Just(Fill::Null),
        Just(Fill::None),
        Just(Fill::Previous),
        Just(Fill::Linear),
        any::<i64>().prop_map(Fill::Integer),
        any::<f64>().prop_filter_map("no whole number", |value| {
            let whole = value.fract() == 0.0 && value.abs() < 1e16;
            (value.is_finite() && !whole).then_some(Fill::Float(value))
        }),
    ]
}
