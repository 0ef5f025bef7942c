//! How far a function looks beyond the points of its window.

use model::TimestampNs;

/// What a function wants to be told of the points beside a window, series by series: the newest one before it
/// ([`super::State::enter`]) and the oldest one behind it ([`super::State::leave`]). They may lie outside of the range asked for.
/// Where points must fulfil a condition on a field, those outside of the range are not known.
///
/// What a window gives then depends on more than its own points: results may be kept for later only with what lies beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beside {
    /// Nothing: the points of the window are enough.
    #[default]
    Nothing,
    /// The point before a window that has points.
    Before,
    /// A value stands until the next point, for at most so many nanoseconds: windows are told the point before them, those without
    /// points, too. Without a limit, behind the newest point there is, it stands to the end of that point's window only, since nobody knows
    /// whether the series still lives.
    Steps {
        /// For how long at most.
        longest_ns: Option<i64>,
    },
    /// Straight lines join neighbouring points that are at most so far apart: all windows that a line meets are told both its ends.
    Lines {
        /// How far at most.
        longest_ns: Option<i64>,
    },
}

impl Beside {
    /// Whether something is known of a window that starts at `start` and has no points, with the points `before` and, where there is
    /// one, `after` it.
    pub(crate) fn reaches(self, before: TimestampNs, after: Option<TimestampNs>, start: TimestampNs) -> bool {
        match self {
            Self::Nothing | Self::Before => false,
            Self::Steps { longest_ns: None } => after.is_some(),
            Self::Steps { longest_ns: Some(longest) } => start < before.saturating_add(longest),
            Self::Lines { longest_ns: None } => after.is_some(),
            Self::Lines { longest_ns: Some(longest) } => {
                after.is_some_and(|after| after <= before.saturating_add(longest))
            }
        }
    }

    /// How long before a window the point that matters lies at most; `None`: any time before.
    pub(crate) const fn longest_ns(self) -> Option<i64> {
        match self {
            Self::Nothing => Some(0),
            Self::Before => None,
            Self::Steps { longest_ns } | Self::Lines { longest_ns } => longest_ns,
        }
    }
}

/// An argument in seconds as nanoseconds.
pub(super) fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}
