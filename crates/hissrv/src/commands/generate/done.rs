//! What came of it.

use std::time::Duration;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Where points went.
    pub(super) target: String,
    /// Points that are there.
    pub(super) points: u64,
    /// Times of the plan that were begun; all where they are not made time by time.
    pub(super) ticks: u64,
    /// All that was asked for was made.
    pub(super) complete: bool,
    /// Points that were refused, and what was said of the last one.
    pub(super) refused: u64,
    pub(super) reason: Option<String>,
    /// Requests that were sent again.
    pub(super) retries: u64,
    pub(super) took: Duration,
    /// What there is to say of Redis only.
    pub(super) published: Option<Published>,
    /// Why it ended early, or counts as failed.
    pub(super) failure: Option<String>,
}

/// What there is to say of Redis only.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// Commands that Redis took.
    pub(super) messages: u64,
    /// Of these, messages of Pub/Sub that nobody received.
    pub(super) unheard: u64,
    /// Points a second that were asked for.
    pub(super) rate: f64,
}

impl Done {
    /// Points a second.
    pub(super) fn rate(&self) -> f64 {
        self.points as f64 / self.took.as_secs_f64().max(1e-3)
    }
}
