//! What the crate promises, seen from outside: requests, stored points, computed values.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail the test")]

mod aggregates;
mod caching;
mod execution;
mod plots;
mod requests;
mod series;
mod standing;
mod support;
