//! Points that the store refuses even alone become dead letters. When others of the same column are refused too, the rest of
//! the column goes the same way without being tried.

use std::ops::Range;
use std::time::Instant;

use backend::{Blame, Point, Points, WriteError};
use model::line::print_line;

use super::Worker;
use crate::account::Fates;
use crate::batch::Batch;
use crate::dead_letters::Letter;
use crate::task::Task;
use crate::values::{Item, Values};

impl Worker {
    /// The point at `index` was refused alone.
    ///
    /// # Errors
    /// [`WriteError::Denied`] when the store seems to refuse everything: the point is not condemned then.
    pub(super) fn isolated(
        &mut self,
        task: &mut Task,
        index: usize,
        reason: &str,
        blame: Blame,
    ) -> Result<(), WriteError> {
        if blame == Blame::Unknown && self.bench.refuses_everything() {
            return Err(WriteError::Denied { message: format!("it refuses one point after another: {reason}") });
        }
        self.condemn(task, index, reason);
        if blame == Blame::Column { self.look_at_column(task, index, reason) } else { Ok(()) }
    }

    /// Tries another point of the column, if there is one, to learn whether all of it is bad.
    fn look_at_column(&mut self, task: &mut Task, index: usize, reason: &str) -> Result<(), WriteError> {
        let Some(item) = task.batch.values.get(index) else { return Ok(()) };
        let (column, time) = (item.column, item.time);
        let mut is_bad = self.bench.bad_columns().refused(column, time, reason, Instant::now());
        let others = |task: &Task| newest_left(task, |item| item.column == column);
        if !is_bad && let Some(other) = others(task) {
            match self.write(task, other..other + 1) {
                // It is written once more in its turn, after what stands before it.
                Ok(_) => return Ok(()),
                Err(WriteError::Points { message, blame: Blame::Column }) => {
                    let time = task.batch.values.get(other).map_or(time, |item| item.time);
                    is_bad = self.bench.bad_columns().refused(column, time, &message, Instant::now());
                }
                // One point that is bad for another reason says nothing about its column.
                Err(WriteError::TooLarge { .. } | WriteError::Points { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        if is_bad {
            task.forget_done();
            let (bad, now) = (self.bench.bad_columns(), Instant::now());
            self.remove_dead(task, |item| {
                (item.column == column).then(|| bad.reason(column, item.time, now)).flatten().map(ToOwned::to_owned)
            });
            drop(bad);
            task.start_over();
        }
        Ok(())
    }

    /// Makes the point at `index` a dead letter.
    pub(super) fn condemn(&self, task: &mut Task, index: usize, reason: &str) {
        task.begun = true;
        let Some(item) = task.batch.values.get(index) else { return };
        let again = item.again;
        match self.dead(&task.batch, item, reason.to_owned()) {
            Some(dead) => task.dead.push(dead),
            None if again => task.resent += 1,
            None => task.fates += Fates { filtered: 1, ..Fates::default() },
        }
    }

    pub(super) fn letter(&self, batch: &Batch, point: Point<'_>, reason: String) -> Letter {
        let mut line = Vec::new();
        print_line(&mut line, point.series, [(point.field, point.value)], point.time);
        line.pop();
        let place = batch.place();
        Letter {
            time: (self.bench.clock)(),
            store: self.bench.store.name().to_owned(),
            database: place.database.clone(),
            policy: place.policy.clone(),
            line: String::from_utf8_lossy(&line).into_owned(),
            reason,
        }
    }
}

/// Index of the newest of the values still to be written that are meant.
fn newest_left(task: &Task, is_meant: impl Fn(&Item<'_>) -> bool) -> Option<usize> {
    let values = &task.batch.values;
    let indexes = task.todo.iter().cloned().flatten();
    let meant = indexes.filter_map(|index| values.get(index).filter(&is_meant).map(|item| (item.time, index)));
    meant.max().map(|(_, index)| index)
}

impl Task {
    /// Lets go of the values that are not to be written any more.
    fn forget_done(&mut self) {
        let mut left = Values::default();
        let parts: Vec<Range<usize>> = self.todo.drain(..).rev().collect();
        let values = &self.batch.values;
        parts.into_iter().flat_map(|part| values.iter(part)).for_each(|item| left.push(item));
        self.batch.values = left;
        self.start_over();
    }
}
