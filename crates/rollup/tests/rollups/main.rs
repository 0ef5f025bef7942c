//! Rollups over a real journal, catalog and engine.

mod answers;
mod model;
mod support;
