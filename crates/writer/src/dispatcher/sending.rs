//! Values that wait become tasks of idle workers, as many as the store takes.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::Dispatcher;
use crate::batch::Batch;
use crate::slots::Due;
use crate::task::{LaneId, Task};

impl Dispatcher {
    /// Hands out what may go.
    pub(super) fn send(&mut self, now: Instant) {
        if self.control.is_paused() || self.state.start_over {
            return;
        }
        loop {
            let under_way = self.crew.under_way();
            if under_way >= self.state.gate.limit() || !self.state.breaker.lets_pass(under_way) {
                return;
            }
            let Some(task) = self.next_task(now) else { return };
            if let Err(task) = self.crew.give(task) {
                self.state.held.push(task);
                return;
            }
        }
    }

    fn next_task(&mut self, now: Instant) -> Option<Box<Task>> {
        if let Some(index) = self.state.held.iter().position(|task| task.not_before <= now) {
            self.bench.meter.retries.fetch_add(1, Relaxed);
            return Some(self.state.held.swap_remove(index));
        }
        let due = self.due(now);
        let taken = self.state.slots.take(self.state.size.get(), due)?;
        let batch = Batch::new(taken.values, taken.bucket, Arc::clone(&self.catalog));
        Some(Box::new(Task::new(batch, LaneId::Main, taken.first, taken.shares, now)))
    }

    /// Nothing is gained by waiting when no more values can come.
    fn due(&self, now: Instant) -> Due {
        let no_more = self.state.drained || self.control.stop_at().is_some() || self.memory() >= self.memory_max();
        match now.checked_sub(self.config.max_wait.0) {
            Some(then) if !no_more => Due::Since(then),
            _ => Due::All,
        }
    }
}
