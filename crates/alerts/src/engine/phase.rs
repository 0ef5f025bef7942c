//! Where an alert stands, and how it moves on.

use model::TimestampNs;
use serde::{Deserialize, Serialize};

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Phase {
    /// All is well; kept only for a series that would be missed.
    Inactive,
    /// The condition holds, but not for long enough.
    Pending {
        /// Since when the condition holds.
        #[serde(rename = "since_ns")]
        since: Ns,
    },
    /// The condition has held for long enough, and is not over.
    Firing {
        /// Since when the condition holds.
        #[serde(rename = "since_ns")]
        since: Ns,
        /// Since when it does not, if it has to be over for longer.
        #[serde(rename = "over_ns")]
        over: Option<Ns>,
    },
    /// It was firing.
    Resolved {
        /// Since when the condition held.
        #[serde(rename = "since_ns")]
        since: Ns,
        /// Until when.
        #[serde(rename = "until_ns")]
        until: Ns,
    },
}

/// Nanoseconds since 1970, as they are in the file.
type Ns = i64;

/// What was seen, compared with the condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The condition holds.
    Beyond,
    /// Back behind the threshold, not yet where all is well.
    Between,
    /// All is well.
    Clear,
    /// Nobody knows.
    Unknown,
}

/// How long a condition must hold, and be over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) pending_ns: i64,
    pub(super) keep_firing_ns: i64,
}

impl Phase {
    /// Where it stands at `now` after a look; a condition that begins does so at `begin`.
    ///
    /// A pending alert is one only as long as every look finds the value beyond the threshold; one that nobody knows anything of
    /// stays pending and does not fire.
    pub(super) fn after(self, verdict: Verdict, patience: Patience, begin: TimestampNs, now: TimestampNs) -> Self {
        match (self, verdict) {
            (Self::Inactive | Self::Resolved { .. }, Verdict::Beyond) => Self::pending(begin.0, patience, now),
            (Self::Pending { since }, Verdict::Beyond) => Self::pending(since, patience, now),
            (Self::Pending { .. }, Verdict::Between | Verdict::Clear) => Self::Inactive,
            (Self::Firing { since, .. }, Verdict::Beyond | Verdict::Between) => Self::Firing { since, over: None },
            (Self::Firing { since, over }, Verdict::Clear) => {
                let over = over.unwrap_or(now.0);
                if elapsed(over, now) >= patience.keep_firing_ns {
                    Self::Resolved { since, until: over }
                } else {
                    Self::Firing { since, over: Some(over) }
                }
            }
            (same, _) => same,
        }
    }

    fn pending(since: Ns, patience: Patience, now: TimestampNs) -> Self {
        if elapsed(since, now) >= patience.pending_ns {
            Self::Firing { since, over: None }
        } else {
            Self::Pending { since }
        }
    }

    /// True while it fires.
    pub fn is_firing(self) -> bool {
        matches!(self, Self::Firing { .. })
    }

    /// Since when the condition holds or held; `None` while all is well.
    pub fn since(self) -> Option<TimestampNs> {
        match self {
            Self::Inactive => None,
            Self::Pending { since } | Self::Firing { since, .. } | Self::Resolved { since, .. } => {
                Some(TimestampNs(since))
            }
        }
    }

    /// Until when the condition held, once it is over.
    pub fn until(self) -> Option<TimestampNs> {
        match self {
            Self::Resolved { until, .. } => Some(TimestampNs(until)),
            _ => None,
        }
    }
}

/// Time passed; zero when the clock was set back.
pub(super) fn elapsed(since: Ns, now: TimestampNs) -> i64 {
    now.0.saturating_sub(since).max(0)
}
