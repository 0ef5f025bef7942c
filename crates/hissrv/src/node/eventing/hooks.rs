//! The one place that live events pass through once they are durable.

use std::sync::{PoisonError, RwLock};

use ::events::Event;

/// Called with events, on the lane's thread: it must be quick. After a crash, events of the last minute come once more, with the same ids.
pub(crate) type Hook = Box<dyn Fn(&[Event]) + Send + Sync>;

/// Whom live events are handed to.
#[derive(Default)]
pub(crate) struct Hooks(RwLock<Vec<Hook>>);

impl Hooks {
    /// Adds one, for the events from now on.
    pub(crate) fn add(&self, hook: Hook) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Hands events to all of them, in the order in which they were added.
    pub(super) fn call(&self, events: &[Event]) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().for_each(|hook| hook(events));
    }
}
