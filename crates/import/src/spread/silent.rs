//! Jobs whose worker is silent: they are handed on, until too many workers have vanished with one of them.
//!
//! A job may be what its workers die of (too little memory, a crash). So deaths are counted, and after [`DEATHS`] of them the job is given up. Nothing else may
//! count, however often it happens, or a good job would be given up some day:
//!
//! - A worker that is slow, or whose store is away, renews its job all the while. One that is asked to end gives its job back, and so does one that failed.
//! - A worker that is cut off from Redis or halted is silent, too, and so are all of them for a moment when Redis comes back. But these speak again some day, and
//!   with any word a worker takes its own death back: the hash `vanished` has deaths by the names of workers, each start of a worker has a name of its own, and
//!   nobody dies twice. What counts are the workers that were never heard of again.
//! - The last death decides, and whoever died it may be about to speak. So the job rests for another lease before it is given up.
//!
//! Redis' own count of deliveries would not do: jobs given back and jobs of workers that live are in it. It is told beside the reason. Both sides look: workers must not go
//! on dying while the coordinator is away, and the coordinator must come to its end when the last worker is dead.

use std::collections::BTreeMap;

use super::board::{Board, BoardError, GROUP, Taken, refuse_refused, taken, tries_of};
use super::{GivenUp, JobDone, Task};

/// A job is given up after so many workers vanished with it.
pub const DEATHS: usize = 5;
/// In whose hands a job is that is in nobody's; workers are named otherwise.
const NOBODY: &str = "nobody";
/// Silent jobs looked at at a time.
const LOOKED_AT: &[u8] = b"10";

/// When somebody may have a job that is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Back {
    AtOnce,
    AfterLease,
}

/// A job that was not renewed for a lease.
struct Silent {
    taken: Taken,
    holder: String,
    /// How often it was handed to a worker.
    tries: u64,
}

/// The job that each worker had that fell silent and was not heard of since.
type Vanished = BTreeMap<String, u64>;

impl Silent {
    /// Workers that vanished with this job, as far as somebody can say who lives.
    fn dead<'a>(&'a self, vanished: &'a Vanished, living: &str) -> Vec<&'a str> {
        let before = vanished.iter().filter(|(_, number)| **number == self.taken.job.number).map(|(name, _)| &**name);
        let mut dead: Vec<&str> = before.filter(|name| *name != living && *name != self.holder).collect();
        if self.holder != NOBODY && self.holder != living {
            dead.push(&self.holder);
        }
        dead
    }
}

impl Board {
    /// Gives a job back, if this worker still has it.
    pub(crate) fn give_back(&mut self, worker: &str, task: &Task, taken: &Taken, back: Back) -> Result<(), BoardError> {
        if !self.is_held(worker, taken)? {
            return Ok(());
        }
        let (jobs, progress) = (self.key("jobs"), self.key("progress"));
        let (entry, number) = (taken.entry.as_bytes(), taken.job.number.to_string());
        let idle = match back {
            Back::AtOnce => lease_of(task),
            Back::AfterLease => "0".to_owned(),
        };
        let (jobs, nobody, idle) = (jobs.as_bytes(), NOBODY.as_bytes(), idle.as_bytes());
        let replies = self.client.call_all(&[
            &[b"XCLAIM", jobs, GROUP, nobody, b"0", entry, b"IDLE", idle, b"JUSTID"],
            &[b"HDEL", progress.as_bytes(), number.as_bytes()],
        ])?;
        refuse_refused(&replies)
    }

    /// Takes over a job of a silent worker, or one that was given back.
    pub(super) fn take_over(&mut self, worker: &str, task: &Task) -> Result<Option<Taken>, BoardError> {
        let (silent, vanished) = self.silent(task)?;
        for silent in silent {
            if silent.dead(&vanished, worker).len() >= DEATHS {
                self.rest_or_give_up(task, &silent, &vanished)?;
            } else if self.claim(worker, task, &silent)? {
                return Ok(Some(silent.taken));
            }
        }
        Ok(None)
    }

    /// Gives up jobs that their workers die of.
    pub(crate) fn give_up_deadly(&mut self, task: &Task) -> Result<(), BoardError> {
        let (silent, vanished) = self.silent(task)?;
        let deadly = silent.iter().filter(|silent| silent.dead(&vanished, NOBODY).len() >= DEATHS);
        deadly.into_iter().try_for_each(|silent| self.rest_or_give_up(task, silent, &vanished))
    }

    /// Some jobs that were not renewed for a lease, and who vanished so far.
    fn silent(&mut self, task: &Task) -> Result<(Vec<Silent>, Vanished), BoardError> {
        let (jobs, vanished, lease) = (self.key("jobs"), self.key("vanished"), lease_of(task));
        let rows: [&[u8]; 8] = [b"XPENDING", jobs.as_bytes(), GROUP, b"IDLE", lease.as_bytes(), b"-", b"+", LOOKED_AT];
        let rows = self.client.call(&rows)?;
        let mut silent = Vec::new();
        for row in rows.list() {
            let [entry, holder, ..] = row.list() else { continue };
            let entry = entry.text().as_bytes();
            if let Some(found) = self.client.call(&[b"XRANGE", jobs.as_bytes(), entry, entry])?.list().first() {
                let holder = holder.text().to_owned();
                silent.push(Silent { taken: taken(&jobs, found)?, holder, tries: tries_of(row) });
            }
        }
        if silent.is_empty() {
            return Ok((silent, Vanished::new()));
        }
        let known = self.client.call(&[b"HGETALL", vanished.as_bytes()])?;
        let pairs = known.list().chunks_exact(2).filter_map(|pair| match pair {
            [name, number] => Some((name.text().to_owned(), number.integer()?.unsigned_abs())),
            _ => None,
        });
        Ok((silent, pairs.collect()))
    }

    /// Takes a silent job for a worker; false when it is not silent any more.
    fn claim(&mut self, worker: &str, task: &Task, silent: &Silent) -> Result<bool, BoardError> {
        let (jobs, lease, entry) = (self.key("jobs"), lease_of(task), silent.taken.entry.as_bytes());
        let command: [&[u8]; 6] = [b"XCLAIM", jobs.as_bytes(), GROUP, worker.as_bytes(), lease.as_bytes(), entry];
        if self.client.call(&command)?.list().is_empty() {
            return Ok(false);
        }
        if silent.holder != worker {
            self.note_vanished(silent)?;
        }
        Ok(true)
    }

    /// Lets a job rest for a lease whose last worker may be about to speak; gives up one that has rested.
    fn rest_or_give_up(&mut self, task: &Task, silent: &Silent, vanished: &Vanished) -> Result<(), BoardError> {
        let (jobs, lease, entry) = (self.key("jobs"), lease_of(task), silent.taken.entry.as_bytes());
        // It is not silent then: of two who look at it one goes on.
        let claim: [&[u8]; 7] =
            [b"XCLAIM", jobs.as_bytes(), GROUP, NOBODY.as_bytes(), lease.as_bytes(), entry, b"JUSTID"];
        if self.client.call(&claim)?.list().is_empty() {
            return Ok(());
        }
        if silent.holder != NOBODY {
            return self.note_vanished(silent);
        }
        let names = silent.dead(vanished, NOBODY);
        let reason = format!(
            "{} workers vanished while they had it, and were not heard of again (did they run out of memory?): {}",
            names.len(),
            names.join(", ")
        );
        let failure = Some(GivenUp { reason, tries: silent.tries });
        self.finish(task, &silent.taken, &JobDone { failure, ..JobDone::default() })?;
        let vanished = self.key("vanished");
        let names = names.into_iter().map(str::as_bytes);
        let command: Vec<&[u8]> = [&b"HDEL"[..], vanished.as_bytes()].into_iter().chain(names).collect();
        self.client.call(&command)?;
        Ok(())
    }

    /// Notes that the worker that had a job fell silent.
    fn note_vanished(&mut self, silent: &Silent) -> Result<(), BoardError> {
        if silent.holder == NOBODY {
            return Ok(());
        }
        let (vanished, progress) = (self.key("vanished"), self.key("progress"));
        let number = silent.taken.job.number.to_string();
        let replies = self.client.call_all(&[
            &[b"HSET", vanished.as_bytes(), silent.holder.as_bytes(), number.as_bytes()],
            &[b"HDEL", progress.as_bytes(), number.as_bytes()],
        ])?;
        refuse_refused(&replies)
    }
}

/// The lease in milliseconds.
fn lease_of(task: &Task) -> String {
    task.lease.as_millis().to_string()
}
