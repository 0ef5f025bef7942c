//! What became of every value received: received = journaled + rejected + dropped + in flight, for each origin.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Line protocol over HTTP.
    Http,
    /// Redis: Pub/Sub, hashes, strings and lists.
    Redis,
    /// The simulated plant, in process.
    Simulator,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 3] = [Self::Http, Self::Redis, Self::Simulator];

    /// Label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Redis => "redis",
            Self::Simulator => "simulator",
        }
    }
}

/// Totals since the start, by origin.
#[derive(Debug, Default)]
pub struct Counters {
    origins: [OriginCounters; Origin::ALL.len()],
}

#[derive(Debug, Default)]
pub(crate) struct OriginCounters {
    pub(crate) received: AtomicU64,
    pub(crate) journaled: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

/// Totals of one origin. `received` is their sum plus what is in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OriginCounts {
    /// Values that arrived, and lines or points that could not be read as values.
    pub received: u64,
    /// Values durable in the journal.
    pub journaled: u64,
    /// Malformed, of another type than their field, or outside the range of times.
    pub rejected: u64,
    /// Well formed, but the journal did not take them. A sender that waits for an answer was told so.
    pub dropped: u64,
}

impl Counters {
    pub(crate) fn of(&self, origin: Origin) -> &OriginCounters {
        let [http, redis, simulator] = &self.origins;
        match origin {
            Origin::Http => http,
            Origin::Redis => redis,
            Origin::Simulator => simulator,
        }
    }

    /// Totals of one origin.
    pub fn read(&self, origin: Origin) -> OriginCounts {
        let c = self.of(origin);
        OriginCounts {
            received: c.received.load(Relaxed),
            journaled: c.journaled.load(Relaxed),
            rejected: c.rejected.load(Relaxed),
            dropped: c.dropped.load(Relaxed),
        }
    }
}
