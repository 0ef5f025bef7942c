//! Runs InfluxQL statements: SELECT through `query`, SHOW from the catalog's names, CREATE, ALTER, DROP and GRANT as changes of
//! the catalog, DELETE through the journal. Runs continuous queries when they are due.
//!
//! A request's text is read as a whole before anything of it runs; then its statements run one after another, until one
//! fails. Answers and messages are those of InfluxDB 1.6. Not here: HTTP and the form of answers (`server`), who may do what,
//! syntax (`influxql`), how a SELECT is executed (`query`).

mod change;
mod condition;
mod continuous;
mod delete;
mod explain;
mod failure;
mod into;
mod measurements;
mod origins;
pub mod password;
mod request;
mod rows;
mod run;
mod running;
mod select;
mod series;
mod shards;
mod show;
mod task;
mod time;

pub use continuous::ContinuousCounts;
pub use request::{Request, RequestError};
pub use run::{OpenStore, Parts, Statements};
