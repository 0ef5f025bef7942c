//! What a scan of a column hands out.

use model::{TimestampNs, Values};

/// What is known of a run of points without reading them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of points, at least 1.
    pub count: u64,
    /// Time of the first point.
    pub first_time: TimestampNs,
    /// Time of the last point.
    pub last_time: TimestampNs,
    /// Sum of the values.
    pub sum: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Value of the first point.
    pub first: f64,
    /// Value of the last point.
    pub last: f64,
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
    Summary(Summary),
}

/// What a scan met besides points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Parts that could not be read, each with file and reason; the rest of the answer is complete.
    pub damaged: Vec<String>,
}
