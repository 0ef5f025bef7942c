//! What is wished of it: nothing can be set from outside, so that each wish it does not fulfil already becomes a sentence that says
//! how it is to be started.

use std::sync::PoisonError;
use std::time::Duration;

use model::HumanDuration;

use crate::{Manage, Step, Wanted, WriteError};

use super::VictoriaMetrics;
use super::client::probe_error;
use super::facts::Facts;

/// A retention policy that was wished.
#[derive(Debug, Clone)]
pub(super) struct WantedPolicy {
    database: String,
    name: String,
    duration: Option<Duration>,
}

const DAY: u64 = 86_400;

/// What stands for "for ever" in its flag.
const FOR_EVER: &str = "100y";
/// Kept for so long is kept for ever.
const LONG: Duration = Duration::from_hours(50 * 365 * 24);

impl Manage for VictoriaMetrics {
    fn keep_in_step(&self, wanted: &Wanted) -> Result<Vec<Step>, WriteError> {
        let policies = policies(wanted);
        self.shared.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&policies);
        for database in &wanted.databases {
            self.shared.set_default(&database.name, &database.default_policy);
        }
        let known = match self.shared.learn() {
            Err(error) if error.status().is_some() => self.shared.known(),
            learnt => learnt.map_err(probe_error)?,
        };
        let facts = known.writer.as_deref().cloned().unwrap_or_default();
        let mut steps = shortfalls(&facts, &policies);
        steps.extend(excess(&facts, &policies));
        steps.extend(wanted.rollups.iter().map(|rollup| {
            let (name, database) = (&rollup.name, &rollup.database);
            format!("VictoriaMetrics computes no rollups from outside: \"{name}\" of \"{database}\" is not made there")
        }));
        Ok(steps.into_iter().map(Step::Impossible).collect())
    }
}

fn policies(wanted: &Wanted) -> Vec<WantedPolicy> {
    let all =
        wanted.databases.iter().flat_map(|database| database.policies.iter().map(move |policy| (database, policy)));
    let wanted = all.map(|(database, policy)| WantedPolicy {
        database: database.name.clone(),
        name: policy.name.clone(),
        duration: policy.duration,
    });
    wanted.collect()
}

/// A sentence for each policy whose points it deletes too early.
pub(super) fn shortfalls(facts: &Facts, wanted: &[WantedPolicy]) -> Vec<String> {
    let Some(kept) = facts.retention() else { return Vec::new() };
    let is_short = |policy: &&WantedPolicy| policy.duration.map_or(kept.0 < LONG, |duration| kept.0 < duration);
    let longest = if wanted.iter().any(|policy| policy.duration.is_none()) {
        FOR_EVER.to_owned()
    } else {
        flag(wanted.iter().filter_map(|policy| policy.duration).max().unwrap_or_default())
    };
    let sentence = |policy: &WantedPolicy| {
        let WantedPolicy { database, name, duration } = policy;
        let long = duration.map_or("for ever".to_owned(), |duration| format!("for {}", HumanDuration(duration)));
        format!(
            "VictoriaMetrics deletes all data after {}, but retention policy \"{name}\" of \"{database}\" keeps it {long}: start it \
             with -retentionPeriod={longest}",
            flag(kept.0)
        )
    };
    wanted.iter().filter(is_short).map(sentence).collect()
}

/// A sentence for each policy whose points stay longer than wished.
fn excess(facts: &Facts, wanted: &[WantedPolicy]) -> Vec<String> {
    let Some(kept) = facts.retention() else {
        return vec![
            "VictoriaMetrics does not tell how long it keeps data: see to it that -retentionPeriod is as long as the longest \
             retention policy"
                .to_owned(),
        ];
    };
    let longer = wanted.iter().filter(|policy| policy.duration.is_some_and(|duration| duration < kept.0));
    let sentence = |WantedPolicy { database, name, .. }: &WantedPolicy| {
        format!(
            "VictoriaMetrics has one retention for all data: points of retention policy \"{name}\" of \"{database}\" stay for {}, too",
            flag(kept.0)
        )
    };
    longer.map(sentence).collect()
}

/// A length of time as its flag has it: whole years or days, rounded up.
fn flag(length: Duration) -> String {
    let days = length.as_secs().div_ceil(DAY);
    if days > 0 && days.is_multiple_of(365) { format!("{}y", days / 365) } else { format!("{days}d") }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn facts(retention: &str) -> Facts {
        let line = format!("flag{{name=\"retentionPeriod\", value=\"{retention}\", is_set=\"true\"}} 1");
        Facts::parse(&line, Instant::now())
    }

    fn wanted(days: &[Option<u64>]) -> Vec<WantedPolicy> {
        let policy = |days: &Option<u64>| WantedPolicy {
            database: "ems".to_owned(),
            name: days.map_or("all".to_owned(), |days| format!("p{days}")),
            duration: days.map(|days| Duration::from_secs(days * DAY)),
        };
        days.iter().map(policy).collect()
    }

    #[test]
    fn what_is_deleted_too_early_is_told_with_the_flag_that_keeps_it() {
        let short = shortfalls(&facts("1"), &wanted(&[Some(7), Some(365)]));
        assert_eq!(
            short,
            [
                "VictoriaMetrics deletes all data after 31d, but retention policy \"p365\" of \"ems\" keeps it for 365d: start it with \
              -retentionPeriod=1y"
            ]
        );
        assert!(
            shortfalls(&facts("1"), &wanted(&[None]))
                .concat()
                .ends_with("keeps it for ever: start it with -retentionPeriod=100y")
        );
        assert!(shortfalls(&facts("100y"), &wanted(&[None, Some(365)])).is_empty());
        assert!(shortfalls(&Facts::default(), &wanted(&[None])).is_empty());
    }

    #[test]
    fn what_stays_longer_is_told_too() {
        assert_eq!(
            excess(&facts("100y"), &wanted(&[None, Some(7)])),
            [
                "VictoriaMetrics has one retention for all data: points of retention policy \"p7\" of \"ems\" stay for 100y, too"
            ]
        );
        assert!(excess(&Facts::default(), &[]).concat().contains("-retentionPeriod"));
    }
}
