//! Instants, half-open ranges, windows. Integers become these types at the parser and stay so.

use std::fmt;

/// Nanoseconds since 1970-01-01T00:00:00Z; negative before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct TimestampNs(pub i64);

impl TimestampNs {
    /// The earliest instant that can be stored.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be stored; as the end of a range it is never reached, so a value at
    /// exactly this instant is refused by the line-protocol parser (as InfluxDB does).
    pub const MAX: Self = Self(i64::MAX);

    /// Start of the window holding `self`, rounding towards the past (also before 1970).
    pub const fn window_start(self, width: WindowNs) -> Self {
        Self(self.0.div_euclid(width.0).saturating_mul(width.0))
    }

    /// `self` plus `ns` nanoseconds, held inside what can be represented.
    pub const fn saturating_add(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }
}

/// A positive length of time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowNs(i64);

impl WindowNs {
    /// `None` unless `ns` is positive.
    pub const fn new(ns: i64) -> Option<Self> {
        if ns > 0 { Some(Self(ns)) } else { None }
    }

    /// Length in nanoseconds, at least 1.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// All `t` with `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// First instant inside.
    pub start: TimestampNs,
    /// First instant after.
    pub end: TimestampNs,
}

impl TimeRange {
    /// Every instant that can be stored.
    pub const ALL: Self = Self { start: TimestampNs::MIN, end: TimestampNs::MAX };

    /// The range from `start` up to, not including, `end`.
    pub const fn new(start: TimestampNs, end: TimestampNs) -> Self {
        Self { start, end }
    }

    /// True when no instant is inside.
    pub const fn is_empty(self) -> bool {
        self.start.0 >= self.end.0
    }

    /// True when `t` is inside.
    pub const fn contains(self, t: TimestampNs) -> bool {
        self.start.0 <= t.0 && t.0 < self.end.0
    }

    /// True when some instant of `min..=max` is inside.
    pub const fn meets(self, min: TimestampNs, max: TimestampNs) -> bool {
        min.0 < self.end.0 && self.start.0 <= max.0
    }

    /// True when every instant of `min..=max` is inside.
    pub const fn covers(self, min: TimestampNs, max: TimestampNs) -> bool {
        self.start.0 <= min.0 && max.0 < self.end.0
    }
}

/// Unit of an integer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Nanoseconds.
    #[default]
    Nanosecond,
    /// Microseconds.
    Microsecond,
    /// Milliseconds.
    Millisecond,
    /// Seconds.
    Second,
    /// Minutes (InfluxDB 1.x only).
    Minute,
    /// Hours (InfluxDB 1.x only).
    Hour,
}

impl Precision {
    /// InfluxDB's spellings: `n ns u us ms s m h`; the empty word is nanoseconds.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "" | "n" | "ns" => Self::Nanosecond,
            "u" | "us" | "µ" | "µs" => Self::Microsecond,
            "ms" => Self::Millisecond,
            "s" => Self::Second,
            "m" => Self::Minute,
            "h" => Self::Hour,
            _ => return None,
        })
    }

    /// Nanoseconds in one unit.
    pub const fn ns(self) -> i64 {
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
            Self::Minute => 60_000_000_000,
            Self::Hour => 3_600_000_000_000,
        }
    }

    /// The unit of an epoch by its magnitude: below 1e11 seconds, below 1e14 milliseconds, below 1e17
    /// microseconds, else nanoseconds (the rule of the Redis producers in the field).
    pub const fn guess(epoch: i64) -> Self {
        match epoch.unsigned_abs() {
            0..100_000_000_000 => Self::Second,
            100_000_000_000..100_000_000_000_000 => Self::Millisecond,
            100_000_000_000_000..100_000_000_000_000_000 => Self::Microsecond,
            _ => Self::Nanosecond,
        }
    }

    /// `epoch` of this unit as an instant; `None` when it cannot be represented.
    pub fn to_instant(self, epoch: i64) -> Option<TimestampNs> {
        epoch.checked_mul(self.ns()).map(TimestampNs)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nanosecond => "ns",
            Self::Microsecond => "us",
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_start_rounds_towards_the_past_also_before_1970() {
        let w = WindowNs::new(10).unwrap();
        assert_eq!(TimestampNs(19).window_start(w), TimestampNs(10));
        assert_eq!(TimestampNs(-1).window_start(w), TimestampNs(-10));
        assert_eq!(TimestampNs::MIN.window_start(w), TimestampNs(i64::MIN));
    }

    #[test]
    fn precision_is_guessed_from_the_magnitude() {
        assert_eq!(Precision::guess(1_754_530_782), Precision::Second);
        assert_eq!(Precision::guess(1_752_633_600_000), Precision::Millisecond);
        assert_eq!(Precision::guess(1_752_633_600_000_000), Precision::Microsecond);
        assert_eq!(Precision::guess(1_752_633_600_000_000_000), Precision::Nanosecond);
    }

    #[test]
    fn an_epoch_that_does_not_fit_is_no_instant() {
        assert_eq!(Precision::Hour.to_instant(i64::MAX), None);
        assert_eq!(Precision::Second.to_instant(2), Some(TimestampNs(2_000_000_000)));
    }
}
