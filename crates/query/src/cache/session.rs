//! What one query does with the cache: whether it may use it, and what became of that.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{Access, Bypass};
use crate::CacheUse;
use crate::execute::{Options, has_calls};
use crate::plan::{Select, Source};

/// One query's use of the cache; shared by its threads.
pub(crate) struct Session<'a> {
    access: Option<Access<'a>>,
    /// Why it is not used, decided before anything was computed.
    bypass: Option<Bypass>,
    /// Some windows could have come from it.
    asked: AtomicBool,
    /// Some did.
    served: AtomicBool,
    /// Something was read all the same.
    read: AtomicBool,
}

impl<'a> Session<'a> {
    pub(crate) fn open(plan: &Select, options: &Options<'a>) -> Self {
        let bypass = options.cache.and_then(|access| bypass(plan, options, access));
        let (asked, served, read) = Default::default();
        Self { access: options.cache, bypass, asked, served, read }
    }

    /// The cache, where it may be used.
    pub(crate) fn access(&self) -> Option<Access<'a>> {
        self.access.filter(|_| self.bypass.is_none())
    }

    /// Points are read that the cache could not have spared.
    pub(crate) fn note_read(&self) {
        self.read.store(true, Relaxed);
    }

    /// The cache was asked: what it had, and what was read besides.
    pub(crate) fn note_asked(&self, has_known: bool, has_missing: bool) {
        self.asked.store(true, Relaxed);
        self.served.fetch_or(has_known, Relaxed);
        self.read.fetch_or(has_missing, Relaxed);
    }

    /// What became of it. Counts the query.
    pub(crate) fn close(&self) -> CacheUse {
        let Some(Access { cache, .. }) = self.access else { return CacheUse::Bypass };
        if let Some(reason) = self.bypass.or_else(|| (!self.asked.load(Relaxed)).then_some(Bypass::NotCacheable)) {
            cache.counters.bypass(reason);
            return CacheUse::Bypass;
        }
        let used = match (self.served.load(Relaxed), self.read.load(Relaxed)) {
            (true, false) => CacheUse::Hit,
            (true, true) => CacheUse::Partial,
            (false, _) => CacheUse::Miss,
        };
        cache.counters.used(used);
        used
    }
}

fn bypass(plan: &Select, options: &Options<'_>, access: Access<'_>) -> Option<Bypass> {
    if !access.cache.config.enabled {
        return Some(Bypass::Off);
    }
    if !options.shortcuts.cache {
        return Some(Bypass::NotWanted);
    }
    if !computes(plan) {
        return Some(Bypass::NotCacheable);
    }
    (!access.cache.admits(plan, access.now)).then_some(Bypass::NotAdmitted)
}

/// True when functions are computed, in a subquery at least.
fn computes(plan: &Select) -> bool {
    let inside = |source: &Source| matches!(source, Source::Subquery(inner) if computes(inner));
    has_calls(plan) || plan.sources.iter().any(inside)
}
