//! JSON requests, and how they become plans. What is written here is the reference of the keys for users.
//!
//! Unknown keys are refused; every error says which key, what was found and what is expected. Not here: HTTP, and InfluxQL
//! (`compile`, which makes the same plans).

mod aggregate;
mod common;
mod custom;
mod filter;
mod interval;
mod plot;
mod series;
mod time;

use model::{Precision, TimestampNs};
use serde::de::DeserializeOwned;

use crate::QueryError;

pub use aggregate::{AggregateRequest, AggregateType};
pub use common::OneOrMany;
pub use interval::parse_interval;
pub use plot::PlotRequest;
pub use series::SeriesRequest;
pub use time::TimeReader;

/// What a request does not say by itself.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Database of requests that name none.
    pub database: String,
    /// What `now` stands for.
    pub now: TimestampNs,
    /// Unit of integer times; `None`: by their magnitude ([`Precision::guess`]).
    pub epoch: Option<Precision>,
}

/// Reads a request.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, QueryError> {
    serde_json::from_slice(body).map_err(|e| QueryError::invalid(format!("request body: {e}")))
}
