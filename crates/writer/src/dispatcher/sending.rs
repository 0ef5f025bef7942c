//! Values that wait become tasks of idle workers, as many as the store takes. Live values go first, yet not alone.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::Dispatcher;
use crate::lane::TaskNeeds;
use crate::slots::Due;
use crate::task::{LaneId, Task};

impl Dispatcher {
    /// Hands out what may go.
    pub(super) fn send(&mut self, now: Instant) {
        if self.control.is_paused() || self.state.plans.is_any() || now < self.state.quiet_until {
            return;
        }
        loop {
            let under_way = self.crew.under_way();
            if under_way >= self.state.gate.limit() || !self.state.breaker.lets_pass(under_way) {
                return;
            }
            let Some(task) = self.next_task(now) else { return };
            let lane = task.lane;
            self.state.last_given = lane;
            self.bench.meter.retries.fetch_add(u64::from(task.failures > 0), Relaxed);
            if let Some(task) = self.crew.give(task) {
                self.state.lanes.lane(lane).held.push(task);
                return;
            }
        }
    }

    fn next_task(&mut self, now: Instant) -> Option<Task> {
        let order = if self.is_turn_of_main() { [LaneId::Main, LaneId::Fresh] } else { [LaneId::Fresh, LaneId::Main] };
        order.into_iter().find_map(|lane| self.task_of(lane, now))
    }

    /// The backlog has at least one request under way, or every other one where there is only one.
    fn is_turn_of_main(&self) -> bool {
        let limit = self.state.gate.limit();
        match limit {
            0 | 1 => self.state.last_given == LaneId::Fresh,
            _ => self.crew.under_way_of(LaneId::Main) == 0 && self.crew.under_way() + 1 == limit,
        }
    }

    fn task_of(&mut self, id: LaneId, now: Instant) -> Option<Task> {
        let is_split = self.state.lanes.split.is_some();
        if id == LaneId::Fresh && !is_split {
            return None;
        }
        let is_backlog = id == LaneId::Main && is_split;
        // The fresh lane does not read on while they join, and there is little left.
        if is_backlog && !self.are_joining() && !self.state.budget.allows(now) {
            return None;
        }
        let (size, due) = (self.state.size.get(), self.due(id, now));
        let needs = TaskNeeds { catalog: &self.catalog, now };
        let task = self.state.lanes.lane(id).task(id, size, due, &needs)?;
        if is_backlog {
            self.state.budget.spend(task.batch.values.len());
        }
        Some(task)
    }

    /// Nothing is gained by waiting when no more values can come.
    fn due(&self, id: LaneId, now: Instant) -> Due {
        let is_end = self.state.drained || self.control.stop_at().is_some() || self.memory() >= self.memory_max();
        let is_last = id == LaneId::Main && self.are_joining();
        match now.checked_sub(self.config.max_wait.0) {
            Some(then) if !is_end && !is_last => Due::Since(then),
            _ => Due::All,
        }
    }
}
