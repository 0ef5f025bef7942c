//! TLS for ureq by the same client settings as every other connection of hissrv has, instead of ureq's own.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::unversioned::transport::time::{self, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::{TlsConfig, TlsError, client_config};

/// Wraps connections to `https://` in TLS.
#[derive(Debug)]
pub struct TlsConnector {
    settings: TlsConfig,
    /// Built with the first connection. A failure is not kept: the files may be put right while we run.
    ready: Mutex<Option<Arc<ClientConfig>>>,
}

impl TlsConnector {
    /// A connector with these settings; their files are read with the first connection.
    pub fn new(settings: TlsConfig) -> Self {
        Self { settings, ready: Mutex::default() }
    }

    fn client_config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = ready.as_ref() {
            return Ok(Arc::clone(config));
        }
        let config = client_config(&self.settings)?;
        *ready = Some(Arc::clone(&config));
        Ok(config)
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let config = self.client_config().map_err(|error| ureq::Error::Other(Box::new(error)))?;
        let mut session = ClientConnection::new(config, server_name(details)?)?;
        let mut socket = TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time));
        socket.set_timeout(remaining(details));
        session.complete_io(&mut socket)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned::new(session, socket) })))
    }
}

/// What is left of the time for a connection.
pub fn remaining(details: &ConnectionDetails<'_>) -> NextTimeout {
    let elapsed = match ((details.current_time)(), details.now) {
        (Instant::Exact(now), Instant::Exact(start)) => now.saturating_duration_since(start),
        _ => Duration::ZERO,
    };
    let after = match details.timeout.after {
        time::Duration::Exact(limit) => time::Duration::Exact(limit.saturating_sub(elapsed)),
        time::Duration::NotHappening => time::Duration::NotHappening,
    };
    NextTimeout { after, ..details.timeout }
}

fn server_name(details: &ConnectionDetails<'_>) -> Result<ServerName<'static>, ureq::Error> {
    let host = details.uri.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let wrong = |_| io::Error::new(io::ErrorKind::InvalidInput, "the host is no name that a certificate can have");
    Ok(ServerName::try_from(bare.to_owned()).map_err(wrong)?)
}

/// A connection in TLS.
pub struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output();
        let (output, _) = output.split_at_checked(amount).unwrap_or((output, &[]));
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}
