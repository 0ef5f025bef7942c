//! Records become values that wait in their slots.

use std::time::{Duration, Instant};

use journal::{Delivery, GapReason};
use model::wire::{BatchVisitor, decode};
use model::{ColumnId, FieldValue, Seq, TimeRange, TimestampNs};

use super::Dispatcher;
use crate::routes::Routes;
use crate::slots::{Arrival, Slots};
use crate::values::Item;

/// Records read before the workers are looked after.
const RECORDS_AT_ONCE: usize = 256;
/// Full requests, for each worker, that may wait for one.
const AHEAD: usize = 4;
/// Pause after an error that may pass, such as a read error of the disk.
const PAUSE: Duration = Duration::from_millis(500);

impl Dispatcher {
    /// Reads on, as far as there is room. True when something came.
    pub(super) fn read(&mut self, now: Instant) -> bool {
        if self.control.is_paused() || self.control.stop_at().is_some() || self.state.start_over {
            return false;
        }
        if now < self.state.read_after {
            return false;
        }
        for count in 0..RECORDS_AT_ONCE {
            if !self.has_room() {
                return count > 0;
            }
            match self.consumer.next(Duration::ZERO) {
                Ok(Delivery::Record { seq, points, payload }) => self.take_in(seq, points, &payload, now),
                Ok(Delivery::Gap { from, to, points, reason }) => self.note_gap(from, to, points, reason),
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

    fn has_room(&self) -> bool {
        self.memory() < self.memory_max() && self.state.slots.full() < AHEAD * self.config.num_workers
    }

    /// Memory of the values on their way.
    pub(super) fn memory(&self) -> usize {
        let held: usize = self.state.held.iter().map(|task| task.bytes).sum();
        self.state.slots.bytes() + self.crew.bytes() + held
    }

    pub(super) fn memory_max(&self) -> usize {
        usize::try_from(self.config.max_memory.0).unwrap_or(usize::MAX)
    }

    fn take_in(&mut self, seq: Seq, points: u32, payload: &[u8], now: Instant) {
        let is_new = self.state.seen.insert(seq);
        let state = &mut self.state;
        let arrival = Arrival { seq, now, size: state.size.get() };
        let mut visitor =
            Visitor { slots: &mut state.slots, routes: &mut state.routes, arrival, taken: Taken::default() };
        let decoded = decode(payload, &mut visitor);
        let taken = visitor.taken;
        if is_new {
            state.account.taken += taken.first_time + taken.nameless;
            state.account.fates.filtered += taken.nameless;
        } else {
            state.account.owed -= taken.first_time;
        }
        if taken.is_delete && is_new {
            self.note_delete();
        }
        if let Err(e) = decoded {
            let lost = u64::from(points).saturating_sub(taken.first_time + taken.again + taken.nameless);
            self.state.account.lost += if is_new { lost } else { 0 };
            tracing::error!(%seq, error = %e, "a journal record cannot be decoded; the rest of it was passed over");
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
        self.state.account.lost += points.unwrap_or(0);
    }
}

/// Sorts the values of a record.
struct Visitor<'a> {
    slots: &'a mut Slots,
    routes: &'a mut Routes,
    arrival: Arrival,
    taken: Taken,
}

/// What a record held.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    /// Values without a fate so far.
    first_time: u64,
    /// Values that had one.
    again: u64,
    /// Values whose names were dropped.
    nameless: u64,
    is_delete: bool,
}

impl BatchVisitor for Visitor<'_> {
    #[inline]
    fn value(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'_>) {
        let Some(slot) = self.routes.slot(column) else {
            self.taken.nameless += 1;
            return;
        };
        let is_first = self.slots.push(slot, self.arrival, Item { column, time, value, again: false });
        self.taken.first_time += u64::from(is_first);
        self.taken.again += u64::from(!is_first);
    }

    fn delete(&mut self, _: &[ColumnId], _: TimeRange) {
        self.taken.is_delete = true;
    }
}
