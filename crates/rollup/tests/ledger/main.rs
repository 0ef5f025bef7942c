//! What the ledger promises: what was marked is dirty until it is done, whatever happens to the process, the disk and the memory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail the test")]

mod bounds;
mod concurrency;
mod crash;
mod model_test;
mod stored;
mod support;
mod taking;
