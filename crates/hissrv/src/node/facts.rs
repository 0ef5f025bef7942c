//! What rules of alerts can be about besides stored values: facts about hissrv itself, each one value or one a store or task. What each
//! means is in docs/alerts.md.

use alerts::{Labels, Observation, Seen};
use writer::State;

use super::remotes::Remote;
use super::{Node, now};

/// A name, and how the fact is found out. Neither waits for anything.
type Fact = (&'static str, fn(&Node) -> Vec<Observation>);

/// All there are.
const FACTS: [Fact; 14] = [
    ("store_away", store_away),
    ("store_lag_seconds", |node| of_stores(node, lag_seconds)),
    ("store_lag_values", |node| of_stores(node, |remote| remote.writer.status().lag_values as f64)),
    ("dead_letters", |node| of_stores(node, |remote| remote.dead_letters.stats().letters as f64)),
    ("journal_used", |node| one(node.journal.stats().disk.0 as f64 / node.journal_max.0.max(1) as f64)),
    ("journal_seconds_to_full", |node| one(seconds_to_full(node))),
    ("journal_full", |node| one(yes(node.journal.stats().full))),
    ("journal_failed", |node| one(yes(node.journal.stats().poisoned))),
    ("journal_dropped_values", |node| one(node.journal.stats().dropped_points as f64)),
    ("disk_free_bytes", |node| one(node.alerting.free_space().map_or(f64::NAN, |bytes| bytes as f64))),
    ("redis_away", redis_away),
    ("damaged_files", |node| one(node.engine.damaged_files().len() as f64)),
    ("downsampling_lag_seconds", downsampling_lag),
    ("accounting_mismatches", |node| one(node.accounting_mismatches() as f64)),
];

/// Names of all facts.
pub(crate) fn fact_names() -> [&'static str; FACTS.len()] {
    FACTS.map(|(name, _)| name)
}

impl Node {
    /// A fact by its name.
    pub(super) fn fact(&self, name: &str) -> Option<Vec<Observation>> {
        FACTS.iter().find(|(known, _)| *known == name).map(|(_, look)| look(self))
    }
}

fn yes(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

fn one(value: f64) -> Vec<Observation> {
    vec![Observation { labels: Labels::new(), seen: Seen::Fact(value) }]
}

fn labelled(key: &str, name: &str, value: f64) -> Observation {
    Observation { labels: [(key.to_owned(), name.to_owned())].into(), seen: Seen::Fact(value) }
}

fn of_stores(node: &Node, value: impl Fn(&Remote) -> f64) -> Vec<Observation> {
    node.remotes.iter().map(|remote| labelled("store", remote.name, value(remote))).collect()
}

fn store_away(node: &Node) -> Vec<Observation> {
    let mut all = of_stores(node, |remote| away(remote.writer.status().state));
    all.extend(node.applier.iter().map(|applier| labelled("store", "embedded", yes(applier.has_ended()))));
    all
}

fn away(state: State) -> f64 {
    match state {
        State::Waiting | State::Denied | State::Stopped => 1.0,
        // Paused: a person said so.
        State::Writing | State::Recovering | State::Paused => 0.0,
        // Nobody knows before it was reached for the first time: an alert that fired before a restart stays as it is.
        State::Starting => f64::NAN,
    }
}

fn lag_seconds(remote: &Remote) -> f64 {
    let since = remote.writer.status().unsent_since;
    since.map_or(0.0, |since| now().0.saturating_sub(since.0).max(0) as f64 / 1e9)
}

/// For ever, while it does not grow.
fn seconds_to_full(node: &Node) -> f64 {
    node.outlook.time_to(node.journal_max).map_or(f64::INFINITY, |time| time.as_secs_f64())
}

/// Nothing where Redis is switched off.
fn redis_away(node: &Node) -> Vec<Observation> {
    node.redis().iter().flat_map(|source| one(yes(!source.status().connected))).collect()
}

fn downsampling_lag(node: &Node) -> Vec<Observation> {
    let tasks = node.rollups.iter().flat_map(|rollups| rollups.stats().tasks);
    tasks.map(|task| labelled("task", &task.name, task.lag(now()).as_secs_f64())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_is_documented() {
        let docs = include_str!("../../../../docs/alerts.md");
        for name in fact_names() {
            assert!(docs.contains(&format!("| `{name}` |")), "docs/alerts.md does not tell of {name}");
        }
    }

    #[test]
    fn the_built_in_rule_is_about_a_fact_that_there_is() {
        assert!(fact_names().contains(&alerts::Rule::STORE_AWAY));
    }

    #[test]
    fn a_store_is_away_while_values_wait_for_it_against_our_will() {
        assert_eq!([State::Waiting, State::Denied, State::Stopped].map(away), [1.0; 3]);
        assert_eq!([State::Writing, State::Recovering, State::Paused].map(away), [0.0; 3]);
        assert!(away(State::Starting).is_nan());
    }
}
