//! Times as text, in many forms, to nanoseconds since 1970.

mod civil;
mod format;
mod guess;
mod iso;
mod parser;
mod pattern;
mod zone;

use model::{Precision, TimestampNs};
use serde::{Deserialize, Serialize};

pub use format::TimeFormat;
pub(crate) use guess::{Guess, are_clocks, guess};
pub(crate) use parser::TimeParser;
pub use zone::Twice;
pub(crate) use zone::Zone;

/// Unit of a time that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Nanoseconds.
    #[default]
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

impl From<Unit> for Precision {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Ns => Self::Nanosecond,
            Unit::Us => Self::Microsecond,
            Unit::Ms => Self::Millisecond,
            Unit::S => Self::Second,
        }
    }
}

pub(crate) const OUTSIDE: &str = "the time is beyond the years 1677 to 2262";

/// True for times that line protocol can spell.
pub(crate) fn is_storable(time: TimestampNs) -> bool {
    time.0 > i64::MIN + 1 && time.0 < i64::MAX
}
