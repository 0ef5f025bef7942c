//! Settings of the writers: the section `writer` of the configuration file.

use std::time::Duration;

use model::{ByteSize, HumanDuration};
use serde::{Deserialize, Serialize};

use crate::size::{SIZE_MAX, SIZE_MIN};

/// Most threads that write to one store.
const WORKERS_MAX: usize = 64;
/// Least memory of waiting values: some hundred thousand of them.
const MEMORY_MIN: ByteSize = ByteSize(4_000_000);

/// How values are written to stores in other processes. Holds for each of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WriterConfig {
    /// Threads with a connection each, 1 to 64: so many requests may be under way at once. Default 4.
    pub num_workers: usize,
    /// After so many failures one after another the store counts as gone: it is only asked from time to time whether it is back.
    /// Default 3.
    pub retry_attempts: u32,
    /// Time before the first retry; doubles with each further one, up to 30 s. Default 1 s.
    pub retry_delay: HumanDuration,
    /// Values of a request at first, 100 to 10 000; adapts to how fast the store answers. Default 5 000.
    pub batch_size: usize,
    /// Longest time a value waits for others to fill its request. Default 1 s.
    pub max_wait: HumanDuration,
    /// Memory for values read from the journal and not stored yet; may be exceeded by one journal record. Default 64 MB.
    pub max_memory: ByteSize,
    /// Most values a second that are sent to catch up after an outage, so that live ones keep their room; without: no limit.
    pub backlog_rate: Option<u64>,
    /// Space on disk for points that the store refuses for good. Default 100 MB.
    pub dead_letter_max: ByteSize,
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self {
            num_workers: 4,
            retry_attempts: 3,
            retry_delay: HumanDuration(Duration::from_secs(1)),
            batch_size: 5_000,
            max_wait: HumanDuration(Duration::from_secs(1)),
            max_memory: ByteSize(64_000_000),
            backlog_rate: None,
            dead_letter_max: ByteSize(100_000_000),
        }
    }
}

impl WriterConfig {
    /// Looks for values that cannot be meant.
    ///
    /// # Errors
    /// A sentence that names the key and what is expected.
    pub fn check(&self) -> Result<(), String> {
        let expected = |key: &str, what: &str| Err(format!("writer.{key}: expected {what}"));
        if !(1..=WORKERS_MAX).contains(&self.num_workers) {
            return expected("num_workers", "1 to 64");
        }
        if self.retry_attempts == 0 {
            return expected("retry_attempts", "at least 1");
        }
        if self.retry_delay.0.is_zero() || self.retry_delay.0 > Duration::from_secs(30) {
            return expected("retry_delay", "more than 0 and at most 30s");
        }
        if !(SIZE_MIN..=SIZE_MAX).contains(&self.batch_size) {
            return expected("batch_size", "100 to 10000");
        }
        if self.max_wait.0.is_zero() || self.max_wait.0 > Duration::from_secs(60) {
            return expected("max_wait", "more than 0 and at most 60s");
        }
        if self.max_memory < MEMORY_MIN {
            return expected("max_memory", "at least 4MB");
        }
        if self.backlog_rate == Some(0) {
            return expected("backlog_rate", "at least 1, or to be left out for no limit");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_allowed() {
        assert_eq!(WriterConfig::default().check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_the_key_named() {
        let wrong = [
            WriterConfig { num_workers: 0, ..WriterConfig::default() },
            WriterConfig { num_workers: 65, ..WriterConfig::default() },
            WriterConfig { retry_attempts: 0, ..WriterConfig::default() },
            WriterConfig { retry_delay: HumanDuration(Duration::ZERO), ..WriterConfig::default() },
            WriterConfig { batch_size: 99, ..WriterConfig::default() },
            WriterConfig { max_wait: HumanDuration(Duration::from_secs(61)), ..WriterConfig::default() },
            WriterConfig { max_memory: ByteSize(1), ..WriterConfig::default() },
            WriterConfig { backlog_rate: Some(0), ..WriterConfig::default() },
        ];
        for config in wrong {
            assert!(config.check().unwrap_err().starts_with("writer."), "{config:?}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_and_missing_ones_have_defaults() {
        let config: WriterConfig = serde_json::from_str(r#"{"num_workers": 2, "retry_delay": "2s"}"#).unwrap();
        assert_eq!((config.num_workers, config.retry_delay.0, config.batch_size), (2, Duration::from_secs(2), 5_000));
        serde_json::from_str::<WriterConfig>(r#"{"workers": 2}"#).unwrap_err();
    }
}
