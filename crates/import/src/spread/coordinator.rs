//! The coordinator: posts the jobs, looks how far they are, and posts again what Redis lost.

use std::collections::BTreeMap;

use super::board::{Board, BoardError};
use super::{Job, JobDone, Task};
use crate::counters::Snapshot;

/// One spread import, as its coordinator knows it.
pub struct Coordinator {
    board: Board,
    task: Task,
    jobs: Vec<Job>,
    done: BTreeMap<u64, JobDone>,
}

/// How far all of it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// Jobs.
    pub jobs: u64,
    /// Jobs that are done, or given up.
    pub done: u64,
    /// Jobs under way.
    pub running: u64,
    /// Figures of the jobs that are done; points also of those under way.
    pub counts: Snapshot,
}

impl Coordinator {
    /// A coordinator of a task with these jobs.
    pub fn new(board: Board, task: Task, jobs: Vec<Job>) -> Self {
        Self { board, task, jobs, done: BTreeMap::new() }
    }

    /// Looks how far the jobs are. What is not posted, or was lost, is posted.
    ///
    /// # Errors
    /// [`BoardError`]; the next look may succeed. [`BoardError::Foreign`] when another task is posted under this name.
    pub fn look(&mut self) -> Result<Total, BoardError> {
        match self.board.task()? {
            None => self.board.post(&self.task, &self.jobs, &self.done)?,
            Some(other) if other.id != self.task.id => {
                let reason =
                    format!("it is another one: {}. End that first, or give this one a name of its own", other.id);
                return Err(BoardError::Foreign { key: "of the task".to_owned(), reason });
            }
            Some(_) => {}
        }
        let found = self.board.progress()?;
        self.done.extend(found.done);
        let mut counts = self.done.values().fold(Snapshot::default(), |sum, done| sum.and(&done.counts));
        counts.points += found.under_way;
        counts.in_flight = found.running;
        Ok(Total { jobs: self.jobs.len() as u64, done: self.done.len() as u64, running: found.running, counts })
    }

    /// Results by number of job.
    pub const fn done(&self) -> &BTreeMap<u64, JobDone> {
        &self.done
    }

    /// The jobs.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Removes the board: workers end.
    ///
    /// # Errors
    /// [`BoardError`].
    pub fn end(&mut self) -> Result<(), BoardError> {
        self.board.end(&self.task)
    }
}
