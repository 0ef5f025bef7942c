//! What the engine promises: it reads back what a naive model says, after flushes, merges, deletions, restarts, power cuts,
//! damage and full disks, while being read from all sides.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail the test")]

mod bounds;
mod concurrency;
mod crash;
mod damage;
mod deletions;
mod disk;
mod drops;
mod model_test;
mod retention;
mod sharing;
mod support;
