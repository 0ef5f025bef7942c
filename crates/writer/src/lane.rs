//! Values on their way in one order: they wait in slots, are written as tasks, and are held back after a failure.
//!
//! When the store may have lost what it was given, a lane repairs: what it has on its way is put aside, everything that it had read
//! since the last safe position is read and sent once more, and then it goes on with what was put aside.

use std::sync::Arc;
use std::time::Instant;

use catalog::Catalog;
use model::Seq;

use crate::batch::Batch;
use crate::slots::{Due, Slots};
use crate::task::{LaneId, Task};
use crate::values::Item;

/// One order of values.
pub(crate) struct Lane {
    pub(crate) slots: Slots,
    /// Tasks that wait for their retry.
    pub(crate) held: Vec<Task>,
    repair: Option<Repair>,
    shards: usize,
}

/// What was put aside.
struct Repair {
    slots: Slots,
    held: Vec<Task>,
    /// Up to here everything is sent once more.
    to: Seq,
}

impl Lane {
    pub(crate) fn new(shards: usize) -> Self {
        Self { slots: Slots::new(shards), held: Vec::new(), repair: None, shards }
    }

    /// The next task, if one is ready: a held one first.
    pub(crate) fn task(&mut self, id: LaneId, size: usize, due: Due, wants: &TaskNeeds<'_>) -> Option<Task> {
        if let Some(index) = self.held.iter().position(|task| task.not_before <= wants.now) {
            return Some(self.held.swap_remove(index));
        }
        let taken = self.slots.take(size, due)?;
        let batch = Batch::new(taken.values, taken.bucket, Arc::clone(wants.catalog));
        Some(Task::new(batch, id, taken.slots, wants.now))
    }

    /// Up to here every value of the lane has its fate, when it has read up to `read`.
    pub(crate) fn done_to(&self, read: Seq) -> Seq {
        let aside = self.repair.as_ref().and_then(|repair| repair.slots.oldest());
        let oldest = [self.slots.oldest(), aside].into_iter().flatten().min();
        oldest.map_or(read, |oldest| read.min(Seq(oldest.0.saturating_sub(1))))
    }

    /// The values on their way, those aside that workers have.
    pub(crate) fn values(&self) -> impl Iterator<Item = Item<'_>> {
        let aside = self.repair.as_ref();
        let slots = [Some(&self.slots), aside.map(|repair| &repair.slots)].into_iter().flatten();
        let held = self.held.iter().chain(aside.into_iter().flat_map(|repair| &repair.held));
        let tasks = held.flat_map(|task| task.batch.values.iter(0..task.batch.values.len()));
        slots.flat_map(Slots::iter).chain(tasks)
    }

    /// True when nothing is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.repair.is_none() && self.held.is_empty() && self.slots.is_empty()
    }

    /// True when nothing waits for a worker or for its retry.
    pub(crate) fn is_idle(&self) -> bool {
        self.held.is_empty() && self.slots.iter().next().is_none()
    }

    /// Values that wait, for a worker or for their retry.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() + self.held.iter().map(|task| task.batch.values.len()).sum::<usize>()
    }

    /// Values without a fate, those aside with workers.
    pub(crate) fn first_time(&self) -> u64 {
        let of = |slots: &Slots, held: &[Task]| slots.first_time() + held.iter().map(|t| t.first_time).sum::<u64>();
        of(&self.slots, &self.held) + self.repair.as_ref().map_or(0, |repair| of(&repair.slots, &repair.held))
    }

    /// Memory of its values, without those that workers have.
    pub(crate) fn bytes(&self) -> usize {
        let of = |slots: &Slots, held: &[Task]| slots.bytes() + held.iter().map(|task| task.bytes).sum::<usize>();
        of(&self.slots, &self.held) + self.repair.as_ref().map_or(0, |repair| of(&repair.slots, &repair.held))
    }

    pub(crate) fn is_repairing(&self) -> bool {
        self.repair.is_some()
    }

    /// Begins to repair what was read up to `read`. Nothing of it may be under way.
    pub(crate) fn repair(&mut self, read: Seq) {
        let slots = std::mem::replace(&mut self.slots, Slots::new(self.shards));
        let held = std::mem::take(&mut self.held);
        match &mut self.repair {
            // What was being sent once more will be again.
            Some(repair) => repair.to = repair.to.max(read),
            None => self.repair = Some(Repair { slots, held, to: read }),
        }
    }

    /// Record up to which it repairs.
    pub(crate) fn repairs_to(&self) -> Option<Seq> {
        self.repair.as_ref().map(|repair| repair.to)
    }

    /// Goes on with what was put aside once everything up to there, of which `read` was read, is sent. True when it does.
    pub(crate) fn end_repair(&mut self, read: Seq) -> bool {
        let is_done = self.slots.is_empty() && self.held.is_empty();
        let Some(repair) = self.repair.take_if(|repair| is_done && read >= repair.to) else { return false };
        self.slots = repair.slots;
        self.held = repair.held;
        true
    }

    /// Gives up everything; the values that had no fate.
    pub(crate) fn give_up(&mut self) -> u64 {
        let values = self.first_time();
        *self = Self::new(self.shards);
        values
    }
}

/// What a task is made with.
pub(crate) struct TaskNeeds<'a> {
    pub(crate) catalog: &'a Arc<Catalog>,
    pub(crate) now: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::Arrival;
    use model::{ColumnId, FieldValue, TimestampNs};

    fn add(lane: &mut Lane, seq: u64, again: bool) {
        let arrival = Arrival { seq: Seq(seq), now: Instant::now(), size: 10 };
        let item = Item { column: ColumnId(0), time: TimestampNs(0), value: FieldValue::Float(0.0), again };
        lane.slots.push(0, arrival, item);
    }

    fn send(lane: &mut Lane) {
        while let Some(taken) = lane.slots.take(10, Due::All) {
            lane.slots.release(&taken.slots);
        }
    }

    #[test]
    fn a_lane_is_done_up_to_the_record_before_its_oldest_value() {
        let mut lane = Lane::new(1);
        assert_eq!(lane.done_to(Seq(7)), Seq(7));
        add(&mut lane, 5, false);
        assert_eq!(lane.done_to(Seq(7)), Seq(4));
        send(&mut lane);
        assert_eq!(lane.done_to(Seq(7)), Seq(7));
    }

    #[test]
    fn a_repair_sends_everything_read_before_what_was_on_its_way_goes_on() {
        let mut lane = Lane::new(1);
        add(&mut lane, 5, false);
        lane.repair(Seq(7));
        assert_eq!((lane.first_time(), lane.done_to(Seq(3)), lane.is_empty()), (1, Seq(3), false));
        for seq in 4..=7 {
            lane.end_repair(Seq(seq - 1));
            assert!(lane.is_repairing());
            add(&mut lane, seq, true);
            send(&mut lane);
        }
        assert_eq!(lane.done_to(Seq(7)), Seq(4));
        lane.end_repair(Seq(7));
        assert!(!lane.is_repairing());
        assert_eq!((lane.slots.len(), lane.first_time()), (1, 1));
    }

    #[test]
    fn a_repair_that_is_begun_again_keeps_what_was_put_aside() {
        let mut lane = Lane::new(1);
        add(&mut lane, 5, false);
        lane.repair(Seq(7));
        add(&mut lane, 4, true);
        lane.repair(Seq(4));
        assert_eq!((lane.slots.len(), lane.repairs_to(), lane.first_time()), (0, Some(Seq(7)), 1));
        assert_eq!(lane.give_up(), 1);
        assert!(lane.is_empty());
    }
}
