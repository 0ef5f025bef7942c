//! Another hissrv: from the edge to the centre. It takes values at InfluxDB 2's address for writes, with database and retention
//! policy as `database/policy`, and everything else in InfluxQL. Not here: what it does with them, which is the same as here.

mod config;
mod store;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use crate::http::{Http, SetupError};
use crate::influxdb::query::Schemas;

pub use config::HissrvConfig;

use store::Started;

/// Another hissrv.
pub struct Hissrv {
    http: Arc<Http>,
    schemas: Schemas,
    started: Mutex<Option<Started>>,
}

impl Hissrv {
    /// Checks the settings; does not talk to it yet.
    ///
    /// # Errors
    /// [`SetupError`] naming the setting that is wrong.
    pub fn new(config: &HissrvConfig) -> Result<Self, SetupError> {
        let http = Arc::new(Http::new(config.http_settings()?)?);
        Ok(Self { http, schemas: Schemas::default(), started: Mutex::default() })
    }
}
