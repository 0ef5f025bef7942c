//! InfluxDB 1.x, 2.x and 3.x over HTTP. A database's default retention policy and its others are retention policies in 1.x, and
//! buckets or databases named `database` and `database/policy` in 2.x and 3.x. Which of them a server is, it says itself.
//! Not here: hissrv's own answers in InfluxDB's language (`server::influx`).

mod config;
mod generation;

mod client;
mod encode;
mod store;

pub(crate) mod query;

mod continuous;
mod policies;
mod statements;

mod v1;
mod v2;
mod v3;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use client::Client;
use query::Schemas;

use crate::http::SetupError;

pub use config::{InfluxdbConfig, Version};
pub use generation::Generation;

pub(crate) use client::query_form;
pub(crate) use policies::keep_policies_in_step;
pub(crate) use statements::Statements;

/// An InfluxDB server.
pub struct InfluxDb {
    client: Arc<Client>,
    schemas: Schemas,
}

impl InfluxDb {
    /// Checks the settings; does not talk to the server yet.
    ///
    /// # Errors
    /// [`SetupError`] naming the setting that is wrong.
    pub fn new(config: &InfluxdbConfig) -> Result<Self, SetupError> {
        Ok(Self { client: Arc::new(Client::new(config)?), schemas: Schemas::default() })
    }
}
