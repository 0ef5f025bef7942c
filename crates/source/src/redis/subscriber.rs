//! One thread per connection that subscribes: connect, subscribe, check, read; on any failure wait and start over, for ever.
//! Between the socket and the queue nothing slow happens. A connection that says nothing is asked, since a dead peer sends no end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::TimestampNs;

use super::backoff::Backoff;
use super::block::{Block, BlockQueue, Message};
use super::connection::{Connection, Dialer, LinkError};
use super::poll::requests::Requests;
use super::resp::{Frame, Item};
use super::status::{Shared, add};

/// A connection silent for this long is asked whether it lives.
const PING_AFTER: Duration = Duration::from_secs(5);
/// Time to answer, also for the confirmations of a subscription.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A subscription that held this long was healthy: the next failure starts with short pauses again.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);

/// One subscribing connection.
pub(crate) struct Subscriber {
    /// Its number among the connections of the source.
    pub(crate) link: usize,
    pub(crate) dialer: Dialer,
    /// All patterns of the source, and which of them are ours.
    pub(crate) patterns: Arc<[String]>,
    pub(crate) ours: Vec<u16>,
    pub(crate) queue: Arc<BlockQueue>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) shared: Arc<Shared>,
}

/// The state of one subscription.
struct Session {
    confirmed: usize,
    heard: Instant,
    /// A PING that was not answered yet; only when it was sent.
    asked: Option<Instant>,
    block: Block,
    arrival: TimestampNs,
    /// Pattern of the previous message: messages of one pattern come in rows.
    last_pattern: u16,
}

/// What is missed since when, and why.
struct Missed {
    since: TimestampNs,
    reason: String,
}

impl Subscriber {
    /// Runs until asked to stop.
    pub(crate) fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut missed = None;
        let started = (self.shared.clock)();
        loop {
            let attempt = Instant::now();
            let mut heard = None;
            let error = match self.subscription(&mut missed, &mut heard) {
                LinkError::Stopping => return,
                error => error.to_string(),
            };
            tracing::warn!(source = %self.shared.name, endpoint = %self.dialer.endpoint, error, "subscription lost");
            self.shared.set_connected(self.link, false, Some(error.clone()));
            match heard {
                Some(since) => {
                    missed = Some(Missed { since, reason: error });
                    if attempt.elapsed() >= HEALTHY_AFTER {
                        backoff.reset();
                    }
                }
                None => {
                    missed.get_or_insert(Missed { since: started, reason: error });
                }
            }
            if self.dialer.stop.sleep(backoff.next_pause()) {
                return;
            }
            add(&self.shared.reconnects, 1);
        }
    }

    /// Connects, subscribes and reads until something fails. `heard` becomes the last time we were subscribed and heard something.
    fn subscription(&mut self, missed: &mut Option<Missed>, heard: &mut Option<TimestampNs>) -> LinkError {
        match self.connect() {
            Err(error) => error,
            Ok((mut connection, mut session)) => loop {
                if let Err(error) = self.turn(&mut connection, &mut session) {
                    return error;
                }
                if session.confirmed >= self.ours.len() {
                    if heard.is_none() {
                        self.subscribed(missed.take());
                    }
                    *heard = Some(session.arrival);
                }
            },
        }
    }

    fn connect(&self) -> Result<(Connection, Session), LinkError> {
        let mut connection = self.dialer.connect()?;
        let mut command: Vec<&[u8]> = vec![b"PSUBSCRIBE"];
        command.extend(self.ours.iter().filter_map(|i| self.patterns.get(usize::from(*i))).map(String::as_bytes));
        connection.queue(&command);
        connection.send()?;
        let now = Instant::now();
        let arrival = (self.shared.clock)();
        let session =
            Session { confirmed: 0, heard: now, asked: Some(now), block: Block::default(), arrival, last_pattern: 0 };
        Ok((connection, session))
    }

    /// Every pattern is confirmed: what was missed before is now known in full.
    fn subscribed(&self, missed: Option<Missed>) {
        tracing::info!(source = %self.shared.name, endpoint = %self.dialer.endpoint, "subscribed");
        self.shared.set_connected(self.link, true, None);
        if let Some(missed) = missed {
            self.shared.add_gap(missed.since, (self.shared.clock)(), missed.reason);
            self.requests.everything();
        }
    }

    /// One read and what came with it.
    fn turn(&self, connection: &mut Connection, session: &mut Session) -> Result<(), LinkError> {
        if connection.read()? == 0 {
            return self.ask(connection, session);
        }
        session.heard = Instant::now();
        session.arrival = (self.shared.clock)().max(session.arrival);
        let mut outcome = Ok(());
        while outcome.is_ok() && connection.reader.advance()? {
            outcome = self.dispatch(connection.reader.current(), session);
        }
        if session.confirmed >= self.ours.len() {
            session.asked = None;
        }
        self.hand_over(session);
        outcome
    }

    /// Nothing came for a while: is anybody there?
    fn ask(&self, connection: &mut Connection, session: &mut Session) -> Result<(), LinkError> {
        if let Some(asked) = session.asked {
            return if asked.elapsed() < ANSWER_WITHIN { Ok(()) } else { Err(LinkError::NoAnswer(ANSWER_WITHIN)) };
        }
        if session.heard.elapsed() < PING_AFTER {
            return Ok(());
        }
        session.asked = Some(Instant::now());
        connection.queue(&[b"PING"]);
        connection.send()
    }

    fn dispatch(&self, frame: Frame<'_>, session: &mut Session) -> Result<(), LinkError> {
        let mut items = frame.items();
        let (root, kind) = (items.next(), items.next());
        match (root, kind) {
            (Some(Item::Array(4)), Some(Item::Bulk(b"pmessage"))) => {
                let mut bytes = || items.next().and_then(Item::bytes).unwrap_or_default();
                let (pattern, channel, payload) = (bytes(), bytes(), bytes());
                self.receive(pattern, channel, payload, session);
            }
            (Some(Item::Array(_)), Some(Item::Bulk(b"psubscribe"))) => session.confirmed += 1,
            (Some(Item::Error(message)), _) => {
                let message = String::from_utf8_lossy(message).into_owned();
                return Err(LinkError::Refused { command: "PSUBSCRIBE", message });
            }
            // The answer to PING: having heard it is all that matters.
            _ => {}
        }
        Ok(())
    }

    fn receive(&self, pattern: &[u8], channel: &[u8], payload: &[u8], session: &mut Session) {
        let is = |i: u16| self.patterns.get(usize::from(i)).is_some_and(|known| known.as_bytes() == pattern);
        if !is(session.last_pattern) {
            session.last_pattern = self.ours.iter().copied().find(|i| is(*i)).unwrap_or_default();
        }
        // Each message gets an instant of its own: two values of one point without a time must not become one.
        session.arrival = session.arrival.saturating_add(1);
        session.block.push(Message { arrival: session.arrival, pattern: session.last_pattern, channel, payload });
    }

    fn hand_over(&self, session: &mut Session) {
        if session.block.is_empty() {
            return;
        }
        let block = std::mem::take(&mut session.block);
        add(&self.shared.messages, block.len() as u64);
        add(&self.shared.bytes, block.messages().map(|m| (m.channel.len() + m.payload.len()) as u64).sum());
        if let Err(block) = self.queue.offer(block) {
            add(&self.shared.dropped, block.len() as u64);
        }
    }
}
