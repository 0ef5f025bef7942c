//! Names are looked up for a new connection only: ureq by itself looks them up for every request, so that a name server that is
//! away would stop writes over connections that work.

use std::sync::Arc;

use tls::remaining;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, TcpConnector};

/// Looks nothing up.
#[derive(Debug, Default)]
pub(super) struct Later(DefaultResolver);

impl Resolver for Later {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.0.empty())
    }
}

/// Looks the name up, then connects.
#[derive(Debug, Default)]
pub(super) struct NamedTcp {
    names: DefaultResolver,
    tcp: TcpConnector,
}

impl Connector for NamedTcp {
    type Out = <TcpConnector as Connector>::Out;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        let addrs = self.names.resolve(details.uri, details.config, details.timeout)?;
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: (details.current_time)(),
            timeout: remaining(details),
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        self.tcp.connect(&details, chained)
    }
}
