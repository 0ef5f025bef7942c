//! What a decoder counts: values stored, messages that hold none, and everything malformed with its reason.

use serde::Serialize;

/// Why (part of) a message could not be stored, or not as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not UTF-8.
    NotUtf8,
    /// Starts like JSON but is not.
    BadJson,
    /// JSON of a shape that none of the forms has.
    UnknownShape,
    /// Neither the message nor the channel's name says which point it is.
    NoPoint,
    /// There is no value.
    NoValue,
    /// NaN or infinite.
    NotFinite,
    /// Text longer than a field may be.
    TooLong,
    /// The time is no time; the value was stored at its arrival.
    BadTime,
    /// The quality is no quality; the value was stored without.
    BadQuality,
    /// The value before scaling is no number; the value was stored without.
    BadRaw,
}

impl Reason {
    /// Every reason, in the order they are declared.
    pub const ALL: [Self; 10] = [
        Self::NotUtf8,
        Self::BadJson,
        Self::UnknownShape,
        Self::NoPoint,
        Self::NoValue,
        Self::NotFinite,
        Self::TooLong,
        Self::BadTime,
        Self::BadQuality,
        Self::BadRaw,
    ];

    /// The name used in counters and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::BadJson => "bad_json",
            Self::UnknownShape => "unknown_shape",
            Self::NoPoint => "no_point",
            Self::NoValue => "no_value",
            Self::NotFinite => "not_finite",
            Self::TooLong => "too_long",
            Self::BadTime => "bad_time",
            Self::BadQuality => "bad_quality",
            Self::BadRaw => "bad_raw",
        }
    }
}

/// Counters of one decoder since they were last taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Points pushed; a point with raw value or quality counts once.
    pub points: u64,
    /// Messages and keys that hold no points by their name.
    pub skipped: u64,
    /// Messages that only say that something changed.
    pub notices: u64,
    /// Points whose time is far ahead of their arrival. They were stored.
    pub future: u64,
    malformed: [u64; Reason::ALL.len()],
    any_malformed: bool,
}

impl Tally {
    /// Counts one malformed message or part of one.
    pub fn reject(&mut self, reason: Reason) {
        if let Some(count) = self.malformed.get_mut(reason as usize) {
            *count += 1;
        }
        self.any_malformed = true;
    }

    /// What was malformed since the last call, in the order of [`Reason::ALL`]; cheap when nothing was.
    pub fn take_malformed(&mut self) -> Option<[u64; Reason::ALL.len()]> {
        if !self.any_malformed {
            return None;
        }
        self.any_malformed = false;
        Some(std::mem::take(&mut self.malformed))
    }
}
