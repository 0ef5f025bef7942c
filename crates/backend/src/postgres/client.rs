//! Connections at work. The client of the `postgres` crate waits for as long as the server is silent, so each connection has a thread
//! of its own ([`Link`]): whoever waits for it stops waiting in time and leaves the thread to end by itself, which happens when the
//! server answers or the network gives up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::connector::{Connector, Open, Purpose};
use super::error::Failure;

/// How much longer than the server a waiting thread has patience, so that the server's own timeout is the one that is told.
const PATIENCE: Duration = Duration::from_millis(500);

/// One connection, as the thread that it belongs to sees it.
pub(super) struct Conversation {
    connector: Arc<Connector>,
    purpose: Purpose,
    open: Option<Open>,
    /// Writes that are made row by row, since one of the last met rows that were there already.
    pub(super) upserts_left: u32,
    /// Nobody waits for what it does any more.
    is_given_up: Arc<AtomicBool>,
}

impl Conversation {
    /// The connection, made anew where it is closed.
    pub(super) fn open(&mut self) -> Result<&mut Open, Failure> {
        let works = self.open.as_mut().is_some_and(Open::is_alive);
        let open = if works { self.open.take() } else { None };
        let open = open.map_or_else(|| Open::new(&self.connector, self.purpose), Ok)?;
        Ok(self.open.insert(open))
    }

    /// The connection as it is; whoever asks has opened it before. None once nobody waits any more: what is written then could
    /// come after later values.
    pub(super) fn opened(&mut self) -> Result<&mut Open, Failure> {
        if self.is_given_up.load(Ordering::Relaxed) {
            return Err(Failure::Thread);
        }
        self.open.as_mut().ok_or(Failure::Thread)
    }

    /// Ends the connection, and what the server does for it.
    pub(super) fn abandon(&mut self) {
        if let Some(open) = self.open.take() {
            self.connector.cancel_quietly(&open.client.cancel_token());
        }
    }
}

type Job = Box<dyn FnOnce(&mut Conversation) + Send>;

/// A connection with its thread, which starts with the first work given to it.
pub(super) struct Link {
    connector: Arc<Connector>,
    purpose: Purpose,
    thread: Option<ItsThread>,
}

struct ItsThread {
    jobs: SyncSender<Job>,
    /// Set when nobody waits for it any more.
    is_given_up: Arc<AtomicBool>,
}

impl Link {
    pub(super) fn new(connector: &Arc<Connector>, purpose: Purpose) -> Self {
        Self { connector: Arc::clone(connector), purpose, thread: None }
    }

    /// Does `work` on the connection and waits for it, at most for the store's timeout.
    pub(super) fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Conversation) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let answer = self.start(work)?;
        self.wait(&answer, Instant::now() + self.connector.timeout() + PATIENCE)
    }

    /// Hands out `work`; its result comes through the channel.
    pub(super) fn start<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Conversation) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Receiver<Result<T, Failure>>, Failure> {
        let (reply, answer) = sync_channel(1);
        let job: Job = Box::new(move |conversation| {
            // Nobody waits any more where this fails.
            reply.send(work(conversation)).ok();
        });
        let sent = self.thread()?.send(job);
        if sent.is_err() {
            self.leave();
            return Err(Failure::Thread);
        }
        Ok(answer)
    }

    /// Waits for what was started; the connection is left to itself when that takes too long.
    pub(super) fn wait<T>(&mut self, answer: &Receiver<Result<T, Failure>>, until: Instant) -> Result<T, Failure> {
        match answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                self.leave();
                Err(Failure::Silent(self.connector.timeout()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.leave();
                Err(Failure::Thread)
            }
        }
    }

    /// Forgets the thread: it ends when its work ends.
    fn leave(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.is_given_up.store(true, Ordering::Relaxed);
        }
    }

    fn thread(&mut self) -> Result<&SyncSender<Job>, Failure> {
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => spawn(&self.connector, self.purpose)?,
        };
        Ok(&self.thread.insert(thread).jobs)
    }
}

fn spawn(connector: &Arc<Connector>, purpose: Purpose) -> Result<ItsThread, Failure> {
    let (jobs, inbox) = sync_channel::<Job>(1);
    let is_given_up = Arc::new(AtomicBool::new(false));
    let mut conversation = Conversation {
        connector: Arc::clone(connector),
        purpose,
        open: None,
        upserts_left: 0,
        is_given_up: Arc::clone(&is_given_up),
    };
    connector.threads().spawn(move || {
        for job in inbox {
            job(&mut conversation);
        }
    })?;
    Ok(ItsThread { jobs, is_given_up })
}
