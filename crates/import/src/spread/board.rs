//! The keys of a spread import in Redis. With the board's name as NAME:
//!
//! | key | what |
//! | --- | --- |
//! | `hissrv:import:NAME:task` | the task as JSON; written last, so that a board without it is not ready |
//! | `hissrv:import:NAME:jobs` | stream, an entry a job with the field `job`; consumer group `workers` |
//! | `hissrv:import:NAME:done` | hash, number of a job to its result as JSON |
//! | `hissrv:import:NAME:progress` | hash, number of a job under way to the points that are stored of it |
//! | `hissrv:import:NAME:failures` | hash, number of a job to how often it failed, as far as that counts |
//! | `hissrv:import:NAME:over` | for ten minutes the id of a task whose board was removed because it is over: a board that is gone without it was lost |

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use source::Stop;
use source::redis::endpoint::UrlError;
use source::redis::{Client, LinkError, Reply};
use tls::TlsConfig;

use super::spool::Spool;
use super::{Job, JobDone, Task};

/// Name of the consumer group.
const GROUP: &[u8] = b"workers";
/// How long it is told that a task is over, in seconds.
const OVER_SECONDS: &[u8] = b"600";
/// Where a look at all entries begins, and what Redis says when it is through.
const FIRST: &str = "0-0";
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
    client: Client,
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

    fn key(&self, what: &str) -> String {
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
        let keys = ["task", "jobs", "done", "progress", "failures", "over"].map(|what| self.key(what));
        let [task, jobs, done, progress, failures, over] = keys.each_ref().map(|key| key.as_bytes());
        self.client.call(&[b"DEL", task, jobs, done, progress, failures, over])?;
        Ok(())
    }

    /// Removes the board of a task that is over: its workers end.
    pub(crate) fn end(&mut self, task: &Task) -> Result<(), BoardError> {
        self.clear()?;
        let over = self.key("over");
        self.client.call(&[b"SET", over.as_bytes(), task.id.as_bytes(), b"EX", OVER_SECONDS])?;
        Ok(())
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
        let (key, worker) = (self.key("jobs"), worker.as_bytes());
        let read = self.client.call(&[
            b"XREADGROUP",
            b"GROUP",
            GROUP,
            worker,
            b"COUNT",
            b"1",
            b"STREAMS",
            key.as_bytes(),
            b">",
        ])?;
        let new =
            read.list().first().and_then(|stream| stream.list().get(1)).and_then(|entries| entries.list().first());
        if let Some(entry) = new {
            return taken(&key, entry).map(Some);
        }
        let lease = task.lease.as_millis().to_string();
        // Redis looks at some of those under way at a time, and says where it stopped.
        let mut from = FIRST.to_owned();
        loop {
            let (key, from_here) = (key.as_bytes(), from.as_bytes());
            let claimed =
                self.client.call(&[b"XAUTOCLAIM", key, GROUP, worker, lease.as_bytes(), from_here, b"COUNT", b"1"])?;
            if let Some(entry) = claimed.list().get(1).and_then(|entries| entries.list().first()) {
                return taken(&self.key("jobs"), entry).map(Some);
            }
            match claimed.list().first().map(Reply::text) {
                Some(next) if next != FIRST && next != from => from = next.to_owned(),
                _ => return Ok(None),
            }
        }
    }

    /// Says that a job is being worked on, and how far it is. False when somebody else has it now, or the board is gone.
    pub(crate) fn renew(&mut self, worker: &str, taken: &Taken, points: u64) -> Result<bool, BoardError> {
        let (jobs, progress) = (self.key("jobs"), self.key("progress"));
        let (entry, number, points) = (taken.entry.as_bytes(), taken.job.number.to_string(), points.to_string());
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

    /// Gives a job back: whoever asks next gets it, without waiting for the lease.
    pub(crate) fn give_back(&mut self, worker: &str, task: &Task, taken: &Taken) -> Result<(), BoardError> {
        if !self.is_held(worker, taken)? {
            return Ok(());
        }
        let (jobs, progress) = (self.key("jobs"), self.key("progress"));
        let (entry, number) = (taken.entry.as_bytes(), taken.job.number.to_string());
        let lease = task.lease.as_millis().to_string();
        let (jobs, worker, idle) = (jobs.as_bytes(), worker.as_bytes(), lease.as_bytes());
        let replies = self.client.call_all(&[
            &[b"XCLAIM", jobs, GROUP, worker, b"0", entry, b"IDLE", idle, b"JUSTID"],
            &[b"HDEL", progress.as_bytes(), number.as_bytes()],
        ])?;
        refuse_refused(&replies)
    }

    /// Whether a job is still in the hands of this worker.
    fn is_held(&mut self, worker: &str, taken: &Taken) -> Result<bool, BoardError> {
        let (jobs, entry) = (self.key("jobs"), taken.entry.as_bytes());
        let pending =
            self.client.call(&[b"XPENDING", jobs.as_bytes(), GROUP, entry, entry, b"1", worker.as_bytes()])?;
        Ok(!pending.list().is_empty())
    }

    /// Tells the result of a job, if its task is still posted.
    pub(crate) fn finish(&mut self, task: &Task, taken: &Taken, result: &JobDone) -> Result<(), BoardError> {
        if self.task()?.is_none_or(|now| now.id != task.id) {
            return Ok(());
        }
        let [jobs, done, progress] = ["jobs", "done", "progress"].map(|what| self.key(what));
        let number = taken.job.number.to_string();
        let replies = self.client.call_all(&[
            &[b"HSET", done.as_bytes(), number.as_bytes(), &json(result)],
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

fn taken(key: &str, entry: &Reply) -> Result<Taken, BoardError> {
    let [id, fields] = entry.list() else {
        return Err(BoardError::Foreign { key: key.to_owned(), reason: "an entry without fields".to_owned() });
    };
    let job = fields.list().get(1).map(Reply::text).unwrap_or_default();
    Ok(Taken { entry: id.text().to_owned(), job: parsed(key, job)? })
}

fn refuse_refused(replies: &[Reply]) -> Result<(), BoardError> {
    match replies.iter().find_map(|reply| if let Reply::Refused(message) = reply { Some(message) } else { None }) {
        Some(message) => Err(BoardError::Link(LinkError::Refused { command: "a command", message: message.clone() })),
        None => Ok(()),
    }
}
