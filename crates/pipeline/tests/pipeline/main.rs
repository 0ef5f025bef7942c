//! From line protocol and points to what the engine reads back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod applier;
mod lines;
mod model;
mod points;
mod policies;
mod support;
