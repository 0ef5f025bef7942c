//! Which running service is asked.

use std::path::PathBuf;

use clap::Args;

/// Where the service is.
#[derive(Debug, Args)]
pub(crate) struct AskedArgs {
    /// Base URL of the service; default: http://127.0.0.1:6004.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Configuration file to take the service's address from.
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub(crate) config: Option<PathBuf>,
}
