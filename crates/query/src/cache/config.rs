//! Settings of the cache of results.

use std::time::Duration;

use model::{ByteSize, HumanDuration};
use serde::{Deserialize, Serialize};

const MAX_MEMORY: ByteSize = ByteSize(64 << 20);
const HOT: Duration = Duration::from_secs(3600);
const MIN_RANGE: Duration = Duration::from_secs(3600);
const MIN_SEEN: u32 = 3;

/// Settings of the cache of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Whether results of windows are kept for later queries. Default true.
    pub enabled: bool,
    /// Memory that they may take; those not used for longest go first. Default 64 MiB.
    pub max_memory: ByteSize,
    /// A query whose range reaches into the last so much time is of hot data, and kept. Default 1 h.
    pub hot: HumanDuration,
    /// A query over a longer range than this is kept. Default 1 h.
    pub min_range: HumanDuration,
    /// Any other query is kept once it was asked more often than this, whatever its times. Default 3.
    pub min_seen: u32,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            max_memory: MAX_MEMORY,
            hot: HumanDuration(HOT),
            min_range: HumanDuration(MIN_RANGE),
            min_seen: MIN_SEEN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_the_default_and_unknown_keys_are_refused() {
        let config: CacheConfig = serde_json::from_str(r#"{"max_memory": "1MiB", "hot": "5m"}"#).unwrap();
        let expected = CacheConfig {
            max_memory: ByteSize(1 << 20),
            hot: HumanDuration(Duration::from_secs(300)),
            ..CacheConfig::default()
        };
        assert_eq!(config, expected);
        assert!(serde_json::from_str::<CacheConfig>(r#"{"ttl": "5m"}"#).is_err());
    }
}
