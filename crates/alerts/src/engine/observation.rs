//! What a rule sees when it is looked at.

use model::TimestampNs;

use crate::Labels;
use crate::level::Level;
use crate::text::Text;

/// One series as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What tells it from other series of the rule: tags, or labels of a fact or an event.
    pub labels: Labels,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// The newest row of a query.
    Row {
        /// Time of the row.
        time: TimestampNs,
        /// Its value, where it is a number or a truth (1 and 0).
        value: Option<f64>,
    },
    /// A fact about hissrv; yes and no are 1 and 0.
    Fact(f64),
    /// An event; its labels are those of the observation.
    Event(Event),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub time: TimestampNs,
    /// How bad.
    pub level: Level,
    /// The value that caused it.
    pub value: Option<f64>,
    /// For people.
    pub message: Text,
}

/// All that was seen of a rule.
#[derive(Debug, Clone, Copy)]
pub enum Sight<'a> {
    /// Every series that there is.
    Seen(&'a [Observation]),
    /// Nobody could tell: alerts stay as they are.
    Failed,
}

impl Sight<'_> {
    pub(super) fn all(&self) -> &[Observation] {
        match self {
            Self::Seen(all) => all,
            Self::Failed => &[],
        }
    }
}
