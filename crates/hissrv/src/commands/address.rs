//! Where the running service is, by the command line or by its configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::cli::{AskedArgs, Failure};
use crate::config::{self, Config};

/// Where the service is when nobody says.
pub(super) const URL: &str = "http://127.0.0.1:6004";

/// Base URL of the service that is asked.
pub(super) fn address_of(service: &AskedArgs) -> Result<String, Failure> {
    match (&service.url, &service.config) {
        (Some(url), _) => Ok(url.clone()),
        (None, Some(file)) => Ok(url_of(&load(Some(file))?)),
        (None, None) => Ok(URL.to_owned()),
    }
}

/// The configuration, where what is wrong with it ends a command.
pub(super) fn load(file: Option<&Path>) -> Result<Config, Failure> {
    Ok(config::load(file).map_err(|e| Failure::Usage(e.to_string()))?.config)
}

/// Base URL of the service with this configuration, as seen from this machine.
pub(super) fn url_of(config: &Config) -> String {
    format!("http://{}", reachable(&config.server.listen))
}

/// A service that listens at all addresses is reached at this machine's own.
fn reachable(listen: &str) -> String {
    match listen.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port()).to_string()
        }
        _ => listen.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_listens_everywhere_is_asked_at_this_machine() {
        assert_eq!(reachable("0.0.0.0:6004"), "127.0.0.1:6004");
        assert_eq!(reachable("[::]:7000"), "127.0.0.1:7000");
        assert_eq!(reachable("192.0.2.7:6004"), "192.0.2.7:6004");
    }
}
