//! Notifications as messages of Redis. Who does not listen at that moment misses them, as with every message of Redis.

use std::sync::Arc;

use model::Secret;
use serde::{Deserialize, Serialize};
use tls::TlsConfig;

use super::{Channel, Kind, SendError, Tools, Wrong};
use crate::notification::Notification;
use crate::text::Language;

/// Which Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisServer {
    /// `redis://` and the like, with the login.
    pub url: Secret,
    /// For `rediss://`: whom to trust.
    pub tls: TlsConfig,
}

/// A client of Redis.
pub trait RedisPublisher: Send + Sync {
    /// Sends `PUBLISH channel message` and waits for the answer, some seconds at most.
    ///
    /// # Errors
    /// [`SendError`] when there is no answer, or a refusal.
    fn publish(&self, server: &RedisServer, channel: &str, message: &[u8]) -> Result<(), SendError>;
}

/// A message of Redis: the same JSON as in a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `redis://user:password@host:port/db`, `rediss://` or `unix://`. Never shown.
    pub url: Secret,
    /// Channel to publish to. Default `hissrv:alerts`.
    #[serde(default = "channel")]
    pub channel: String,
    /// For `rediss://`: whom to trust.
    #[serde(default)]
    pub tls: TlsConfig,
    /// Language of the texts. Default en.
    #[serde(default)]
    pub language: Language,
}

fn channel() -> String {
    "hissrv:alerts".to_owned()
}

impl Kind for Redis {
    fn check(&self) -> Result<(), Wrong> {
        let schemes = ["redis://", "rediss://", "unix://", "redis+unix://"];
        if !schemes.iter().any(|scheme| self.url.reveal().starts_with(scheme)) {
            return Err(("url", "expected redis://, rediss://, unix:// or redis+unix:// at the start".to_owned()));
        }
        if self.channel.is_empty() {
            return Err(("channel", "expected a name".to_owned()));
        }
        if !self.tls.is_complete() {
            return Err(("tls", "cert_file and key_file belong together".to_owned()));
        }
        Ok(())
    }

    fn open(&self, tools: &Tools) -> Result<Box<dyn Channel>, Wrong> {
        self.check()?;
        let publisher = tools.redis.clone().ok_or(("url", "there is no client of Redis here".to_owned()))?;
        let server = RedisServer { url: self.url.clone(), tls: self.tls.clone() };
        Ok(Box::new(Open { publisher, server, settings: self.clone() }))
    }
}

struct Open {
    publisher: Arc<dyn RedisPublisher>,
    server: RedisServer,
    settings: Redis,
}

impl Channel for Open {
    fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let message = notification.body(self.settings.language).to_string();
        self.publisher.publish(&self.server, &self.settings.channel, message.as_bytes())
    }
}
