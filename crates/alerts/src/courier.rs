//! The thread that delivers to one channel, one notification after the other.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use model::TimestampNs;

use crate::channel::{Channel, SendError};
use crate::config::RetryConfig;
use crate::notification::Notification;
use crate::shared::{Shared, guarded};

/// Delivers to one channel.
pub(crate) struct Courier {
    name: String,
    channel: Box<dyn Channel>,
    shared: Arc<Shared>,
    /// Attempts that failed one after the other.
    failures: u32,
    /// When the channel may be tried again.
    not_before: Option<Instant>,
    random: RandomState,
}

impl Courier {
    /// Starts the thread; it ends when `shared` is told to stop and the attempt under way is over.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(name: &str, channel: Box<dyn Channel>, shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
        let (failures, not_before, random) = (0, None, RandomState::new());
        let courier = Self { name: name.to_owned(), channel, shared, failures, not_before, random };
        Builder::new().name("alerts-channel".to_owned()).spawn(move || courier.run())
    }

    fn run(mut self) {
        while let Some((seq, notification)) = self.shared.wait_to_send(&self.name, self.not_before) {
            let sent = guarded(|| self.channel.send(&notification));
            match sent.unwrap_or_else(|panic| Err(SendError::refused(panic))) {
                Ok(()) => self.delivered(seq),
                Err(error) if error.is_retryable => self.failed(seq, &error),
                Err(error) => self.refused(seq, &notification, &error),
            }
        }
    }

    /// IMPORTANT: recorded right after the receiver took it: what a crash in between leaves is sent again.
    fn delivered(&mut self, seq: u64) {
        let now = (self.shared.clock)();
        let mut state = self.shared.lock();
        state.ledger.done(seq, &self.name);
        let mut was_failing = false;
        if let Some(channel) = state.channels.get_mut(&self.name) {
            channel.delivered += 1;
            channel.last_delivered = Some(now);
            was_failing = channel.error.take().is_some();
        }
        drop(state);
        if was_failing {
            tracing::info!(channel = self.name, "notifications are delivered again");
        }
        (self.failures, self.not_before) = (0, None);
    }

    /// It is tried again, unless it is too old; everything else as old has waited in vain, too.
    fn failed(&mut self, seq: u64, error: &SendError) {
        let (wall, now) = ((self.shared.clock)(), Instant::now());
        let limit = i64::try_from(self.shared.retry.give_up_after.0.as_nanos()).unwrap_or(i64::MAX);
        let pause = self.pause(self.failures).max(error.retry_after.unwrap_or_default());
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.checked_add(pause);
        let mut state = self.shared.lock();
        let own = self.pause(state.ledger.failures(seq, &self.name)).max(pause);
        state.ledger.again(seq, &self.name, now.checked_add(own).unwrap_or(now));
        let given_up = state.ledger.give_up(&self.name, TimestampNs(wall.0.saturating_sub(limit)));
        let mut is_first = false;
        if let Some(channel) = state.channels.get_mut(&self.name) {
            channel.failed_attempts += 1;
            channel.given_up += given_up.len() as u64;
            is_first = channel.error.replace(error.message.clone()).is_none();
        }
        drop(state);
        if is_first {
            tracing::warn!(
                channel = self.name,
                error = error.message,
                "notifications cannot be delivered; they are kept and tried again"
            );
        }
        if !given_up.is_empty() {
            let count = given_up.len();
            tracing::error!(
                channel = self.name,
                count,
                "notifications could not be delivered for too long and are given up"
            );
        }
    }

    fn refused(&mut self, seq: u64, notification: &Notification, error: &SendError) {
        let mut state = self.shared.lock();
        state.ledger.done(seq, &self.name);
        if let Some(channel) = state.channels.get_mut(&self.name) {
            channel.failed_attempts += 1;
            channel.given_up += 1;
            channel.error = Some(error.message.clone());
        }
        drop(state);
        let (id, error) = (&notification.id, &error.message);
        tracing::error!(channel = self.name, id, error, "a notification was refused and is given up");
        // It answers.
        (self.failures, self.not_before) = (0, None);
    }

    fn pause(&self, failures: u32) -> Duration {
        // The hash of a counter under a random key is random enough to spread attempts.
        pause(&self.shared.retry, failures, self.random.hash_one((failures, self.failures)))
    }
}

/// Doubles with each failure up to the longest one; half of that at least.
fn pause(retry: &RetryConfig, failures: u32, random: u64) -> Duration {
    let full = retry.first.0.saturating_mul(1 << failures.min(20)).min(retry.longest.0);
    full / 2 + (full / 2).mul_f64(random as f64 / u64::MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_spread() {
        let retry = RetryConfig::default();
        assert_eq!(pause(&retry, 0, 0), Duration::from_millis(500));
        assert_eq!(pause(&retry, 0, u64::MAX), Duration::from_secs(1));
        assert_eq!(pause(&retry, 3, 0), Duration::from_secs(4));
        assert_eq!(pause(&retry, u32::MAX, u64::MAX), Duration::from_secs(300));
    }
}
