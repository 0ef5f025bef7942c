//! Changes of the lanes. Each needs that nothing is under way: what a worker still has could arrive after later values. So it is
//! planned first, and nothing more is sent until it is made.

use std::time::Instant;

use journal::Stats;
use model::Seq;

use super::Dispatcher;
use crate::positions::Position;

/// Work for two seconds, in requests for each worker: from there on live values are not made to wait for the others.
const SPLIT_FROM: usize = 4;

/// Changes that are planned.
#[derive(Debug, Default)]
pub(super) struct Plans {
    /// What was written since the committed position may be lost.
    pub(super) repair: bool,
    /// Give these up.
    pub(super) skip: Option<Skip>,
    /// The store is back, or may be written to again: see whether live values need a lane of their own.
    pub(super) look_at_lag: bool,
}

/// What is to be given up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Skip {
    /// Everything up to this record. No later one is read before it is done.
    last: Seq,
    /// Values of it that were not read.
    unread: u64,
}

impl Plans {
    /// True while a lane is about to be set back, or ahead.
    pub(super) fn hold_up_reading(&self) -> bool {
        self.repair || self.skip.is_some()
    }

    pub(super) fn is_any(&self) -> bool {
        self.repair || self.skip.is_some() || self.look_at_lag
    }
}

impl Dispatcher {
    /// Makes the changes that are planned, if nothing is under way; joins lanes that are at the same place.
    pub(super) fn plan(&mut self) {
        if self.are_joining() {
            self.join();
        }
        if !self.state.plans.is_any() || self.crew.under_way() > 0 {
            return;
        }
        if std::mem::take(&mut self.state.plans.repair) {
            self.state.lanes.repair();
        }
        if let Some(skip) = self.state.plans.skip.take() {
            self.skip(skip);
        }
        if self.is_writing() && std::mem::take(&mut self.state.plans.look_at_lag) {
            self.look_at_lag();
        }
    }

    /// What was written since the committed position may be lost: it is sent once more.
    pub(super) fn plan_repair(&mut self) {
        let (store, after) = (self.bench.store.name(), self.state.lanes.consumer.committed_seq());
        tracing::warn!(store, %after, "the store was started anew and may have lost its last values; they are sent once more");
        // IMPORTANT: at once. A later look finds the store unchanged, and would have them committed.
        self.state.positions.start_over();
        self.state.plans.repair = true;
    }

    /// Two lanes when there is much to make up for; when there are two already, the fresh one moves ahead.
    fn look_at_lag(&mut self) {
        let stats = self.journal.stats();
        let read = self.state.lanes.read_to();
        let waiting = if self.state.lanes.split.is_none() { self.on_the_way() } else { 0 };
        let lag = self.points_after(read, &stats) + waiting;
        if lag <= (SPLIT_FROM * self.config.num_workers * self.state.size.get()) as u64 {
            return;
        }
        let (last, since) = (stats.last_seq, (self.clock)());
        match &mut self.state.lanes.split {
            None => {
                let follower = self.journal.follower(last);
                self.state.lanes.split(follower, since);
            }
            Some(split) => {
                if !split.jump(last, since) {
                    return;
                }
            }
        }
        let store = self.bench.store.name();
        tracing::info!(store, %last, values = lag, "live values go first; the others follow");
    }

    fn join(&mut self) {
        self.state.lanes.join();
        if self.state.lanes.split.is_none() {
            self.state.account.joined();
            tracing::info!(store = self.bench.store.name(), "the backlog is made up for");
        }
    }

    /// Settles what is to be given up before whoever asked for it is told that it was heard.
    fn plan_skip(&mut self) {
        let Some(order) = self.control.unheard_skip() else { return };
        let stats = self.journal.stats();
        self.state.plans.skip = Some(Skip { last: stats.last_seq, unread: self.unread(&stats) });
        self.control.hear_skip(order);
    }

    fn skip(&mut self, Skip { last, unread }: Skip) {
        let taken = self.state.lanes.give_up(last) + std::mem::take(&mut self.state.account.owed);
        self.state.account.fates.skipped += taken;
        self.state.account.owed_in_doubt = false;
        self.state.account.unread += unread;
        self.state.positions.start_over();
        self.commit(Position { seq: last, ahead: None, fresh: None });
        let store = self.bench.store.name();
        tracing::warn!(store, %last, values = taken + unread, "values for the store were given up, as told");
    }

    /// Values in the journal that no lane has read, as the journal estimates.
    pub(super) fn unread(&self, stats: &Stats) -> u64 {
        self.points_after(self.state.lanes.read_to(), stats) + self.backlog(stats)
    }

    /// Those of them that are before the fresh lane. Records that it has passed were counted by it.
    pub(super) fn backlog(&self, stats: &Stats) -> u64 {
        let lanes = &self.state.lanes;
        let Some(split) = &lanes.split else { return 0 };
        let read = lanes.main_read_to();
        self.points_after(read, stats).saturating_sub(self.points_after(split.backlog.1.max(read), stats))
    }

    /// Points of the records after this one. The journal counts them from the cursor on; between there and its end they are taken to
    /// be spread evenly.
    fn points_after(&self, seq: Seq, stats: &Stats) -> u64 {
        if seq >= stats.last_seq {
            return 0;
        }
        let consumer = &self.state.lanes.consumer;
        let lag = stats.consumers.iter().find(|c| c.name == consumer.name()).map_or(0, |c| c.lag_points);
        let records = stats.last_seq.0.saturating_sub(consumer.committed_seq().0).max(1);
        let left = stats.last_seq.0 - seq.0;
        (u128::from(lag) * u128::from(left.min(records)) / u128::from(records)) as u64
    }

    /// Plans what it is told to do.
    pub(super) fn obey(&mut self, now: Instant) {
        self.plan_skip();
        if self.control.takes_resume() {
            self.state.plans.look_at_lag = true;
            self.state.breaker.hurry(now);
            self.state.quiet_until = now;
        }
    }
}
