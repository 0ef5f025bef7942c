//! A client for what hissrv does with a Redis besides reading values: publishing, streams, keys. Connects when it is needed, anew after
//! a failure; commands may be sent many at a time.

use std::sync::Arc;

use tls::TlsConfig;

use super::connection::{Connection, Dialer, LinkError};
use super::endpoint::{Endpoint, UrlError};
use super::resp::{Frame, Item};
use super::stop::Stop;

/// An answer of Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A string, or a status such as `OK`.
    Text(Vec<u8>),
    /// An integer.
    Integer(i64),
    /// No value.
    Nil,
    /// Several answers.
    List(Vec<Self>),
    /// The command was refused, with Redis' message.
    Refused(String),
}

impl Reply {
    /// The text of a string or status, if it is UTF-8; empty for anything else.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
            _ => "",
        }
    }

    /// The integer, also of a string of digits.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            other => other.text().parse().ok(),
        }
    }

    /// The elements of a list; none for anything else.
    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    fn of(frame: &Frame<'_>) -> Self {
        Self::next(&mut frame.items()).unwrap_or(Self::Nil)
    }

    fn next<'f>(items: &mut impl Iterator<Item = Item<'f>>) -> Option<Self> {
        Some(match items.next()? {
            Item::Simple(text) | Item::Bulk(text) => Self::Text(text.to_vec()),
            Item::Error(message) => Self::Refused(String::from_utf8_lossy(message).into_owned()),
            Item::Integer(number) => Self::Integer(number),
            Item::Nil => Self::Nil,
            // Depth and length are bounded by the reader of frames.
            Item::Array(len) => Self::List((0..len).map_while(|_| Self::next(items)).collect()),
        })
    }
}

/// One connection to a Redis.
pub struct Client {
    dialer: Dialer,
    connection: Option<Connection>,
}

impl Client {
    /// A client for `redis://user:password@host:port/db`, `rediss://` or `unix://`. Does not connect yet. Every wait ends when `stop` is
    /// requested.
    ///
    /// # Errors
    /// [`UrlError`] when the URL is wrong.
    pub fn new(url: &str, tls: TlsConfig, stop: Arc<Stop>) -> Result<Self, UrlError> {
        Ok(Self { dialer: Dialer { endpoint: Endpoint::parse(url)?, tls, stop }, connection: None })
    }

    /// Sends a command and waits for its answer, some seconds at most.
    ///
    /// # Errors
    /// [`LinkError`] when there is none; the next call connects anew. [`LinkError::Refused`] when Redis refused it.
    pub fn call(&mut self, command: &[&[u8]]) -> Result<Reply, LinkError> {
        let reply = self.call_all(&[command])?.pop().unwrap_or(Reply::Nil);
        match reply {
            Reply::Refused(message) => Err(LinkError::Refused { command: "the command", message }),
            other => Ok(other),
        }
    }

    /// Sends commands at once and waits for all answers, in their order; those refused are [`Reply::Refused`].
    ///
    /// # Errors
    /// [`LinkError`] when an answer did not come: then nobody knows which commands were carried out.
    pub fn call_all(&mut self, commands: &[&[&[u8]]]) -> Result<Vec<Reply>, LinkError> {
        let outcome = self.exchange(commands);
        if outcome.is_err() {
            self.connection = None;
        }
        outcome
    }

    fn exchange(&mut self, commands: &[&[&[u8]]]) -> Result<Vec<Reply>, LinkError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.dialer.connect()?),
        };
        commands.iter().for_each(|command| connection.queue(command));
        connection.send()?;
        commands.iter().map(|_| Ok(Reply::of(&connection.reply()?))).collect()
    }
}
