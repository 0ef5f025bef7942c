//! Connections for queries, used again by one after the other. There are only so many, so that queries do not take the
//! connections away that writers need; who comes too late waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use postgres::CancelToken;
use query::{Cancel, Limits, QueryError};

use crate::postgres::client::Link;
use crate::postgres::connector::{Connector, Purpose};

/// Connections in use at once.
const CONNECTIONS_MAX: usize = 16;
/// Connections kept for the next query.
const IDLE_MAX: usize = 4;
/// A connection is tried before its use when it was idle for longer.
const FRESH: Duration = Duration::from_secs(1);
/// How often is looked whether somebody still waits for the answer.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// The connections of a store's queries.
pub(in crate::postgres) struct Pool {
    connector: Arc<Connector>,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Idle>,
    in_use: usize,
}

struct Idle {
    link: Link,
    token: CancelToken,
    since: Instant,
}

/// How long a query may go on.
#[derive(Clone)]
pub(super) struct Patience {
    cancel: Cancel,
    until: Option<Instant>,
}

impl Patience {
    pub(super) fn new(cancel: &Cancel, limits: &Limits) -> Self {
        Self { cancel: cancel.clone(), until: Instant::now().checked_add(limits.timeout) }
    }

    pub(super) fn check(&self) -> Result<(), QueryError> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Err(QueryError::Cancelled("its time was up"));
        }
        self.cancel.check()
    }
}

impl Pool {
    pub(in crate::postgres) fn new(connector: &Arc<Connector>) -> Self {
        Self { connector: Arc::clone(connector), state: Mutex::default(), returned: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hosts, ports and database, for messages.
    pub(super) fn at(&self) -> &str {
        self.connector.at()
    }

    /// A connection that works, or at least did so a moment ago.
    pub(super) fn lend(&self, patience: &Patience) -> Result<Lease<'_>, QueryError> {
        let (idle, place) = self.wait(patience)?;
        let mut link = match idle {
            Some(idle) if idle.since.elapsed() < FRESH => return Ok(Lease::new(place, idle.link, idle.token)),
            Some(idle) => idle.link,
            None => Link::new(&self.connector, Purpose::Query),
        };
        let token = link.run(|conversation| Ok(conversation.open()?.client.cancel_token()));
        let token = token.map_err(|failure| failure.into_query_error(self.at()))?;
        Ok(Lease::new(place, link, token))
    }

    fn wait(&self, patience: &Patience) -> Result<(Option<Idle>, Place<'_>), QueryError> {
        let mut state = self.lock();
        while state.in_use >= CONNECTIONS_MAX {
            patience.check()?;
            state = self.returned.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.in_use += 1;
        Ok((state.idle.pop(), Place(self)))
    }
}

/// One of the connections there may be; free again when dropped.
struct Place<'p>(&'p Pool);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().in_use -= 1;
        self.0.returned.notify_one();
    }
}

/// A connection for some time.
pub(super) struct Lease<'p> {
    place: Place<'p>,
    borrowed: Option<(Link, CancelToken)>,
}

impl<'p> Lease<'p> {
    fn new(place: Place<'p>, link: Link, token: CancelToken) -> Self {
        Self { place, borrowed: Some((link, token)) }
    }

    /// The connection.
    pub(super) fn link(&mut self) -> Option<&mut Link> {
        self.borrowed.as_mut().map(|(link, _)| link)
    }

    /// Ends what the server is doing for it; the connection is not used again.
    pub(super) fn abandon(mut self) {
        if let Some((_, token)) = self.borrowed.take() {
            self.place.0.connector.cancel_from_aside(token);
        }
    }

    /// Drops the connection: it did not do what it should.
    pub(super) fn discard(mut self) {
        self.borrowed = None;
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some((link, token)) = self.borrowed.take() else { return };
        let mut state = self.place.0.lock();
        if state.idle.len() < IDLE_MAX {
            state.idle.push(Idle { link, token, since: Instant::now() });
        }
    }
}
