//! What a writer promises, over a journal on disk and a store in memory.

mod store;
mod support;

mod errors;
mod model;
mod writing;
