//! What a scan of a column hands out.

mod summary;
mod summing;

use model::{TimestampNs, Values};

pub use summary::Summary;
pub(crate) use summary::{rise, seconds_between};
pub use summing::Summing;

/// Parts of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts(u16);

impl Parts {
    /// None.
    pub const NONE: Self = Self(0);
    /// Number of points.
    pub const COUNT: Self = Self(1);
    /// Sum.
    pub const SUM: Self = Self(1 << 1);
    /// Smallest value.
    pub const MIN: Self = Self(1 << 2);
    /// Largest value.
    pub const MAX: Self = Self(1 << 3);
    /// First value.
    pub const FIRST: Self = Self(1 << 4);
    /// Last value.
    pub const LAST: Self = Self(1 << 5);
    /// Times of the first and the last point.
    pub const ENDS: Self = Self(1 << 6);
    /// Times of the smallest and the largest value.
    pub const EXTREMES: Self = Self(1 << 7);
    /// Sum of squared distances from the mean; of use with count and sum.
    pub const SQUARES: Self = Self(1 << 8);
    /// Area below steps; of use with the last value and the times of the ends.
    pub const STEP_AREA: Self = Self(1 << 9);
    /// Area below lines; of use with both ends and their times.
    pub const LINE_AREA: Self = Self(1 << 10);
    /// What was counted; of use with both ends.
    pub const INCREASE: Self = Self(1 << 11);
    /// Whole numbers are exact: none of the parts wanted is rounded because it is a float.
    pub const EXACT: Self = Self(1 << 12);
    /// What stores know of runs of points by themselves.
    pub const BASIC: Self = Self(0b111_1111);
    /// Everything.
    pub const ALL: Self = Self((1 << 13) - 1);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when all of `other` are among them.
    pub const fn contain(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Which runs of points may come as their summaries.
pub struct Wish<'a> {
    /// What summaries must tell; `None`: only points will do.
    pub parts: Option<Parts>,
    /// Whether the summary of a run from its first to its last time is as good as its points.
    pub suffices: &'a dyn Fn(TimestampNs, TimestampNs) -> bool,
}

impl Wish<'_> {
    /// Points only.
    pub const POINTS: Wish<'static> = Wish { parts: None, suffices: &|_, _| false };

    /// True when the summary of a run from `first` to `last` with the parts `offered` will do.
    pub fn takes(&self, first: TimestampNs, last: TimestampNs, offered: Parts) -> bool {
        self.parts.is_some_and(|parts| offered.contain(parts)) && (self.suffices)(first, last)
    }
}

/// A part of a column, in the order of time. Pieces of one scan do not overlap and come oldest first.
#[derive(Debug)]
pub enum Piece<'a> {
    /// The points themselves.
    Points {
        /// Ascending, without repetition.
        times: &'a [TimestampNs],
        /// As many values.
        values: &'a Values,
    },
    /// Their summary, where the caller said that it is enough (numeric columns only).
    Summary(&'a Summary),
}

/// What a scan met besides points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Parts that could not be read, each with file and reason; the rest of the answer is complete.
    pub damaged: Vec<String>,
}
