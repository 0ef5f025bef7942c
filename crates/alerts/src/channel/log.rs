//! Notifications as lines of hissrv's own log.

use serde::{Deserialize, Serialize};

use super::{Channel, Kind, SendError, Tools, Wrong};
use crate::notification::{Notification, Status};
use crate::text::Language;

/// A line in the log, a warning while the alert fires.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Language of the texts. Default en.
    pub language: Language,
}

impl Kind for Log {
    fn check(&self) -> Result<(), Wrong> {
        Ok(())
    }

    fn open(&self, _tools: &Tools) -> Result<Box<dyn Channel>, Wrong> {
        Ok(Box::new(self.clone()))
    }
}

impl Channel for Log {
    fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let Notification { id, rule, text, .. } = notification;
        let text = text.get(self.language);
        match notification.status {
            Status::Firing => tracing::warn!(rule, text, id, "an alert fires"),
            Status::Resolved => tracing::info!(rule, text, id, "an alert is over"),
            Status::Test => tracing::info!(text, id, "a test of notifications"),
        }
        Ok(())
    }
}
