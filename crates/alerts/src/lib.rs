//! Alerts: rules about values, missing values, events and hissrv itself; who is told, and that they are told.
//!
//! [`Engine`] says what becomes of an alert: a function of time, rule and what was seen, without clock, files or sockets. [`Alerts`]
//! puts it to work: it asks for what the rules are about, keeps state and waiting notifications in a file, and delivers them.
//!
//! A notification is delivered at least once. It is durable before it is handed to a channel, and recorded as delivered right after
//! the receiver has taken it. It is sent again only when hissrv dies between the two, or when the receiver's answer is lost;
//! then it has the same id (`Idempotency-Key` of webhooks, `Message-ID` of e-mails, `id` in every body). When the disk cannot be
//! written, notifications are sent all the same, since this is what the disk's alert is about; a crash then may repeat them.
//!
//! Not here: queries and health facts (behind [`Watched`]), detection of events (crate `events`), a client of Redis
//! (behind [`RedisPublisher`]).

mod fingerprint;
mod level;
mod moment;
mod text;

mod config;
mod silence;

mod engine;

mod notification;
mod outbox;
mod store;

mod ledger;

mod channel;
mod courier;

mod alerts;
mod evaluator;
mod shared;
mod status;

pub use alerts::{Alerts, OpenError, Options, SilenceError, send_test};
pub use channel::{Channel, ChannelConfig, RedisPublisher, RedisServer, SendError, TestError, Tools};
pub use config::{
    AbsenceConfig, Config, ConfigError, EventConfig, HealthConfig, Missing, QueryConfig, Repeat, RetryConfig,
    RuleConfig,
};
pub use engine::{
    Absence, Alert, Circumstances, Engine, Evaluation, Event, Events, Expression, Notice, Observation, Phase, Reading,
    Rule, Seen, Sight, Threshold, Told,
};
pub use evaluator::{Due, Question, Watched};
pub use fingerprint::Fingerprint;
pub use level::Level;
pub use moment::Moment;
pub use notification::{Notification, Status, Transition};
pub use silence::{Silence, SilenceConfig, Weekday, WeeklyWindow};
pub use status::{AlertView, ChannelStatus, Listing, RuleStatus, SilenceView, State, Totals};
pub use store::verify;
pub use text::{Language, Text};

/// What time it is.
pub type Clock = std::sync::Arc<dyn Fn() -> model::TimestampNs + Send + Sync>;

/// Names and values that tell one series from another, and alerts to people.
pub type Labels = std::collections::BTreeMap<String, String>;
