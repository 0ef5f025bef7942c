//! `hissrv run`.

use crate::cli::{Failure, RunArgs};
use crate::commands::service;
use crate::config;

pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let loaded = config::load(args.config.as_deref()).map_err(|e| Failure::Usage(e.to_string()))?;
    crate::logging::init(&loaded.config.log).map_err(Failure::Usage)?;
    match &loaded.path {
        Some(path) => tracing::info!(path = %path.display(), "configuration read"),
        None => tracing::info!("no configuration file, so built-in defaults are used"),
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    service::serve(&loaded.config, |_| Ok(Vec::new()))
}
