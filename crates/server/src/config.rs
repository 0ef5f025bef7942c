//! Settings of the HTTP server. Every number here is a bound; [`ServerConfig::check`] refuses those that cannot work together.

use std::time::Duration;

use model::{ByteSize, HumanDuration};
use serde::{Deserialize, Serialize};

/// Settings of the HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on; port 0 takes a free one. Anything but a loopback address is warned about, since this
    /// version has no authentication. Default `127.0.0.1:6004`.
    pub listen: String,
    /// Largest body of a request, counted before and after inflating; more is answered 413. Default 32 MB.
    pub max_body: ByteSize,
    /// Bytes of write bodies held at a time over all connections; more is answered 503 with `Retry-After`. At least twice
    /// `max_body`, so that a compressed body and what it inflates to fit. Default 64 MB.
    pub write_memory: ByteSize,
    /// Open connections; further ones wait in the system's queue until one closes. Default 1024.
    pub max_connections: usize,
    /// Queries running at a time; further ones wait for `query_wait`. Default 8.
    pub max_queries: usize,
    /// Longest a query waits for its turn; then it is answered 503. Default 5 s.
    pub query_wait: HumanDuration,
    /// Longest a query runs; then it is cancelled and answered 408, or its chunked answer ends with an error. Default
    /// 60 s.
    pub query_timeout: HumanDuration,
    /// Largest answer of `/query` that is sent as a whole; beyond it the statement fails. Chunked answers have no such bound.
    /// Default 256 MB.
    pub max_answer: ByteSize,
    /// Bytes of such answers held at a time over all connections. At least `max_answer`. Default 512 MB.
    pub answer_memory: ByteSize,
    /// Longest the header of a request may take; then the connection is cut (at the latest after twice that). Default 10 s.
    pub header_timeout: HumanDuration,
    /// A body must bring 64 KiB, or its rest, in every such span; else it is answered 408. Default 10 s.
    pub body_timeout: HumanDuration,
    /// Longest a client may refuse to take bytes of its answer; then the connection is cut. Default 30 s.
    pub response_timeout: HumanDuration,
    /// Longest a connection stays open between two requests. Default 75 s.
    pub idle_timeout: HumanDuration,
}

const DEFAULT_LISTEN: &str = "127.0.0.1:6004";
const DEFAULT_MAX_BODY: ByteSize = ByteSize(32_000_000);
const DEFAULT_WRITE_MEMORY: ByteSize = ByteSize(64_000_000);
const DEFAULT_MAX_ANSWER: ByteSize = ByteSize(256_000_000);
const DEFAULT_ANSWER_MEMORY: ByteSize = ByteSize(512_000_000);
const DEFAULT_MAX_CONNECTIONS: usize = 1024;
const DEFAULT_MAX_QUERIES: usize = 8;

impl Default for ServerConfig {
    fn default() -> Self {
        let seconds = |s| HumanDuration(Duration::from_secs(s));
        Self {
            listen: DEFAULT_LISTEN.to_owned(),
            max_body: DEFAULT_MAX_BODY,
            write_memory: DEFAULT_WRITE_MEMORY,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            max_queries: DEFAULT_MAX_QUERIES,
            query_wait: seconds(5),
            query_timeout: seconds(60),
            max_answer: DEFAULT_MAX_ANSWER,
            answer_memory: DEFAULT_ANSWER_MEMORY,
            header_timeout: seconds(10),
            body_timeout: seconds(10),
            response_timeout: seconds(30),
            idle_timeout: seconds(75),
        }
    }
}

/// Settings that cannot work. The message names the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nothing could ever be served.
    #[error("server.{key} must be at least {least}, but is {value}")]
    TooSmall {
        /// Key below `server`.
        key: &'static str,
        /// As configured.
        value: String,
        /// Smallest that works.
        least: String,
    },
    /// More than the counters behind it hold.
    #[error("server.{key} must be at most {most}, but is {value}")]
    TooLarge {
        /// Key below `server`.
        key: &'static str,
        /// As configured.
        value: String,
        /// Largest that works.
        most: String,
    },
}

/// Largest count of connections, queries, and KiB of bodies.
const MAX_COUNT: u64 = 1 << 30;

impl ServerConfig {
    /// Whether these settings can work together.
    ///
    /// # Errors
    /// The first one that cannot.
    pub fn check(&self) -> Result<(), ConfigError> {
        in_range("max_body", self.max_body.0, ByteSize(1024).0, ByteSize(1 << 40).0, |n| ByteSize(n).to_string())?;
        let twice = self.max_body.0 * 2;
        in_range("write_memory", self.write_memory.0, twice, MAX_COUNT * 1024, |n| ByteSize(n).to_string())?;
        in_range("max_answer", self.max_answer.0, ByteSize(1024).0, ByteSize(1 << 40).0, |n| ByteSize(n).to_string())?;
        let (least, most) = (self.max_answer.0, MAX_COUNT * 1024);
        in_range("answer_memory", self.answer_memory.0, least, most, |n| ByteSize(n).to_string())?;
        in_range("max_connections", self.max_connections as u64, 1, MAX_COUNT, |n| n.to_string())?;
        in_range("max_queries", self.max_queries as u64, 1, MAX_COUNT, |n| n.to_string())?;
        let times = [
            ("query_wait", self.query_wait),
            ("query_timeout", self.query_timeout),
            ("header_timeout", self.header_timeout),
            ("body_timeout", self.body_timeout),
            ("response_timeout", self.response_timeout),
            ("idle_timeout", self.idle_timeout),
        ];
        times.into_iter().try_for_each(|(key, time)| {
            let show = |ms| HumanDuration(Duration::from_millis(ms)).to_string();
            in_range(key, u64::try_from(time.0.as_millis()).unwrap_or(u64::MAX), 1, MAX_TIME_MS, show)
        })
    }
}

/// A day: long enough for everything here, and far from overflowing an instant.
const MAX_TIME_MS: u64 = 86_400_000;

fn in_range(
    key: &'static str,
    value: u64,
    least: u64,
    most: u64,
    show: impl Fn(u64) -> String,
) -> Result<(), ConfigError> {
    if value < least {
        return Err(ConfigError::TooSmall { key, value: show(value), least: show(least) });
    }
    if value > most {
        return Err(ConfigError::TooLarge { key, value: show(value), most: show(most) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_work() {
        assert_eq!(ServerConfig::default().check(), Ok(()));
    }

    #[test]
    fn unknown_keys_are_refused_and_missing_ones_are_defaults() {
        let config: ServerConfig = serde_json::from_str(r#"{"listen": "127.0.0.1:0", "max_body": "1MB"}"#).unwrap();
        assert_eq!(config.max_body, ByteSize(1_000_000));
        assert_eq!(config.max_queries, DEFAULT_MAX_QUERIES);
        assert!(serde_json::from_str::<ServerConfig>(r#"{"port": 1}"#).is_err());
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let refused = |change: fn(&mut ServerConfig)| {
            let mut config = ServerConfig::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(refused(|c| c.max_queries = 0), "server.max_queries must be at least 1, but is 0");
        let message = refused(|c| c.write_memory = ByteSize(32_000_000));
        assert_eq!(message, "server.write_memory must be at least 64MB, but is 32MB");
        assert!(refused(|c| c.body_timeout = HumanDuration(Duration::ZERO)).contains("body_timeout"));
        assert!(refused(|c| c.idle_timeout = HumanDuration(Duration::MAX)).contains("at most 1d"));
    }
}
