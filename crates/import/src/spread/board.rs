//! The keys of a spread import in Redis. With the board's name as NAME:
//!
//! | key | what |
//! | --- | --- |
//! | `hissrv:import:NAME:task` | the task as JSON; written last, so that a board without it is not ready |
//! | `hissrv:import:NAME:jobs` | stream, an entry a job with the field `job`; consumer group `workers` |
//! | `hissrv:import:NAME:done` | hash, number of a job to its result as JSON |
//! | `hissrv:import:NAME:progress` | hash, number of a job under way to the points that are stored of it |
//! | `hissrv:import:NAME:failures` | hash, number of a job to how often it failed, as far as that counts |
//! | `hissrv:import:NAME:vanished` | hash, name of a worker that fell silent and was not heard of since to the number of the job that it had |
//! | `hissrv:import:NAME:left` | for a week what a run with jobs that were given up leaves to the next one, as JSON; `done` is kept as long |
//! | `hissrv:import:NAME:over` | for ten minutes the id of a task whose board was removed because it is over: a board that is gone without it was lost |

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use source::Stop;
use source::redis::endpoint::UrlError;
use source::redis::{Client, LinkError, Reply};
use tls::TlsConfig;

use super::left::Left;
use super::spool::Spool;
use super::{Job, JobDone, Task};

/// Name of the consumer group.
pub(super) const GROUP: &[u8] = b"workers";
/// How long it is told that a task is over, in seconds.
const OVER_SECONDS: &[u8] = b"600";
/// How long it is kept what was done of a task with jobs that were given up, in seconds.
const LEFT_SECONDS: &[u8] = b"604800";
/// Jobs posted at a time.
const POSTED_AT_ONCE: usize = 1000;

/// Why the board cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The URL is wrong.
    #[error("the URL of the coordinator: {0}")]
    Url(#[from] UrlError),
    /// Redis does not answer or refuses.
    #[error("Redis: {0}")]
    Link(#[from] LinkError),
    /// A key holds something else.
    #[error("the key {key} in Redis is not of an import, or of another version: {reason}")]
    Foreign {
        /// The key.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// Rejects of jobs cannot be kept or written here.
    #[error("the rejects: {0}")]
    Rejects(#[from] std::io::Error),
}

/// The board of one spread import.
pub struct Board {
    pub(super) client: Client,
    name: String,
}

/// A job in the hands of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Its entry in the stream.
    pub(crate) entry: String,
    pub(crate) job: Job,
}

/// How far all jobs are.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Numbers of the jobs that are done.
    pub(crate) done: Vec<u64>,
    /// Points stored of jobs that are under way.
    pub(crate) under_way: u64,
    /// Jobs under way.
    pub(crate) running: u64,
}

impl Board {
    /// A board by its name. Does not connect yet.
    ///
    /// # Errors
    /// [`BoardError::Url`].
    pub fn new(url: &str, name: &str, stop: Arc<Stop>) -> Result<Self, BoardError> {
        Ok(Self { client: Client::new(url, TlsConfig::default(), stop)?, name: name.to_owned() })
    }

    pub(super) fn key(&self, what: &str) -> String {
        format!("hissrv:import:{}:{what}", self.name)
    }

    /// The task; `None`: nothing is posted.
    ///
    /// # Errors
    /// [`BoardError`].
    pub fn task(&mut self) -> Result<Option<Task>, BoardError> {
        let key = self.key("task");
        match self.client.call(&[b"GET", key.as_bytes()])? {
            Reply::Nil => Ok(None),
            reply => parsed(&key, reply.text()).map(Some),
        }
    }

    /// Posts a task with its jobs, in place of whatever was there; those of which there is a result are done already, with rejects from the spool.
    pub(crate) fn post(
        &mut self,
        task: &Task,
        jobs: &[Job],
        done: &BTreeMap<u64, JobDone>,
        spool: &mut Spool,
    ) -> Result<(), BoardError> {
        self.clear()?;
        let (stream, results) = (self.key("jobs"), self.key("done"));
        self.client.call(&[b"XGROUP", b"CREATE", stream.as_bytes(), GROUP, b"0", b"MKSTREAM"])?;
        for (number, result) in done {
            let field = number.to_string();
            let whole = JobDone { rejects: spool.text(*number)?, ..result.clone() };
            self.client.call(&[b"HSET", results.as_bytes(), field.as_bytes(), &json(&whole)])?;
        }
        let left: Vec<Vec<u8>> = jobs.iter().filter(|job| !done.contains_key(&job.number)).map(json).collect();
        for portion in left.chunks(POSTED_AT_ONCE) {
            let commands: Vec<[&[u8]; 5]> =
                portion.iter().map(|job| [&b"XADD"[..], stream.as_bytes(), b"*", b"job", job]).collect();
            let commands: Vec<&[&[u8]]> = commands.iter().map(<[&[u8]; 5]>::as_slice).collect();
            refuse_refused(&self.client.call_all(&commands)?)?;
        }
        let key = self.key("task");
        self.client.call(&[b"SET", key.as_bytes(), &json(task)])?;
        Ok(())
    }

    /// Removes whatever is posted, and what was told of a task that is over: workers wait for what comes next.
    ///
    /// # Errors
    /// [`BoardError`].
    pub fn clear(&mut self) -> Result<(), BoardError> {
        self.remove(&["task", "jobs", "done", "progress", "failures", "vanished", "left", "over"])
    }

    fn remove(&mut self, what: &[&str]) -> Result<(), BoardError> {
        let keys: Vec<String> = what.iter().map(|what| self.key(what)).collect();
        let command: Vec<&[u8]> = [&b"DEL"[..]].into_iter().chain(keys.iter().map(String::as_bytes)).collect();
        self.client.call(&command)?;
        Ok(())
    }

    /// Removes the board of a task that is over: its workers end. With `left` the results stay for the next run of the same task.
    pub(crate) fn end(&mut self, task: &Task, left: Option<&Left>) -> Result<(), BoardError> {
        match left {
            None => self.clear()?,
            Some(left) => self.leave(left)?,
        }
        let over = self.key("over");
        self.client.call(&[b"SET", over.as_bytes(), task.id.as_bytes(), b"EX", OVER_SECONDS])?;
        Ok(())
    }

    // IMPORTANT: the task goes last. Should the coordinator die before, the next one finds all jobs done, and ends in the same way.
    fn leave(&mut self, left: &Left) -> Result<(), BoardError> {
        let (key, done) = (self.key("left"), self.key("done"));
        let replies = self.client.call_all(&[
            &[b"SET", key.as_bytes(), &json(left), b"EX", LEFT_SECONDS],
            &[b"EXPIRE", done.as_bytes(), LEFT_SECONDS],
        ])?;
        refuse_refused(&replies)?;
        self.remove(&["jobs", "progress", "failures", "vanished", "task"])
    }

    /// What the last run under this name left.
    pub(crate) fn left(&mut self) -> Result<Option<Left>, BoardError> {
        let key = self.key("left");
        match self.client.call(&[b"GET", key.as_bytes()])? {
            Reply::Nil => Ok(None),
            reply => parsed(&key, reply.text()).map(Some),
        }
    }

    /// Whether it was told that a task is over.
    pub(crate) fn is_over(&mut self, task: &Task) -> Result<bool, BoardError> {
        let over = self.key("over");
        Ok(self.client.call(&[b"GET", over.as_bytes()])?.text() == task.id)
    }

    /// How far all jobs are.
    pub(crate) fn progress(&mut self) -> Result<Progress, BoardError> {
        let (done, progress) = (self.key("done"), self.key("progress"));
        let replies = self.client.call_all(&[&[b"HKEYS", done.as_bytes()], &[b"HVALS", progress.as_bytes()]])?;
        refuse_refused(&replies)?;
        let mut found = Progress::default();
        if let [numbers, under_way] = replies.as_slice() {
            let numbers = numbers.list().iter().map(|number| parsed(&done, number.text()));
            found.done = numbers.collect::<Result<_, _>>()?;
            found.running = under_way.list().len() as u64;
            found.under_way = under_way.list().iter().filter_map(Reply::integer).map(i64::unsigned_abs).sum();
        }
        Ok(found)
    }

    /// The result of a job; `None`: Redis has lost it.
    pub(crate) fn result(&mut self, number: u64) -> Result<Option<JobDone>, BoardError> {
        let (key, number) = (self.key("done"), number.to_string());
        match self.client.call(&[b"HGET", key.as_bytes(), number.as_bytes()])? {
            Reply::Nil => Ok(None),
            reply => parsed(&key, reply.text()).map(Some),
        }
    }

    /// Number of jobs that are done.
    pub(crate) fn done(&mut self) -> Result<u64, BoardError> {
        let key = self.key("done");
        Ok(self.client.call(&[b"HLEN", key.as_bytes()])?.integer().unwrap_or_default().unsigned_abs())
    }

    /// Takes a job for a worker: a new one, or one that its worker has not renewed for long.
    pub(crate) fn take(&mut self, worker: &str, task: &Task) -> Result<Option<Taken>, BoardError> {
        let (jobs, vanished, name) = (self.key("jobs"), self.key("vanished"), worker.as_bytes());
        let read: [&[u8]; 9] =
            [b"XREADGROUP", b"GROUP", GROUP, name, b"COUNT", b"1", b"STREAMS", jobs.as_bytes(), b">"];
        let replies = self.client.call_all(&[&[b"HDEL", vanished.as_bytes(), name], &read])?;
        refuse_refused(&replies)?;
        let streams = replies.get(1).map(Reply::list).unwrap_or_default();
        let entries = streams.first().and_then(|stream| stream.list().get(1)).map(Reply::list).unwrap_or_default();
        match entries.first() {
            Some(entry) => taken(&jobs, entry).map(Some),
            None => self.take_over(worker, task),
        }
    }

    /// Says that a job is being worked on, and how far it is. False when somebody else has it now, or the board is gone.
    pub(crate) fn renew(&mut self, worker: &str, taken: &Taken, points: u64) -> Result<bool, BoardError> {
        let [jobs, progress, vanished] = ["jobs", "progress", "vanished"].map(|what| self.key(what));
        let (entry, number, points) = (taken.entry.as_bytes(), taken.job.number.to_string(), points.to_string());
        // Also a worker that has lost its job is alive; it may wait for its store for long.
        self.client.call(&[b"HDEL", vanished.as_bytes(), worker.as_bytes()])?;
        if !self.is_held(worker, taken)? {
            return Ok(false);
        }
        let replies = self.client.call_all(&[
            &[b"XCLAIM", jobs.as_bytes(), GROUP, worker.as_bytes(), b"0", entry, b"JUSTID"],
            &[b"HSET", progress.as_bytes(), number.as_bytes(), points.as_bytes()],
        ])?;
        refuse_refused(&replies)?;
        Ok(true)
    }

    /// Whether a job is still in the hands of this worker.
    pub(super) fn is_held(&mut self, worker: &str, taken: &Taken) -> Result<bool, BoardError> {
        let (jobs, entry) = (self.key("jobs"), taken.entry.as_bytes());
        let pending =
            self.client.call(&[b"XPENDING", jobs.as_bytes(), GROUP, entry, entry, b"1", worker.as_bytes()])?;
        Ok(!pending.list().is_empty())
    }

    /// Tells the result of a job, if its task is still posted. That it was given up takes no other result's place.
    pub(crate) fn finish(&mut self, task: &Task, taken: &Taken, result: &JobDone) -> Result<(), BoardError> {
        let set: &[u8] = if result.failure.is_some() { b"HSETNX" } else { b"HSET" };
        if self.task()?.is_none_or(|now| now.id != task.id) {
            return Ok(());
        }
        let [jobs, done, progress] = ["jobs", "done", "progress"].map(|what| self.key(what));
        let number = taken.job.number.to_string();
        let replies = self.client.call_all(&[
            &[set, done.as_bytes(), number.as_bytes(), &json(result)],
            &[b"HDEL", progress.as_bytes(), number.as_bytes()],
            &[b"XACK", jobs.as_bytes(), GROUP, taken.entry.as_bytes()],
        ])?;
        refuse_refused(&replies)
    }

    /// Takes a job that is done already off the board.
    pub(crate) fn drop_done(&mut self, taken: &Taken) -> Result<(), BoardError> {
        let key = self.key("jobs");
        self.client.call(&[b"XACK", key.as_bytes(), GROUP, taken.entry.as_bytes()])?;
        Ok(())
    }

    /// Whether a job is done.
    pub(crate) fn is_done(&mut self, job: &Job) -> Result<bool, BoardError> {
        let (key, number) = (self.key("done"), job.number.to_string());
        Ok(self.client.call(&[b"HEXISTS", key.as_bytes(), number.as_bytes()])?.integer() == Some(1))
    }

    /// How often a job was handed to a worker so far, as Redis counts it.
    pub(crate) fn tries(&mut self, taken: &Taken) -> Result<u64, BoardError> {
        let (key, entry) = (self.key("jobs"), taken.entry.as_bytes());
        let rows = self.client.call(&[b"XPENDING", key.as_bytes(), GROUP, entry, entry, b"1"])?;
        Ok(rows.list().first().map(tries_of).unwrap_or_default())
    }

    /// A job failed; gives how often it did.
    pub(crate) fn count_failure(&mut self, job: &Job) -> Result<i64, BoardError> {
        let (key, number) = (self.key("failures"), job.number.to_string());
        Ok(self.client.call(&[b"HINCRBY", key.as_bytes(), number.as_bytes(), b"1"])?.integer().unwrap_or_default())
    }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Plain data with text keys: there is nothing that JSON cannot say.
    serde_json::to_vec(value).unwrap_or_default()
}

fn parsed<T: DeserializeOwned>(key: &str, text: &str) -> Result<T, BoardError> {
    serde_json::from_str(text).map_err(|e| BoardError::Foreign { key: key.to_owned(), reason: e.to_string() })
}

/// The deliveries in a row of XPENDING.
pub(super) fn tries_of(row: &Reply) -> u64 {
    row.list().get(3).and_then(Reply::integer).unwrap_or_default().unsigned_abs()
}

pub(super) fn taken(key: &str, entry: &Reply) -> Result<Taken, BoardError> {
    let [id, fields] = entry.list() else {
        return Err(BoardError::Foreign { key: key.to_owned(), reason: "an entry without fields".to_owned() });
    };
    let job = fields.list().get(1).map(Reply::text).unwrap_or_default();
    Ok(Taken { entry: id.text().to_owned(), job: parsed(key, job)? })
}

pub(super) fn refuse_refused(replies: &[Reply]) -> Result<(), BoardError> {
    match replies.iter().find_map(|reply| if let Reply::Refused(message) = reply { Some(message) } else { None }) {
        Some(message) => Err(BoardError::Link(LinkError::Refused { command: "a command", message: message.clone() })),
        None => Ok(()),
    }
}
