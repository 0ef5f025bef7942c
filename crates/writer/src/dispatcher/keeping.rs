//! Once a second: the cursor is moved and the books are checked.

use std::time::Instant;

use super::Dispatcher;
use crate::lane::Lane;
use crate::positions::Position;

impl Dispatcher {
    pub(super) fn keep(&mut self, now: Instant) {
        self.state.kept_at = now;
        if !self.state.plans.repair {
            self.state.positions.reached(self.state.lanes.position(), now);
        }
        if let Some(position) = self.state.positions.committable() {
            self.commit(position);
        }
        self.check();
        self.note_dead(0, now);
        self.bench.bad_columns().forget_old(now);
    }

    /// The store was found as it was by a look begun at `since`.
    pub(super) fn commit_confirmed(&mut self, since: Instant) {
        if let Some(position) = self.state.positions.confirmed(since) {
            self.commit(position);
        }
    }

    pub(super) fn commit(&mut self, position: Position) {
        match self.state.lanes.consumer.commit_ahead(position.seq, position.ahead) {
            Ok(()) => self.state.lanes.committed(position),
            Err(e) => {
                let store = self.bench.store.name();
                tracing::warn!(store, error = %e, "the journal's cursor could not be moved; trying again");
            }
        }
    }

    /// Values without a fate, counted where they are.
    pub(super) fn on_the_way(&self) -> u64 {
        self.crew.first_time() + self.state.lanes.all().map(Lane::first_time).sum::<u64>()
    }

    fn check(&mut self) {
        let on_the_way = self.on_the_way();
        let account = &mut self.state.account;
        if !account.balance(on_the_way) {
            let (taken, fates, owed) = (account.taken, account.fates.sum(), account.owed);
            let store = self.bench.store.name();
            tracing::error!(store, taken, fates, on_the_way, owed, "the books of the writer do not balance");
        }
    }
}
