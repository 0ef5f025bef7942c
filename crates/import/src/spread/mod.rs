//! One import on several machines: a coordinator cuts the files into jobs on a board in Redis, workers take them one by one.
//!
//! The board is a stream of jobs with a consumer group and some keys beside it ([`Board`]). A worker that dies leaves its job pending; another
//! one claims it once it has not been renewed for [`Task::lease`], unless too many workers died with it ([`DEATHS`]). A job may so be done twice, which changes nothing: points are overwritten by the
//! same. What counts is the hash of results, one for each job. Should Redis lose the board, the coordinator posts again what it has no
//! result of; should the coordinator die, the next one with the same task goes on with the board that is there.

mod board;
mod coordinator;
mod jobs;
mod left;
mod silent;
mod spool;
mod standing;
mod worker;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::counters::Snapshot;
use crate::file::Layout;
use crate::inputs::Input;

pub use board::{Board, BoardError};
pub use coordinator::{Coordinator, Total};
pub use jobs::{CHUNK_BYTES, cut};
pub use silent::DEATHS;
pub use worker::{Duties, OpenSink, WorkError, Worked, work};

/// A job is given up after so many failures that count: those of its data, and those of workers that have done a job before.
pub const ATTEMPTS: i64 = 3;

/// What all workers are to do in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What tells it from other tasks: its inputs and everything below.
    pub id: String,
    /// How files are read.
    pub layout: Layout,
    /// Database; `None`: the default one of each worker.
    pub database: Option<String>,
    /// Retention policy; `None`: the database's default one.
    pub policy: Option<String>,
    /// The import ends when more records than this are refused, and so does a job.
    pub max_errors: u64,
    /// A job that was not renewed for so long is taken over; at least a second.
    pub lease: Duration,
    /// Number of jobs.
    pub jobs: u64,
}

/// A file or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// From 0 on.
    pub number: u64,
    /// What is read.
    pub input: Input,
}

/// What became of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDone {
    /// The figures.
    pub counts: Snapshot,
    /// The rejects, as they stand in a file of rejects.
    pub rejects: String,
    /// `None`: it was done.
    pub failure: Option<GivenUp>,
    /// Who did it; of a job that its workers died of, nobody.
    pub worker: String,
}

/// What is known of a job that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// Why.
    pub reason: String,
    /// How often it was handed to a worker.
    pub tries: u64,
}
