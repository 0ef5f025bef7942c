//! What a writer promises, over a journal on disk and a store in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod store;
mod support;

mod errors;
mod lanes;
mod model;
mod writing;
