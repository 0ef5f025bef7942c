//! Figures of the cache.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::CacheUse;

impl Stats {
    /// Part of the queries that asked the cache for which it had something, from 0 to 1; 0 before the first one.
    pub fn hit_ratio(&self) -> f64 {
        let known = self.hits + self.partial_hits;
        known as f64 / (known + self.misses).max(1) as f64
    }
}

/// Why a query went past the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bypass {
    /// The cache is switched off.
    Off,
    /// The query did not want it.
    NotWanted,
    /// Nothing that the query computes can be kept: stored points, functions that see points one by one, conditions on fields, rows
    /// of subqueries, or no window that is complete and over.
    NotCacheable,
    /// It is short, of old data, and was not asked often.
    NotAdmitted,
}

impl Bypass {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::NotWanted, Self::NotCacheable, Self::NotAdmitted];

    /// As it stands in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NotWanted => "not_wanted",
            Self::NotCacheable => "not_cacheable",
            Self::NotAdmitted => "not_admitted",
        }
    }
}

/// Figures of the moment. Queries that failed are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Queries answered without reading points.
    pub hits: u64,
    /// Queries answered in part.
    pub partial_hits: u64,
    /// Queries of which nothing was known.
    pub misses: u64,
    /// Queries that went past, in the order of [`Bypass::ALL`].
    pub bypasses: [u64; Bypass::ALL.len()],
    /// Windows with points that were known.
    pub windows_served: u64,
    /// Windows with points that were computed while others were asked for, the current one and those cut by a range included.
    pub windows_computed: u64,
    /// Known windows forgotten because of a write (each once) or a deletion (those with points).
    pub windows_invalidated: u64,
    /// Entries given up for want of memory.
    pub evictions: u64,
    /// Memory held.
    pub bytes: u64,
    /// Entries: one for each series of an answer, its functions and its kind of windows.
    pub entries: u64,
}

/// What is counted along the way.
#[derive(Default)]
pub(super) struct Counters {
    hits: AtomicU64,
    partial_hits: AtomicU64,
    misses: AtomicU64,
    bypasses: [AtomicU64; Bypass::ALL.len()],
    windows_served: AtomicU64,
    windows_computed: AtomicU64,
    windows_invalidated: AtomicU64,
}

impl Counters {
    pub(super) fn bypass(&self, reason: Bypass) {
        if let Some(counter) = self.bypasses.get(reason as usize) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn used(&self, use_: CacheUse) {
        let counter = match use_ {
            CacheUse::Hit => &self.hits,
            CacheUse::Partial => &self.partial_hits,
            CacheUse::Miss => &self.misses,
            CacheUse::Bypass => return,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn windows(&self, served: usize, computed: usize) {
        self.windows_served.fetch_add(served as u64, Relaxed);
        self.windows_computed.fetch_add(computed as u64, Relaxed);
    }

    pub(super) fn invalidated(&self, windows: u64) {
        self.windows_invalidated.fetch_add(windows, Relaxed);
    }

    /// The figures, without those of what is held.
    pub(super) fn stats(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        Stats {
            hits: get(&self.hits),
            partial_hits: get(&self.partial_hits),
            misses: get(&self.misses),
            bypasses: self.bypasses.each_ref().map(get),
            windows_served: get(&self.windows_served),
            windows_computed: get(&self.windows_computed),
            windows_invalidated: get(&self.windows_invalidated),
            ..Stats::default()
        }
    }
}
