//! What the tests share: running the binary, talking HTTP to it, a Redis of one's own, chance from a seed.

mod client;
mod data;
mod points;
mod redis;
mod rng;
mod script;
mod service;
mod writers;

use std::time::{Duration, Instant};

pub(crate) use client::{Answer, Client};
pub(crate) use data::{Folder, copy_tree, files_below};
pub(crate) use points::{Row, Series, rows_of};
pub(crate) use redis::Redis;
pub(crate) use rng::Rng;
pub(crate) use script::{project, run_script};
pub(crate) use service::{Finished, Service, Signal, hissrv, output_of, run_to_end, run_to_end_within};
pub(crate) use writers::{Numbers, Writer, check_numbers, lines};

/// Longest wait for anything that should take a moment.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
