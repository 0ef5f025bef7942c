//! Random trees, only such as a text can have: what binds less tightly is in parentheses.

mod exprs;
mod selects;
mod shows;

use influxql::ast::{ContinuousQuery, PolicyOptions, Privilege, Removal, Statement};
use proptest::option::of;
use proptest::prelude::*;

/// Any statement but those with passwords, which are not printed.
pub(crate) fn statement() -> impl Strategy<Value = Statement> {
    prop_oneof![
        6 => selects::select(2).prop_map(|select| Statement::Select(Box::new(select))),
        1 => (any::<bool>(), selects::select(1))
            .prop_map(|(analyze, select)| Statement::Explain { analyze, select: Box::new(select) }),
        4 => shows::show().prop_map(Statement::Show),
        2 => removal(),
        2 => dropped(),
        2 => created(),
        2 => users(),
    ]
}

/// A name: plain, reserved, or one that needs quotes.
pub(crate) fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z_][a-zA-Z0-9_]{0,6}",
        1 => prop::sample::select(vec!["select", "Measurement", "fill", "tz", "distinct", "time", "true", "inf"])
            .prop_map(str::to_owned),
        2 => text(),
    ]
}

/// Any text; a carriage return cannot be written in the language.
pub(crate) fn text() -> impl Strategy<Value = String> {
    "[a-z0-9 .,'\"\\\\/\n\t$;µ猫-]{1,8}"
}

/// A regular expression that can be read.
pub(crate) fn pattern() -> impl Strategy<Value = String> {
    "[a-z0-9 ./^$'\"]{0,8}"
}

fn removal() -> impl Strategy<Value = Statement> {
    let sources = prop::collection::vec(selects::bare_measurement(), 0..3);
    (sources, of(exprs::expr()), any::<bool>()).prop_filter_map(
        "one of them must be there",
        |(sources, condition, delete)| {
            let removal = Removal { sources, condition };
            match removal.sources.is_empty() && removal.condition.is_none() {
                true => None,
                false if delete => Some(Statement::Delete(removal)),
                false => Some(Statement::DropSeries(removal)),
            }
        },
    )
}

fn dropped() -> impl Strategy<Value = Statement> {
    (name(), name(), name(), any::<u64>(), 0..8).prop_map(|(name, database, policy, id, kind)| match kind {
        0 => Statement::DropMeasurement { name },
        1 => Statement::DropShard { id },
        2 => Statement::DropDatabase { name },
        3 => Statement::DropRetentionPolicy { name, database },
        4 => Statement::DropContinuousQuery { name, database },
        5 => Statement::DropSubscription { name, database, policy },
        6 => Statement::DropUser { name },
        _ => Statement::KillQuery { id, host: Some(name) },
    })
}

fn duration() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 0..i64::MAX, (1_i64..1000).prop_map(|hours| hours * 3_600_000_000_000)]
}

fn created() -> impl Strategy<Value = Statement> {
    prop_oneof![
        (name(), of(database_policy())).prop_map(|(name, policy)| Statement::CreateDatabase { name, policy }),
        (name(), name(), policy(true))
            .prop_map(|(name, database, options)| { Statement::CreateRetentionPolicy { name, database, options } }),
        (name(), name(), policy(false))
            .prop_map(|(name, database, options)| { Statement::AlterRetentionPolicy { name, database, options } }),
        continuous().prop_map(|query| Statement::CreateContinuousQuery(Box::new(query))),
        (name(), name(), name(), any::<bool>(), prop::collection::vec(text(), 1..3)).prop_map(
            |(name, database, policy, all, destinations)| {
                let mode = if all { "ALL" } else { "ANY" }.to_owned();
                Statement::CreateSubscription { name, database, policy, mode, destinations }
            }
        ),
    ]
}

fn policy(complete: bool) -> impl Strategy<Value = PolicyOptions> {
    let parts = (of(duration()), of(1..=i64::from(i32::MAX)), of(duration()), any::<bool>());
    parts.prop_filter_map("some must be there", move |(duration, replication, shard_duration, default)| {
        let whole = duration.is_some() && replication.is_some();
        let some = whole || duration.is_some() || replication.is_some() || shard_duration.is_some() || default;
        let options = PolicyOptions { name: None, duration, replication, shard_duration, default };
        (if complete { whole } else { some }).then_some(options)
    })
}

fn database_policy() -> impl Strategy<Value = PolicyOptions> {
    (name(), policy(false)).prop_map(|(name, options)| PolicyOptions { name: Some(name), default: false, ..options })
}

fn continuous() -> impl Strategy<Value = ContinuousQuery> {
    (name(), name(), of(1_i64..1000), selects::windowed_into()).prop_map(|(name, database, every, select)| {
        ContinuousQuery { name, database, every, resample_for: every.map(|_| i64::MAX), select }
    })
}

fn users() -> impl Strategy<Value = Statement> {
    let privilege = prop::sample::select(vec![Privilege::Read, Privilege::Write, Privilege::All]);
    (privilege, name(), name(), any::<bool>(), any::<bool>()).prop_map(|(privilege, database, user, lone, grant)| {
        let database = if lone && privilege == Privilege::All { None } else { Some(database) };
        match grant {
            true => Statement::Grant { privilege, database, user },
            false => Statement::Revoke { privilege, database, user },
        }
    })
}
