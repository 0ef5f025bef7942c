//! A blocking connection: TCP, TLS or a socket file, logged in. Every wait ends: connecting, answers and writes have
//! deadlines, keepalive and TCP_USER_TIMEOUT uncover a peer that vanished, and a request to stop interrupts all of them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use socket2::{SockRef, TcpKeepalive};
use tls::{TlsConfig, TlsError};

use super::endpoint::{Address, Endpoint};
use super::resp::{Frame, Item, ProtocolError, Reader, write_command};
use super::stop::Stop;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest wait for the answer to a command, and for a write to get through.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// A read waits this long before it looks whether to stop.
const TICK: Duration = Duration::from_millis(100);
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Name shown by `CLIENT LIST`.
const CLIENT_NAME: &[u8] = b"hissrv";

/// Why a connection is unusable, or a command failed. Never holds a secret: Redis does not repeat passwords.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The host's name has no address.
    #[error("no address for {0}")]
    Resolve(String),
    /// Connecting, reading or writing failed.
    #[error("{op}: {source}")]
    Io {
        /// What was tried.
        op: &'static str,
        /// How it failed.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Not a Redis.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// Redis refused a command.
    #[error("Redis refused {command}: {message}")]
    Refused {
        /// The command.
        command: &'static str,
        /// Its error message.
        message: String,
    },
    /// Redis closed the connection.
    #[error("connection closed by Redis")]
    Closed,
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    /// We are asked to stop.
    #[error("stopping")]
    Stopping,
}

enum Stream {
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Unix(UnixStream),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Stream {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }
}

/// Whom to connect to, how, and who may interrupt it.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    /// The server and our login.
    pub(crate) endpoint: Endpoint,
    /// Used when the endpoint asks for TLS.
    pub(crate) tls: TlsConfig,
    /// Ends every wait.
    pub(crate) stop: Arc<Stop>,
}

impl Dialer {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`LinkError`]; all but [`LinkError::Stopping`] may be different the next time.
    pub(crate) fn connect(&self) -> Result<Connection, LinkError> {
        let mut connection = Connection {
            stream: self.open()?,
            reader: Reader::default(),
            out: Vec::new(),
            stop: Arc::clone(&self.stop),
        };
        self.log_in(&mut connection)?;
        Ok(connection)
    }

    fn open(&self) -> Result<Stream, LinkError> {
        match &self.endpoint.address {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(|source| LinkError::Io { op: "connect", source })?;
                stream.set_read_timeout(Some(TICK)).map_err(configure)?;
                stream.set_write_timeout(Some(REPLY_TIMEOUT)).map_err(configure)?;
                Ok(Stream::Unix(stream))
            }
            Address::Tcp { host, port, tls: false } => Ok(Stream::Tcp(self.tcp(host, *port)?)),
            Address::Tcp { host, port, tls: true } => {
                let config = tls::client_config(&self.tls)?;
                let name = ServerName::try_from(host.clone()).map_err(|_| LinkError::Resolve(host.clone()))?;
                let session = ClientConnection::new(config, name).map_err(TlsError::from)?;
                Ok(Stream::Tls(Box::new(StreamOwned::new(session, self.tcp(host, *port)?))))
            }
        }
    }

    fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, LinkError> {
        let resolve = |source| LinkError::Io { op: "resolve", source };
        let mut last = LinkError::Resolve(host.to_owned());
        for address in (host, port).to_socket_addrs().map_err(resolve)? {
            if self.stop.is_requested() {
                return Err(LinkError::Stopping);
            }
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => return tune(&stream).map(|()| stream).map_err(configure),
                Err(source) => last = LinkError::Io { op: "connect", source },
            }
        }
        Err(last)
    }

    fn log_in(&self, connection: &mut Connection) -> Result<(), LinkError> {
        if let Some(password) = &self.endpoint.password {
            let password = password.reveal().as_bytes();
            match &self.endpoint.username {
                Some(user) => connection.call("AUTH", &[user.as_bytes(), password])?,
                None => connection.call("AUTH", &[password])?,
            };
        }
        if self.endpoint.db != 0 {
            connection.call("SELECT", &[self.endpoint.db.to_string().as_bytes()])?;
        }
        match connection.call("CLIENT", &[b"SETNAME", CLIENT_NAME]) {
            // The name is a courtesy to operators; an ACL may forbid it.
            Err(LinkError::Refused { message, .. }) => tracing::debug!(message, "CLIENT SETNAME refused"),
            other => {
                other?;
            }
        }
        Ok(())
    }
}

fn configure(source: io::Error) -> LinkError {
    LinkError::Io { op: "configure socket", source }
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    stream.set_write_timeout(Some(REPLY_TIMEOUT))?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(2 * KEEPALIVE))?;
    Ok(())
}

/// A connection that is logged in.
pub(crate) struct Connection {
    stream: Stream,
    /// Frames that were received.
    pub(crate) reader: Reader,
    out: Vec<u8>,
    stop: Arc<Stop>,
}

impl Connection {
    /// Adds a command to what [`Connection::send`] sends.
    pub(crate) fn queue(&mut self, arguments: &[&[u8]]) {
        write_command(&mut self.out, arguments);
    }

    /// Sends the queued commands.
    ///
    /// # Errors
    /// When they do not get through in time; the connection is then unusable.
    pub(crate) fn send(&mut self) -> Result<(), LinkError> {
        let sent = self.stream.send(&self.out).map_err(|source| LinkError::Io { op: "write", source });
        self.out.clear();
        sent
    }

    /// Reads once, for at most 100 ms. Returns the number of bytes; 0 when none came.
    ///
    /// # Errors
    /// The connection ended, or we are asked to stop.
    pub(crate) fn read(&mut self) -> Result<usize, LinkError> {
        if self.stop.is_requested() {
            return Err(LinkError::Stopping);
        }
        match self.reader.fill(&mut self.stream) {
            Ok(0) => Err(LinkError::Closed),
            Ok(count) => Ok(count),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(0),
                // rustls reports an end without its closing message, which is how Redis cuts a client off.
                ErrorKind::UnexpectedEof => Err(LinkError::Closed),
                _ => Err(LinkError::Io { op: "read", source: error }),
            },
        }
    }

    /// Waits for the next frame.
    ///
    /// # Errors
    /// [`LinkError::NoAnswer`] when nothing at all comes for 5 s; otherwise as [`Connection::read`].
    pub(crate) fn reply(&mut self) -> Result<Frame<'_>, LinkError> {
        let mut deadline = Instant::now() + REPLY_TIMEOUT;
        while !self.reader.advance()? {
            if self.read()? > 0 {
                deadline = Instant::now() + REPLY_TIMEOUT;
            } else if Instant::now() >= deadline {
                return Err(LinkError::NoAnswer(REPLY_TIMEOUT));
            }
        }
        Ok(self.reader.current())
    }

    /// Sends one command and waits for its answer.
    ///
    /// # Errors
    /// [`LinkError::Refused`] with Redis' message; otherwise as [`Connection::reply`].
    pub(crate) fn call(&mut self, command: &'static str, arguments: &[&[u8]]) -> Result<Frame<'_>, LinkError> {
        let mut all = vec![command.as_bytes()];
        all.extend_from_slice(arguments);
        self.queue(&all);
        self.send()?;
        let frame = self.reply()?;
        match frame.root() {
            Item::Error(message) => {
                Err(LinkError::Refused { command, message: String::from_utf8_lossy(message).into_owned() })
            }
            _ => Ok(frame),
        }
    }
}
