//! Records become values that wait in the slots of their lane.

use std::time::{Duration, Instant};

use journal::{Delivery, GapReason, ReadError};
use model::wire::{BatchVisitor, decode};
use model::{ColumnId, FieldValue, Seq, TimeRange, TimestampNs};

use super::{Dispatcher, State};
use crate::lane::Lane;
use crate::routes::Routes;
use crate::rule::{RecordRule, Rule, Take};
use crate::slots::{Arrival, Slots};
use crate::task::LaneId;
use crate::values::Item;

/// Records that a lane reads before the workers are looked after.
const RECORDS_AT_ONCE: usize = 256;
/// Full requests, for each worker, that may wait for one.
const AHEAD: usize = 4;
/// Pause after an error that may pass, such as a read error of the disk.
const PAUSE: Duration = Duration::from_millis(500);

impl Dispatcher {
    /// Reads on, as far as there is room. True when something came.
    pub(super) fn read(&mut self, now: Instant) -> bool {
        let is_told_not_to = self.control.is_paused() || self.control.stop_at().is_some();
        if is_told_not_to || self.state.plans.hold_up_reading() || now < self.state.read_after {
            return false;
        }
        // It may be far behind by now.
        self.state.plans.look_at_lag |= self.state.lanes.end_repairs();
        let fresh = self.read_lane(LaneId::Fresh, now);
        let main = self.read_lane(LaneId::Main, now);
        fresh || main
    }

    fn read_lane(&mut self, id: LaneId, now: Instant) -> bool {
        for count in 0..RECORDS_AT_ONCE {
            if !self.may_read(id) {
                return count > 0;
            }
            match self.next(id) {
                Ok(Delivery::Record { seq, points, payload }) => self.take_in(id, seq, points, &payload, now),
                Ok(Delivery::Gap { from, to, points, reason }) if id == LaneId::Main => {
                    self.note_gap(from, to, points, reason);
                }
                // The other lane meets it, too.
                Ok(Delivery::Gap { .. }) => {}
                Ok(Delivery::Idle) => return count > 0,
                Ok(Delivery::Closed) => {
                    self.state.drained = true;
                    return count > 0;
                }
                Err(e) => {
                    tracing::error!(error = %e, "the journal cannot be read; trying again");
                    self.state.read_after = now + PAUSE;
                    return count > 0;
                }
            }
        }
        true
    }

    fn next(&mut self, id: LaneId) -> Result<Delivery, ReadError> {
        match (id, &mut self.state.lanes.split) {
            (LaneId::Fresh, Some(split)) => {
                if let Some(end) = split.rule.gap_after(split.follower.position()) {
                    split.follower.seek(end);
                }
                split.follower.next(Duration::ZERO)
            }
            _ => self.state.lanes.consumer.next(Duration::ZERO),
        }
    }

    fn may_read(&self, id: LaneId) -> bool {
        let lanes = &self.state.lanes;
        let main = lanes.consumer.position();
        let (lane, read, memory_max) = match (id, &lanes.split) {
            (LaneId::Fresh, Some(split)) if !self.are_joining() => {
                (&split.lane, split.follower.position(), self.memory_max())
            }
            (LaneId::Main, Some(_)) if !lanes.main_waits() => (&lanes.main, main, self.memory_max() / 4 * 3),
            (LaneId::Main, None) => (&lanes.main, main, self.memory_max()),
            _ => return false,
        };
        if lane.repairs_to().is_some_and(|to| read >= to) {
            return false;
        }
        // What was put aside cannot go before the repair has ended, so that it must not stop it.
        let has_memory = lane.is_repairing() || self.memory() < memory_max;
        has_memory && lane.slots.full() < AHEAD * self.config.num_workers
    }

    /// True while the fresh lane waits for the other one to end what little it has.
    pub(super) fn are_joining(&self) -> bool {
        self.state.lanes.are_joining(self.state.size.get())
    }

    /// Memory of the values on their way.
    pub(super) fn memory(&self) -> usize {
        self.crew.bytes() + self.state.lanes.all().map(Lane::bytes).sum::<usize>()
    }

    pub(super) fn memory_max(&self) -> usize {
        usize::try_from(self.config.max_memory.0).unwrap_or(usize::MAX)
    }

    fn take_in(&mut self, id: LaneId, seq: Seq, points: u32, payload: &[u8], now: Instant) {
        let arrival = Arrival { seq, now, size: self.state.size.get() };
        let mut found = Found { in_repair: self.state.lanes.lane(id).is_repairing(), ..Found::default() };
        let decoded = match id {
            LaneId::Main => self.state.sort_main(arrival, payload, &mut found),
            LaneId::Fresh => self.state.sort_fresh(arrival, payload, &mut found),
        };
        if found.in_repair {
            return;
        }
        match id {
            LaneId::Main => self.count_main(seq, found),
            LaneId::Fresh => self.count_fresh(seq, found),
        }
        if let (Err(e), LaneId::Main) = (decoded, id) {
            self.state.account.lost += u64::from(points).saturating_sub(found.values());
            tracing::error!(%seq, error = %e, "a journal record cannot be decoded; the rest of it was passed over");
        }
    }

    /// What the fresh lane left to this one was counted there.
    fn count_main(&mut self, seq: Seq, found: Found) {
        let was_counted = self.state.lanes.split.as_ref().is_some_and(|split| split.seen.contains(seq));
        let account = &mut self.state.account;
        if was_counted {
            account.owed = account.owed.saturating_sub(found.first);
        } else {
            account.taken += found.first + found.nameless;
            account.fates.filtered += found.nameless;
        }
        if found.is_delete {
            self.note_delete();
        }
    }

    fn count_fresh(&mut self, seq: Seq, found: Found) {
        let account = &mut self.state.account;
        account.taken += found.values();
        account.fates.filtered += found.nameless;
        account.owed += found.left;
        if let Some(split) = &mut self.state.lanes.split {
            split.seen.push(seq);
        }
    }

    fn note_delete(&mut self) {
        self.state.deletes += 1;
        if self.state.deletes == 1 {
            let store = self.bench.store.name();
            tracing::warn!(store, "deletions are not forwarded to remote stores; delete there, too");
        }
    }

    fn note_gap(&mut self, from: Seq, to: Seq, points: Option<u64>, reason: GapReason) {
        let store = self.bench.store.name();
        tracing::error!(store, %from, %to, ?points, ?reason, "records of the journal were lost before the store had them");
        if self.state.lanes.main.is_repairing() {
            return;
        }
        self.state.account.lost += points.unwrap_or(0);
        if self.state.lanes.split.as_ref().is_some_and(|split| to > split.rule.start()) {
            self.state.account.owed_in_doubt = true;
        }
    }
}

impl State {
    fn sort_main(&mut self, arrival: Arrival, payload: &[u8], found: &mut Found) -> Decoded {
        let (slots, routes) = (&mut self.lanes.main.slots, &mut self.routes);
        let first = if found.in_repair { Take::Again } else { Take::First };
        match &mut self.lanes.split {
            None => decode(payload, &mut Visitor { slots, routes, arrival, found, sort: |_, _| first }),
            Some(split) => {
                let at = split.read_to();
                let mut backlog =
                    Backlog { record: split.rule.of(arrival.seq), rule: &mut split.rule, seq: arrival.seq, at, first };
                let sort = |column, time| backlog.sort(column, time);
                decode(payload, &mut Visitor { slots, routes, arrival, found, sort })
            }
        }
    }

    fn sort_fresh(&mut self, arrival: Arrival, payload: &[u8], found: &mut Found) -> Decoded {
        let Some(split) = &mut self.lanes.split else { return Ok(()) };
        let (slots, routes) = (&mut split.lane.slots, &mut self.routes);
        let (rule, record) = (&split.rule, split.rule.of(arrival.seq));
        let taken = if found.in_repair { Take::Again } else { Take::First };
        let sort = |column, time| if rule.fresh_takes(&record, column, time) { taken } else { Take::Not };
        decode(payload, &mut Visitor { slots, routes, arrival, found, sort })
    }
}

type Decoded = Result<(), model::wire::WireError>;

/// The backlog lane's view of a record.
struct Backlog<'a> {
    rule: &'a mut Rule,
    record: RecordRule,
    seq: Seq,
    /// How far the fresh lane has read.
    at: Seq,
    /// What taking a value means.
    first: Take,
}

impl Backlog<'_> {
    #[inline]
    fn sort(&mut self, column: ColumnId, time: TimestampNs) -> Take {
        let take = self.rule.backlog_takes(&self.record, column, time);
        if take == Take::Not {
            return take;
        }
        if self.rule.clashes(&self.record, column, time) {
            self.rule.give_back(column, time, self.at);
            self.record = self.rule.of(self.seq);
        }
        if take == Take::First { self.first } else { take }
    }
}

/// Sorts the values of a record.
struct Visitor<'a, F> {
    slots: &'a mut Slots,
    routes: &'a mut Routes,
    arrival: Arrival,
    found: &'a mut Found,
    sort: F,
}

/// What a record held.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    /// It is read to be sent once more.
    in_repair: bool,
    /// Values taken without a fate so far.
    first: u64,
    /// Values taken that had one, or that another lane had.
    again: u64,
    /// Values for the other lane.
    left: u64,
    /// Values whose names were dropped.
    nameless: u64,
    is_delete: bool,
}

impl Found {
    fn values(&self) -> u64 {
        self.first + self.again + self.left + self.nameless
    }
}

impl<F: FnMut(ColumnId, TimestampNs) -> Take> BatchVisitor for Visitor<'_, F> {
    #[inline]
    fn value(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'_>) {
        let Some(slot) = self.routes.slot(column) else {
            self.found.nameless += 1;
            return;
        };
        let again = match (self.sort)(column, time) {
            Take::First => {
                self.found.first += 1;
                false
            }
            Take::Again => {
                self.found.again += 1;
                true
            }
            Take::Not => {
                self.found.left += 1;
                return;
            }
        };
        self.slots.push(slot, self.arrival, Item { column, time, value, again });
    }

    fn delete(&mut self, columns: &[ColumnId], _: TimeRange) {
        self.found.is_delete |= columns.iter().any(|column| self.routes.slot(*column).is_some());
    }
}
