//! Ways to tell people and programs. To add one: a file beside this one with its settings, which implement [`Kind`], and a line below.

mod email;
mod error;
mod log;
mod redis;
mod template;
mod webhook;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use error::{SendError, TestError};
pub use redis::{RedisPublisher, RedisServer};

use crate::notification::Notification;

/// A setting, and what is wrong with it.
pub(crate) type Wrong = (&'static str, String);

/// Somebody who can be told.
pub trait Channel: Send + Sync {
    /// Hands a notification over. Blocks for as long as the channel's timeout at most.
    ///
    /// # Errors
    /// [`SendError`]: it was not taken, or nobody knows.
    fn send(&self, notification: &Notification) -> Result<(), SendError>;
}

/// What channels need that is made elsewhere.
#[derive(Clone, Default)]
pub struct Tools {
    /// For channels of type `redis`.
    pub redis: Option<Arc<dyn RedisPublisher>>,
}

/// The settings of a type of channels.
trait Kind {
    /// Looks for what cannot work.
    fn check(&self) -> Result<(), Wrong>;

    /// A channel with these settings; does not talk to anybody yet.
    fn open(&self, tools: &Tools) -> Result<Box<dyn Channel>, Wrong>;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($settings:path),)+) => {
        /// A way to tell people and programs, by its type: `ops: {webhook: {url: ..}}`.
        // NOTE: not by a key `type` among the settings: serde would read them without knowing what they are to be then, and a password
        // of digits would be a number.
        #[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
        #[serde(rename_all = "lowercase")]
        pub enum ChannelConfig {
            $($(#[$doc])* $kind($settings),)+
        }

        impl ChannelConfig {
            /// The type, as it is written.
            pub(crate) fn kind(&self) -> String {
                match self {
                    $(Self::$kind(_) => stringify!($kind).to_lowercase(),)+
                }
            }

            pub(crate) fn check(&self) -> Result<(), Wrong> {
                match self {
                    $(Self::$kind(settings) => settings.check(),)+
                }
            }

            pub(crate) fn open(&self, tools: &Tools) -> Result<Box<dyn Channel>, Wrong> {
                match self {
                    $(Self::$kind(settings) => settings.open(tools),)+
                }
            }
        }
    };
}

kinds! {
    /// A request to an HTTP server.
    Webhook(webhook::Webhook),
    /// An e-mail.
    Email(email::Email),
    /// A message of Redis.
    Redis(redis::Redis),
    /// A line in the log.
    Log(log::Log),
}
