//! An answer that is sent as a whole: it is collected in memory reserved before, so that a statement that fails can take its
//! rows back. An answer beyond its bound fails the statement that brought it there.

use model::ByteSize;
use query::{Answer, Outcome, QueryError, Table};

use super::encode::{Encoder, More, SLICE, SeriesKey};
use crate::budget::Share;

/// Bytes reserved at least at a time.
const STEP: u64 = 64 << 10;

/// Collects an answer.
pub(crate) struct Collected {
    encoder: Box<dyn Encoder>,
    /// The open series.
    series: Option<SeriesKey>,
    max: ByteSize,
    share: Share,
    reserved: u64,
}

impl Collected {
    /// Collects at most `max` bytes, reserved by `share`, which has reserved nothing yet.
    pub(crate) fn new(encoder: Box<dyn Encoder>, max: ByteSize, share: Share) -> Self {
        Self { encoder, series: None, max, share, reserved: 0 }
    }

    /// The whole answer and what it holds of the budget.
    pub(crate) fn finish(mut self) -> (Vec<u8>, Share) {
        self.encoder.finish();
        (std::mem::take(self.encoder.buffer()), self.share)
    }

    fn close_series(&mut self) {
        if self.series.take().is_some() {
            self.encoder.end_series(More::No);
        }
    }

    fn check_size(&mut self) -> Result<(), QueryError> {
        let buffer = self.encoder.buffer();
        let (len, held) = (buffer.len() as u64, buffer.capacity() as u64);
        if len > self.max.0 {
            let (limit, detail) = (format!("server.max_answer of {}", self.max), "ask for less, or in chunks");
            return Err(QueryError::TooMuch { limit, detail: detail.to_owned() });
        }
        if held > self.reserved {
            let more = (held - self.reserved).max(STEP);
            if !self.share.grow(more) {
                let detail = "other answers are being sent; try again, ask for less, or in chunks".to_owned();
                return Err(QueryError::TooMuch { limit: "server.answer_memory".to_owned(), detail });
            }
            self.reserved += more;
        }
        Ok(())
    }
}

impl Answer for Collected {
    fn begin(&mut self, statement: usize) {
        self.encoder.begin(statement);
    }

    fn table(&mut self, table: Table) -> Result<(), QueryError> {
        if !self.series.as_ref().is_some_and(|series| series.fits(&table)) {
            self.close_series();
            self.encoder.series(&table);
            self.series = Some(SeriesKey::of(&table));
        }
        let mut done = 0;
        while done < table.len() {
            let end = table.len().min(done + SLICE);
            self.encoder.rows(&table, done..end);
            self.check_size()?;
            done = end;
        }
        // A series without rows counts too.
        self.check_size()
    }

    fn end(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done(messages) => {
                self.close_series();
                self.encoder.end(&messages, More::No);
            }
            Outcome::Failed(message) => {
                self.series = None;
                self.encoder.fail(&message);
            }
        }
    }
}
