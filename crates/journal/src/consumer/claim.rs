//! Who may use the name of a consumer.

use std::sync::Arc;

use model::Seq;

use crate::cursor::{self, Progress};
use crate::error::ConsumerError;
use crate::shared::{Position, Shared};

/// The exclusive right to a consumer's name while its file is made or removed.
pub(super) struct Claim {
    shared: Arc<Shared>,
    name: String,
    pub(super) progress: Progress,
    pub(super) at_end: AtEnd,
}

/// What becomes of the name after a claim.
pub(super) enum AtEnd {
    /// Somebody holds it from now on.
    Keep,
    /// Nobody holds it.
    Release,
    /// It is not known any more.
    Forget,
}

impl Claim {
    pub(super) fn take(shared: &Arc<Shared>, name: &str) -> Result<Self, ConsumerError> {
        if !cursor::is_valid_name(name) {
            return Err(ConsumerError::Name(name.to_owned()));
        }
        let mut state = shared.lock();
        let start = Position::at(Progress::new(Seq(state.first().0 - 1), None));
        let at_end = if state.consumers.contains_key(name) { AtEnd::Release } else { AtEnd::Forget };
        let position = state.consumers.entry(name.to_owned()).or_insert(start);
        if position.open {
            return Err(ConsumerError::InUse(name.to_owned()));
        }
        position.open = true;
        let progress = position.progress;
        Ok(Self { shared: Arc::clone(shared), name: name.to_owned(), progress, at_end })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        match self.at_end {
            AtEnd::Keep => {}
            AtEnd::Release => {
                state.consumers.entry(self.name.clone()).and_modify(|position| position.open = false);
            }
            AtEnd::Forget => {
                state.consumers.remove(&self.name);
            }
        }
        drop(state);
        self.shared.trim_soon();
    }
}
