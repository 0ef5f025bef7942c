//! From the store to the archive and back.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail the test")]

mod support;
mod tools;

mod changes;
mod crash;
mod days;
mod duckdb;
mod faults;
mod identity;
mod moto;
mod thread;
