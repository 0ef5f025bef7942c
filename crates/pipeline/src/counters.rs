//! What became of every value received: received = journaled + rejected + dropped + in flight, for each origin, at every moment.

use std::sync::{Mutex, PoisonError};

/// Where values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Line protocol over HTTP.
    Http,
    /// Redis: Pub/Sub, hashes, strings and lists.
    Redis,
    /// The simulated plant, in process.
    Simulator,
    /// Rollups, made of values that are stored already.
    Rollup,
    /// Events, made of values as they come or of history.
    Events,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 5] = [Self::Http, Self::Redis, Self::Simulator, Self::Rollup, Self::Events];

    /// Label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Redis => "redis",
            Self::Simulator => "simulator",
            Self::Rollup => "rollup",
            Self::Events => "events",
        }
    }
}

/// Totals since the start, by origin.
#[derive(Debug, Default)]
pub struct Counters {
    origins: [OriginCounters; Origin::ALL.len()],
}

/// Under a lock, so that whoever reads finds the books balanced; it is taken once a batch, not once a value.
#[derive(Debug, Default)]
pub(crate) struct OriginCounters(Mutex<OriginCounts>);

/// Totals of one origin, and what is on its way.
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
    /// Values that are none of these yet.
    pub in_flight: u64,
}

impl OriginCounts {
    /// True when every value is accounted for.
    pub fn is_balanced(&self) -> bool {
        self.received == self.journaled + self.rejected + self.dropped + self.in_flight
    }

    /// Values arrived.
    pub(crate) fn receive(&mut self, values: u64) {
        self.received += values;
        self.in_flight += values;
    }

    /// They are durable.
    pub(crate) fn journal(&mut self, values: u64) {
        self.in_flight -= values;
        self.journaled += values;
    }

    /// They are none, or cannot be stored.
    pub(crate) fn reject(&mut self, values: u64) {
        self.in_flight -= values;
        self.rejected += values;
    }

    /// The journal did not take them.
    pub(crate) fn lose(&mut self, values: u64) {
        self.in_flight -= values;
        self.dropped += values;
    }
}

impl OriginCounters {
    /// Books what became of values.
    pub(crate) fn book(&self, change: impl FnOnce(&mut OriginCounts)) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut counts);
        debug_assert!(counts.is_balanced(), "{counts:?}");
    }
}

impl Counters {
    pub(crate) fn of(&self, origin: Origin) -> &OriginCounters {
        let [http, redis, simulator, rollup, events] = &self.origins;
        match origin {
            Origin::Http => http,
            Origin::Redis => redis,
            Origin::Simulator => simulator,
            Origin::Rollup => rollup,
            Origin::Events => events,
        }
    }

    /// Totals of one origin.
    pub fn read(&self, origin: Origin) -> OriginCounts {
        *self.of(origin).0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
