//! Statements over a whole store on a disk in memory: what they answer, what they change.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod change;
mod continuous;
mod delete;
mod select;
mod show;
mod support;
