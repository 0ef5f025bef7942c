//! What the dispatcher hears from its threads.

use std::time::Instant;

use backend::{Probe, Step, WriteError};

use crate::task::Task;

/// News for the dispatcher.
pub(crate) enum Report {
    /// A worker is through with a task, or cannot go on with it.
    Task { worker: usize, task: Box<Task>, outcome: Outcome },
    /// The store was asked how it is, from then on.
    Probed { since: Instant, probe: Result<Probe, WriteError> },
    /// It was brought in step with what is wanted.
    InStep(Result<Vec<Step>, WriteError>),
}

/// How a task ended.
pub(crate) enum Outcome {
    /// Every value of it has a fate.
    Done,
    /// Something is left to do.
    Held(Held),
}

/// Why a task cannot go on.
#[derive(Debug)]
pub(crate) enum Held {
    /// The store's answer.
    Store(WriteError),
    /// Points that the store refuses cannot be put into the dead letters.
    Letters(String),
}
