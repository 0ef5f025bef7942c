//! Rollups over a real journal, catalog and engine.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail the test")]

mod answers;
mod calendars;
mod model;
mod support;
