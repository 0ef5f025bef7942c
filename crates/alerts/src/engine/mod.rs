//! What becomes of an alert: a function of its state, the rule, what was seen, and the time.
//!
//! ```text
//!            beyond                 beyond for as long as `for` says
//! inactive ─────────▶ pending ──────────────────────────────────────▶ firing
//!     ▲                  │ not beyond                                   │ clear for as long as `keep_firing_for` says
//!     └──────────────────┴───────────── resolved ◀──────────────────────┘
//! ```

mod alert;
mod event;
mod machine;
mod observation;
mod phase;
mod rule;
mod verdict;

pub use alert::{Alert, Reading, Told};
pub(crate) use event::SOURCES;
pub use machine::{Circumstances, Engine, Evaluation, Notice};
pub use observation::{Event, Observation, Seen, Sight};
pub use phase::Phase;
pub use rule::{Absence, Events, Expression, Rule, Threshold};

#[cfg(test)]
mod tests;
