//! What the reader of an answer should know besides its rows.

use model::TimeRange;

/// How an answer came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Parts that are missing, a sentence each.
    pub warnings: Vec<String>,
    /// Where values come from, oldest first; empty where the store does not tell.
    pub provenance: Vec<Provenance>,
    /// What the cache did.
    pub cache: CacheUse,
}

impl From<Vec<String>> for Report {
    fn from(warnings: Vec<String>) -> Self {
        Self { warnings, ..Self::default() }
    }
}

/// A stretch of time and where its values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// `raw`, or the name of a rollup.
    pub tier: String,
    /// Times; stretches of several tiers meet or overlap where series differ.
    pub range: TimeRange,
    /// True when values of this stretch had been there, and are past the time for which they are kept.
    pub partial: bool,
}

/// What the cache did for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheUse {
    /// It was not asked: there is none, it was not wanted, or the question is none for it.
    #[default]
    Bypass,
    /// Everything came from it.
    Hit,
    /// A part came from it.
    Partial,
    /// Nothing came from it.
    Miss,
}

impl CacheUse {
    /// As it stands in answers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Hit => "hit",
            Self::Partial => "partial",
            Self::Miss => "miss",
        }
    }

    /// What it did for two parts of an answer together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Bypass, Self::Bypass) => Self::Bypass,
            (Self::Hit, Self::Hit) => Self::Hit,
            (Self::Hit | Self::Partial, _) | (_, Self::Hit | Self::Partial) => Self::Partial,
            (Self::Miss, _) | (_, Self::Miss) => Self::Miss,
        }
    }
}

/// Which ways around reading points may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortcuts {
    /// Rollups.
    pub rollups: bool,
    /// Results of earlier queries.
    pub cache: bool,
}

impl Shortcuts {
    /// All of them.
    pub const ALL: Self = Self { rollups: true, cache: true };
    /// None.
    pub const NONE: Self = Self { rollups: false, cache: false };
}
