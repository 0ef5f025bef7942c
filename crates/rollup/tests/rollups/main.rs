//! Rollups over a real journal, catalog and engine.

mod answers;
mod calendars;
mod model;
mod support;
