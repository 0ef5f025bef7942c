//! Rows of a statement as they come. They are read and decoded by the connection's thread, some rows ahead of who takes them in.

use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use postgres::Row;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use query::QueryError;

use super::pool::{LOOK, Lease, Patience, Pool};
use crate::postgres::client::Conversation;
use crate::postgres::error::Failure;

/// Rows handed on at a time.
const CHUNK: usize = 2048;
/// Chunks that wait to be taken in.
const CHUNKS_AHEAD: usize = 2;
/// Once the last row has come the thread has nothing more to do.
const END: Duration = Duration::from_secs(5);

/// A value for a statement.
pub(super) type Parameter = Box<dyn ToSql + Sync + Send>;

/// A statement with its values.
pub(super) struct Ask {
    pub(super) sql: String,
    pub(super) parameters: Vec<Parameter>,
}

/// What a row becomes.
pub(super) type Decode<T> = fn(&Row) -> Result<T, postgres::Error>;

/// Gives each row of the answer to `each`, until that breaks.
pub(super) fn stream<T: Send + 'static>(
    pool: &Pool,
    patience: &Patience,
    ask: Ask,
    decode: Decode<T>,
    each: &mut dyn FnMut(T) -> Result<ControlFlow<()>, QueryError>,
) -> Result<(), Failure> {
    let mut lease = pool.lend(patience)?;
    let (give, chunks) = sync_channel(CHUNKS_AHEAD);
    let Some(link) = lease.link() else { return Err(Failure::Thread) };
    let answer = link.start(move |conversation| produce(conversation, ask, decode, &give))?;
    loop {
        match chunks.recv_timeout(LOOK) {
            Ok(chunk) => match take_in(chunk, each) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => {
                    lease.abandon();
                    return Ok(());
                }
                Err(error) => return give_up(lease, error),
            },
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = patience.check() {
                    return give_up(lease, error);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let outcome = link_outcome(&mut lease, &answer);
    if outcome.is_err() {
        lease.discard();
    }
    outcome
}

fn link_outcome(lease: &mut Lease<'_>, answer: &std::sync::mpsc::Receiver<Result<(), Failure>>) -> Result<(), Failure> {
    let link = lease.link().ok_or(Failure::Thread)?;
    link.wait(answer, Instant::now() + END)
}

fn give_up(lease: Lease<'_>, error: QueryError) -> Result<(), Failure> {
    lease.abandon();
    Err(error.into())
}

fn take_in<T>(
    chunk: Vec<T>,
    each: &mut dyn FnMut(T) -> Result<ControlFlow<()>, QueryError>,
) -> Result<ControlFlow<()>, QueryError> {
    for row in chunk {
        if each(row)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Reads the rows, in the connection's thread.
fn produce<T>(
    conversation: &mut Conversation,
    ask: Ask,
    decode: Decode<T>,
    give: &SyncSender<Vec<T>>,
) -> Result<(), Failure> {
    let open = conversation.opened()?;
    let statement = open.statement(&ask.sql)?;
    let mut rows = open.client.query_raw(&statement, ask.parameters)?;
    let mut chunk = Vec::with_capacity(CHUNK.min(64));
    while let Some(row) = rows.next()? {
        chunk.push(decode(&row)?);
        if chunk.len() == CHUNK && give.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK))).is_err() {
            drop(rows);
            conversation.abandon();
            return Ok(());
        }
    }
    // Nobody takes the rest where this fails.
    give.send(chunk).ok();
    Ok(())
}

/// All rows of an answer of at most `max`; `None` for one of more.
pub(super) fn all<T: Send + 'static>(
    pool: &Pool,
    patience: &Patience,
    ask: Ask,
    decode: Decode<T>,
    max: usize,
) -> Result<Option<Vec<T>>, Failure> {
    let mut rows = Vec::new();
    stream(pool, patience, ask, decode, &mut |row| {
        rows.push(row);
        Ok(if rows.len() > max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok((rows.len() <= max).then_some(rows))
}
