//! An answer that is sent while it is made: documents of a bounded number of rows, none of which spans two series, through a
//! channel that holds few of them. A full channel stops the query until the client has taken one.

use std::io;

use bytes::Bytes;
use query::{Answer, Outcome, QueryError, Table};
use tokio::sync::mpsc::Sender;

use super::encode::{Encoder, More, SLICE, SeriesKey};
use super::gzip::GzipStream;
use crate::error::ApiError;
use crate::stream::Piece;

/// A document ends early at so many bytes, whatever number of rows the client asked for.
const MAX_BYTES: usize = 8 << 20;

/// Sends an answer in chunks.
pub(crate) struct Chunks {
    encoder: Box<dyn Encoder>,
    gzip: Option<GzipStream>,
    sender: Sender<Piece>,
    max_rows: usize,
    statement: usize,
    /// The series of the open chunk; `None` when no chunk is open.
    series: Option<SeriesKey>,
    /// Rows of the open chunk.
    rows: usize,
}

impl Chunks {
    /// Documents have at most `max_rows` rows, which is not 0.
    pub(crate) fn new(
        encoder: Box<dyn Encoder>,
        gzip: Option<GzipStream>,
        sender: Sender<Piece>,
        max_rows: usize,
    ) -> Self {
        Self { encoder, gzip, sender, max_rows, statement: 0, series: None, rows: 0 }
    }

    /// Tells the reader how the query ended. That the reader has gone is nothing to tell anybody.
    pub(crate) fn finish(mut self, result: Result<(), ApiError>) {
        let last = match (result, self.end_of_gzip()) {
            (Err(error), _) => [Some(Piece::Refused(error)), None],
            (Ok(()), Ok(rest)) => [rest.map(Piece::Part), Some(Piece::End)],
            (Ok(()), Err(error)) => {
                tracing::error!(%error, "compress an answer");
                return;
            }
        };
        for piece in last.into_iter().flatten() {
            self.sender.blocking_send(piece).unwrap_or_default();
        }
    }

    fn end_of_gzip(&mut self) -> io::Result<Option<Bytes>> {
        self.gzip.take().map(|gzip| gzip.finish().map(Bytes::from)).transpose()
    }

    fn open(&mut self, table: &Table) {
        self.encoder.begin(self.statement);
        self.encoder.series(table);
        self.series = Some(SeriesKey::of(table));
        self.rows = 0;
    }

    /// Ends and sends the open chunk, when there is one; more of its statement follows.
    fn interrupt(&mut self, of_series: More) -> Result<(), QueryError> {
        if self.series.take().is_some() {
            self.encoder.end_series(of_series);
            self.encoder.end(&[], More::Yes);
            self.send()?;
        }
        Ok(())
    }

    fn is_full(&mut self) -> bool {
        self.rows >= self.max_rows || self.encoder.buffer().len() >= MAX_BYTES
    }

    fn send(&mut self) -> Result<(), QueryError> {
        self.encoder.finish();
        let document = std::mem::take(self.encoder.buffer());
        let part = match &mut self.gzip {
            None => document,
            Some(gzip) => gzip.piece(&document).map_err(|e| QueryError::Store(format!("compress the answer: {e}")))?,
        };
        if part.is_empty() {
            return Ok(());
        }
        let sent = self.sender.blocking_send(Piece::Part(part.into()));
        sent.map_err(|_| QueryError::Cancelled("the caller went away"))
    }
}

impl Answer for Chunks {
    fn begin(&mut self, statement: usize) {
        self.statement = statement;
    }

    fn table(&mut self, table: Table) -> Result<(), QueryError> {
        if !self.series.as_ref().is_some_and(|series| series.fits(&table)) {
            self.interrupt(More::No)?;
            self.open(&table);
        }
        let mut done = 0;
        while done < table.len() {
            if self.is_full() {
                self.interrupt(More::Yes)?;
                self.open(&table);
            }
            let room = (self.max_rows - self.rows).min(SLICE);
            let end = table.len().min(done + room);
            self.encoder.rows(&table, done..end);
            self.rows += end - done;
            done = end;
        }
        Ok(())
    }

    fn end(&mut self, outcome: Outcome) {
        match (outcome, self.series.take()) {
            (Outcome::Done(messages), open) => {
                match open {
                    Some(_) => self.encoder.end_series(More::No),
                    None => self.encoder.begin(self.statement),
                }
                self.encoder.end(&messages, More::No);
            }
            (Outcome::Failed(message), open) => {
                if open.is_none() {
                    self.encoder.begin(self.statement);
                }
                self.encoder.fail(&message);
            }
        }
        // NOTE: when the client has gone away, the historian notices at its next table or by the cancelled request.
        self.send().unwrap_or_default();
    }
}
