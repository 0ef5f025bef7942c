//! The coordinator: posts the jobs, looks how far they are, and posts again what Redis lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::board::{Board, BoardError};
use super::left::{Left, Stamps};
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
    /// When the files were changed last, as of the start.
    stamps: Stamps,
    /// Jobs done by an earlier run, which gave up others.
    before: u64,
    /// Whether these are taken for done.
    resumes: bool,
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
        let (stamps, spool) = (Stamps::of(&jobs), Spool::new(spool));
        let (done, counts) = (BTreeMap::new(), Snapshot::default());
        Self { board, task, jobs, done, spool, counts, stamps, before: 0, resumes: false }
    }

    /// Takes for done what an earlier run of the same task has done that gave up other jobs, but for files that were changed since. What the workers
    /// of that run wrote to is not known here: it has to be the same store.
    pub fn resuming(mut self) -> Self {
        self.resumes = true;
        self
    }

    /// Looks how far the jobs are. What is not posted, or was lost, is posted.
    ///
    /// # Errors
    /// [`BoardError`]; the next look may succeed. [`BoardError::Foreign`] when another task is posted under this name.
    pub fn look(&mut self) -> Result<Total, BoardError> {
        match self.board.task()? {
            None => {
                if self.resumes {
                    self.take_up_left()?;
                }
                self.board.post(&self.task, &self.jobs, &self.done, &mut self.spool)?;
            }
            Some(other) if other.id != self.task.id => {
                let reason =
                    format!("it is another one: {}. End that first, or give this one a name of its own", other.id);
                return Err(BoardError::Foreign { key: "of the task".to_owned(), reason });
            }
            Some(_) => {}
        }
        self.board.give_up_deadly(&self.task)?;
        let found = self.board.progress()?;
        for number in found.done {
            self.fetch(number)?;
        }
        let mut counts = self.counts;
        counts.points += found.under_way;
        counts.in_flight = found.running;
        Ok(Total { jobs: self.jobs.len() as u64, done: self.done.len() as u64, running: found.running, counts })
    }

    /// Takes what was left for done; what the earlier run gave up is tried again.
    fn take_up_left(&mut self) -> Result<(), BoardError> {
        let Some(left) = self.board.left()?.filter(|left| left.task == self.task.id) else { return Ok(()) };
        for number in self.board.progress()?.done {
            let job = usize::try_from(number).ok().and_then(|number| self.jobs.get(number));
            let is_same = job.is_some_and(|job| self.stamps.are_same(&left.stamps, &job.input.path));
            if !is_same || self.done.contains_key(&number) {
                continue;
            }
            if let Some(result) = self.board.result(number)?.filter(|result| result.failure.is_none()) {
                self.keep(number, result)?;
                self.before += 1;
            }
        }
        Ok(())
    }

    /// Fetches a result that is not known yet.
    fn fetch(&mut self, number: u64) -> Result<(), BoardError> {
        if self.done.contains_key(&number) {
            return Ok(());
        }
        match self.board.result(number)? {
            Some(result) => self.keep(number, result),
            None => Ok(()),
        }
    }

    fn keep(&mut self, number: u64, mut result: JobDone) -> Result<(), BoardError> {
        self.spool.keep(number, &std::mem::take(&mut result.rejects))?;
        self.counts = self.counts.and(&result.counts);
        self.done.insert(number, result);
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

    /// Jobs that an earlier run of the same task has done.
    pub const fn before(&self) -> u64 {
        self.before
    }

    /// Removes the board: workers end. What was done is kept for a while if all is through but for jobs that were given up.
    ///
    /// # Errors
    /// [`BoardError`].
    pub fn end(&mut self) -> Result<(), BoardError> {
        let is_through = self.done.len() == self.jobs.len();
        let has_failed = self.done.values().any(|done| done.failure.is_some());
        let left = Left { task: self.task.id.clone(), stamps: self.stamps.clone() };
        self.board.end(&self.task, (is_through && has_failed).then_some(&left))
    }
}
