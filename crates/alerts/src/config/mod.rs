//! Section `alerts` of the configuration.

mod check;
mod rule;

use std::collections::BTreeMap;
use std::time::Duration;

use model::HumanDuration;
use serde::{Deserialize, Serialize};

pub use check::ConfigError;
pub use rule::{AbsenceConfig, EventConfig, HealthConfig, Missing, QueryConfig, Repeat, RuleConfig};

use crate::channel::ChannelConfig;
use crate::engine::Rule;
use crate::silence::SilenceConfig;

/// Default of [`Config::max_alerts`].
const MAX_ALERTS: usize = 1_000;
/// Default of [`Config::max_waiting`].
const MAX_WAITING: usize = 10_000;
const MINUTE: u64 = 60;

/// Alerts: what about, and whom to tell.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What to alert about. Default none but [`Config::store_outage`].
    pub rules: Vec<RuleConfig>,
    /// Ways to tell people and programs, by name. Default none.
    pub channels: BTreeMap<String, ChannelConfig>,
    /// When not to tell. Further ones can be added while hissrv runs. Default none.
    pub silences: Vec<SilenceConfig>,
    /// True: where there is any channel, a rule `store_away` tells all of them when a store cannot be written to for 30 s, and when it can
    /// again. A rule of that name takes its place. Default true.
    pub store_outage: bool,
    /// Most alerts of one rule, counting those that ended within the last hour. Further series are counted and not watched. Default 1000.
    pub max_alerts: usize,
    /// Most notifications that wait for a channel. When it is reached, repeats are dropped first; then alerts fire without a
    /// notification until there is room. That an alert is over is always told. Default 10000.
    pub max_waiting: usize,
    /// Delivery to a channel that fails.
    pub retry: RetryConfig,
}

/// How deliveries are tried again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// Pause after the first failure; doubles with each further one. Half of it and up to all of it, by chance. Default 1s.
    pub first: HumanDuration,
    /// Longest pause, unless the receiver asks for a longer one (an hour at most). Default 5m.
    pub longest: HumanDuration,
    /// A notification that could not be delivered for so long is given up. Default 1d.
    pub give_up_after: HumanDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            channels: BTreeMap::new(),
            silences: Vec::new(),
            store_outage: true,
            max_alerts: MAX_ALERTS,
            max_waiting: MAX_WAITING,
            retry: RetryConfig::default(),
        }
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            first: HumanDuration(Duration::from_secs(1)),
            longest: HumanDuration(Duration::from_secs(5 * MINUTE)),
            give_up_after: HumanDuration(Duration::from_secs(24 * 60 * MINUTE)),
        }
    }
}

impl Config {
    /// The rules in force, the built-in one last.
    ///
    /// # Errors
    /// [`ConfigError`] for the first that cannot work.
    pub fn rules(&self) -> Result<Vec<Rule>, ConfigError> {
        let mut all: Vec<Rule> = Vec::with_capacity(self.rules.len() + 1);
        for (index, rule) in self.rules.iter().enumerate() {
            all.push(
                rule.compile().map_err(|(key, reason)| ConfigError::new(format!("rules[{index}].{key}"), reason))?,
            );
        }
        let is_replaced = all.iter().any(|rule| rule.name == Rule::STORE_AWAY);
        if self.store_outage && !self.channels.is_empty() && !is_replaced {
            all.push(Rule::store_away(self.channels.keys().cloned().collect()));
        }
        Ok(all)
    }
}
