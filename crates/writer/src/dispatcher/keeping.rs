//! Once a second: the cursor is moved and the books are checked. And what moves positions otherwise: starting over, giving up.

use std::time::Instant;

use model::Seq;

use super::Dispatcher;
use crate::positions::Position;

impl Dispatcher {
    pub(super) fn keep(&mut self, now: Instant) {
        self.state.kept_at = now;
        if self.state.start_over {
            self.start_over();
        }
        if !self.state.start_over {
            let position = self.position();
            self.state.positions.reached(position, now);
        }
        if let Some(position) = self.state.positions.committable() {
            self.commit(position);
        }
        self.check();
        self.bench.bad_columns().forget_old(now);
    }

    /// How far everything has its fate.
    fn position(&self) -> Position {
        let read = self.consumer.position();
        let seq = self.state.slots.oldest().map_or(read, |oldest| Seq(oldest.0.saturating_sub(1)));
        Position { seq, ahead: None }
    }

    /// The store was found as it was by a look begun at `since`.
    pub(super) fn commit_confirmed(&mut self, since: Instant) {
        if let Some(position) = self.state.positions.confirmed(since) {
            self.commit(position);
        }
    }

    fn commit(&mut self, position: Position) {
        let Position { seq, ahead } = position;
        if let Err(e) = self.consumer.commit_ahead(seq, ahead) {
            let store = self.bench.store.name();
            tracing::warn!(store, error = %e, "the journal's cursor could not be moved; trying again");
        }
    }

    /// Values of tasks held back, of workers and of slots, counted where they are.
    pub(super) fn on_the_way(&self) -> u64 {
        let held: u64 = self.state.held.iter().map(|task| task.first_time).sum();
        held + self.crew.first_time() + self.state.slots.first_time()
    }

    fn check(&mut self) {
        let on_the_way = self.on_the_way();
        let account = &mut self.state.account;
        if !account.balance(on_the_way) {
            let (store, taken, fates, owed) =
                (self.bench.store.name(), account.taken, account.fates.sum(), account.owed);
            tracing::error!(store, taken, fates, on_the_way, owed, "the books of the writer do not balance");
        }
    }

    /// What was written since the committed position may be lost: it is sent once more.
    pub(super) fn plan_start_over(&mut self) {
        let store = self.bench.store.name();
        let after = self.consumer.committed_seq();
        tracing::warn!(store, %after, "the store was started anew and may have lost its last values; they are sent once more");
        self.state.start_over = true;
        self.start_over();
    }

    /// IMPORTANT: only when nothing is under way. What a worker still has could arrive after a later value for the same time.
    fn start_over(&mut self) {
        if self.crew.under_way() > 0 {
            return;
        }
        self.state.start_over = false;
        self.state.account.owed += self.on_the_way();
        self.state.held.clear();
        self.state.slots.throw_away();
        self.state.positions.start_over();
        self.consumer.seek(self.consumer.committed_seq());
    }

    /// Gives up everything up to the journal's end that is not under way.
    pub(super) fn skip(&mut self) {
        let stats = self.journal.stats();
        let unread = self.unread(&stats);
        let held = std::mem::take(&mut self.state.held);
        let mut given_up = held.iter().map(|task| task.first_time).sum::<u64>();
        held.iter().for_each(|task| self.state.slots.release(&task.shares));
        given_up += self.state.slots.give_up();
        given_up += std::mem::take(&mut self.state.account.owed);
        self.state.account.fates.skipped += given_up;
        self.state.account.unread += unread;
        self.consumer.seek(stats.last_seq);
        let (store, to) = (self.bench.store.name(), stats.last_seq);
        tracing::warn!(store, %to, values = given_up + unread, "values for the store were given up, as told");
    }
}
