//! Random SHOWs.

use influxql::ast::{Countable, KeyCondition, Scope, Show};
use proptest::option::of;
use proptest::prelude::*;

use super::{exprs, name, pattern, selects, text};

/// Any SHOW.
pub(crate) fn show() -> impl Strategy<Value = Show> {
    let plain = vec![
        Show::Databases,
        Show::ContinuousQueries,
        Show::Subscriptions,
        Show::Users,
        Show::Queries,
        Show::Shards,
        Show::ShardGroups,
    ];
    prop_oneof![
        prop::sample::select(plain),
        (of(selects::measurement_name()), scope())
            .prop_map(|(with, scope)| { Show::Measurements { with, scope: Scope { sources: Vec::new(), ..scope } } }),
        scope().prop_map(Show::Series),
        (of(keys()), scope(), 0_u64..3, 0_u64..3).prop_map(|(with, scope, series_limit, series_offset)| {
            Show::TagKeys { with, scope: Scope { series_limit, series_offset, ..scope } }
        }),
        (keys(), scope()).prop_map(|(with, scope)| Show::TagValues { with, scope }),
        scope().prop_map(|scope| Show::FieldKeys(Scope { condition: None, ..scope })),
        cardinality(),
        of(name()).prop_map(|database| Show::RetentionPolicies { database }),
        name().prop_map(|user| Show::Grants { user }),
        of(text()).prop_map(|module| Show::Stats { module }),
        of(text()).prop_map(|module| Show::Diagnostics { module }),
    ]
}

fn cardinality() -> impl Strategy<Value = Show> {
    let all = vec![
        Countable::Series,
        Countable::Measurements,
        Countable::TagKeys,
        Countable::TagValues,
        Countable::FieldKeys,
    ];
    let dimensions = prop::collection::vec(selects::dimension(), 0..3);
    (prop::sample::select(all), any::<bool>(), keys(), dimensions, scope()).prop_map(
        |(of, exact, keys, dimensions, scope)| {
            let with = (of == Countable::TagValues).then_some(keys);
            Show::Cardinality { of, exact, with, dimensions, scope: Scope { order: Vec::new(), ..scope } }
        },
    )
}

fn scope() -> impl Strategy<Value = Scope> {
    let sources = prop::collection::vec(selects::measurement(), 0..3);
    (of(name()), sources, of(exprs::expr()), selects::order(), 0_u64..3, 0_u64..3).prop_map(
        |(database, sources, condition, order, limit, offset)| Scope {
            database,
            sources,
            condition,
            order,
            limit,
            offset,
            ..Scope::default()
        },
    )
}

fn keys() -> impl Strategy<Value = KeyCondition> {
    prop_oneof![
        name().prop_map(KeyCondition::Is),
        name().prop_map(KeyCondition::IsNot),
        pattern().prop_map(KeyCondition::Matches),
        pattern().prop_map(KeyCondition::NotMatches),
        prop::collection::vec(name(), 1..3).prop_map(KeyCondition::In),
    ]
}
