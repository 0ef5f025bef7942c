//! Where the running service is, by the command line or by its configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::config::Config;

/// Where the service is when nobody says.
pub(super) const URL: &str = "http://127.0.0.1:6004";

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
