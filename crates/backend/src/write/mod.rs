//! Writing to a store in another process: what a writer hands over, and what the store may answer. Not here: when to try
//! again and with how much at a time (`writer`).

mod list;
mod text;

use std::ops::Range;
use std::time::Duration;

use model::line::Run;
use model::{FieldValue, TimestampNs};

pub use list::PointList;
pub use text::LinePoints;

/// A store that is written to from outside.
pub trait Write: Send + Sync {
    /// A connection of its own for one thread. Does not talk to the store yet.
    fn session(&self) -> Box<dyn Session>;

    /// How long after [`Session::write`] returned a crash of the store may still lose what was written; zero for a store that
    /// answers only when it has synced.
    fn durable_after(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether already the end of its process loses what it was given within [`Write::durable_after`]; else only that of its machine does.
    fn answers_from_memory(&self) -> bool {
        false
    }

    /// Has the store write to its disk at once what it was given before; false where it cannot be told to, or did not do it: then it does so by
    /// itself, within [`Write::durable_after`]. Blocks for up to a minute.
    fn make_durable(&self) -> bool {
        false
    }
}

/// One thread's way into a store.
pub trait Session: Send {
    /// Stores the points of `range`; once it returns they are there. Storing some twice changes nothing. Blocks for at most the
    /// store's timeout.
    ///
    /// # Errors
    /// [`WriteError`]; some of the points may be stored all the same.
    fn write(&mut self, points: &dyn Points, range: Range<usize>) -> Result<Written, WriteError>;

    /// Stores a text of line protocol (times in nanoseconds) as it is, for a store that speaks it; `None`: this one does not, or would
    /// have to change something, and [`Session::write`] is to be used with [`LinePoints`].
    ///
    /// # Errors
    /// As for [`Session::write`]. After [`WriteError::Points`] the same points may still be taken by [`Session::write`], which changes
    /// what the store has no type for.
    fn write_lines(&mut self, _place: &Destination, _text: &[u8]) -> Option<Result<(), WriteError>> {
        None
    }

    /// As [`Session::write_lines`], for at most `most` lines at the start of a text; tells which. They need not be found before, nor checked but
    /// by the store: where that would change something, nothing is written.
    ///
    /// # Errors
    /// As for [`Session::write_lines`].
    fn write_first_lines(&mut self, place: &Destination, text: &[u8], most: usize) -> Option<Result<Run, WriteError>> {
        let run = Run::of_points(text, most)?;
        Some(self.write_lines(place, text.get(..run.bytes)?)?.map(|()| run))
    }
}

/// What became of points that were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Points left out because the store has no type for them, such as texts in VictoriaMetrics.
    pub filtered: u64,
}

/// Points for one place, in the order they were written in: of two with the same series, field and time the later one stays.
pub trait Points {
    /// Where they go.
    fn place(&self) -> &Destination;

    /// How many there are.
    fn len(&self) -> usize;

    /// True when there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives the points of `range` in order.
    fn visit(&self, range: Range<usize>, each: &mut dyn FnMut(Point<'_>));
}

/// One value of one field of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point<'a> {
    /// Canonical series key, see [`model::key`].
    pub series: &'a [u8],
    /// Field key.
    pub field: &'a str,
    /// The value; floats are finite.
    pub value: FieldValue<'a>,
    /// Its time.
    pub time: TimestampNs,
}

/// A retention policy of a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    /// Database.
    pub database: String,
    /// Retention policy.
    pub policy: String,
    /// It is the one that writes and queries mean that name none.
    pub is_default: bool,
}

/// Why points were not stored. Messages are for people, in full sentences or the store's own words, and never hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The store cannot be reached, does not answer in time, or is failing. Worth a retry.
    #[error("{message}")]
    Away {
        /// What happened.
        message: String,
    },
    /// It asks for less (429, 503 and the like). Worth a retry.
    #[error("{message}")]
    Busy {
        /// What it said.
        message: String,
        /// Not before so long.
        retry_after: Option<Duration>,
    },
    /// It takes nothing as things are: wrong token, no right to write, no such organisation. Only a person can change that, so it
    /// is tried again rarely.
    #[error("{message}")]
    Denied {
        /// What it said, and what to look at.
        message: String,
    },
    /// The batch is larger than it takes; a smaller one may do.
    #[error("{message}")]
    TooLarge {
        /// What it said.
        message: String,
    },
    /// The place does not exist there; [`crate::Manage::keep_in_step`] makes it.
    #[error("{message}")]
    NoPlace {
        /// What it said.
        message: String,
    },
    /// At least one point cannot be stored, ever; the others can.
    #[error("{message}")]
    Points {
        /// Why not.
        message: String,
        /// What the reason is about.
        blame: Blame,
    },
}

/// What is wrong with a point that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Its value, its time, or its names: others of the same field may be fine.
    Value,
    /// Its field: it has another type there, and so have the other values of the field about that time.
    Column,
    /// The store does not say. It may as well refuse everything.
    Unknown,
}

impl Blame {
    /// What a store that takes line protocol means by its words.
    pub fn of_words(message: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&["field type conflict", "field_type_conflict", "invalid column type"]) {
            Self::Column
        } else if says(&["partial write", "unable to parse", "beyond retention policy", "outside retention policy"]) {
            Self::Value
        } else {
            Self::Unknown
        }
    }
}

impl WriteError {
    /// Points that can never be stored, for what they are themselves.
    pub fn points(message: impl Into<String>) -> Self {
        Self::Points { message: message.into(), blame: Blame::Value }
    }

    /// True when the very same points may be taken later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Busy { .. })
    }
}
