//! The coordinator: posts the jobs, looks how far they are, and posts again what Redis lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::board::{Board, BoardError};
use super::spool::Spool;
use super::{Job, JobDone, Task};
use crate::counters::Snapshot;

/// One spread import, as its coordinator knows it.
pub struct Coordinator {
    board: Board,
    task: Task,
    jobs: Vec<Job>,
    /// Results, but for their rejects, which are in the spool.
    done: BTreeMap<u64, JobDone>,
    spool: Spool,
    /// Figures of the results together.
    counts: Snapshot,
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
    /// A coordinator of a task with these jobs. Rejects that come are kept in a file made at `spool`, which has no name then.
    pub fn new(board: Board, task: Task, jobs: Vec<Job>, spool: PathBuf) -> Self {
        Self { board, task, jobs, done: BTreeMap::new(), spool: Spool::new(spool), counts: Snapshot::default() }
    }

    /// Looks how far the jobs are. What is not posted, or was lost, is posted.
    ///
    /// # Errors
    /// [`BoardError`]; the next look may succeed. [`BoardError::Foreign`] when another task is posted under this name.
    pub fn look(&mut self) -> Result<Total, BoardError> {
        match self.board.task()? {
            None => self.board.post(&self.task, &self.jobs, &self.done, &mut self.spool)?,
            Some(other) if other.id != self.task.id => {
                let reason =
                    format!("it is another one: {}. End that first, or give this one a name of its own", other.id);
                return Err(BoardError::Foreign { key: "of the task".to_owned(), reason });
            }
            Some(_) => {}
        }
        let found = self.board.progress()?;
        for number in found.done {
            self.fetch(number)?;
        }
        let mut counts = self.counts;
        counts.points += found.under_way;
        counts.in_flight = found.running;
        Ok(Total { jobs: self.jobs.len() as u64, done: self.done.len() as u64, running: found.running, counts })
    }

    /// Fetches a result that is not known yet.
    fn fetch(&mut self, number: u64) -> Result<(), BoardError> {
        if self.done.contains_key(&number) {
            return Ok(());
        }
        if let Some(mut result) = self.board.result(number)? {
            self.spool.keep(number, &std::mem::take(&mut result.rejects))?;
            self.counts = self.counts.and(&result.counts);
            self.done.insert(number, result);
        }
        Ok(())
    }

    /// Writes the rejects of all jobs to a file, in the order of the jobs, if there are any; gives their bytes.
    ///
    /// # Errors
    /// [`BoardError::Rejects`].
    pub fn write_rejects(&mut self, path: &Path) -> Result<u64, BoardError> {
        Ok(self.spool.write_to(path)?)
    }

    /// Results by number of job, without their rejects.
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
