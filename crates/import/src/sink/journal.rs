//! This process's own journal as a sink: what is written takes the way of every other value.

use std::sync::mpsc;

use backend::WriteError;
use model::line::{LineParser, Run};
use model::{Precision, TimestampNs};
use pipeline::{Intake, IntakeError, LineWrite, Outcome, Target};

use super::{Sink, SinkSession, Taken};

/// The journal of this process.
pub struct JournalSink {
    intake: Intake,
    target: Target,
    clock: fn() -> TimestampNs,
}

impl JournalSink {
    /// Points go to `target`; what its policies keep is told by the `clock`.
    pub fn new(intake: Intake, target: Target, clock: fn() -> TimestampNs) -> Self {
        Self { intake, target, clock }
    }
}

impl Sink for JournalSink {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(JournalSession(self))
    }

    /// The target exists: it was looked up.
    fn prepare(&self) -> Result<(), WriteError> {
        Ok(())
    }
}

struct JournalSession<'s>(&'s JournalSink);

impl SinkSession for JournalSession<'_> {
    fn write(&mut self, lines: &[u8]) -> Result<Taken, WriteError> {
        let JournalSink { intake, target, clock } = self.0;
        let write = LineWrite { target, text: lines, precision: Precision::Nanosecond, now: clock() };
        let (told, outcome) = mpsc::sync_channel(1);
        intake.write_lines(write, move |outcome| {
            // Whoever asked is waiting, unless its thread died.
            told.send(outcome).ok();
        });
        match outcome.recv() {
            Ok(Ok(outcome)) => taken(lines, outcome),
            // It is durable, which is what counts here.
            Ok(Err(IntakeError::Behind)) => Ok(Taken::default()),
            Ok(Err(error)) if error.is_retryable() => {
                Err(WriteError::Busy { message: error.to_string(), retry_after: None })
            }
            Ok(Err(error)) => Err(WriteError::Denied { message: error.to_string() }),
            Err(_) => Err(WriteError::Away { message: "the journal was closed".to_owned() }),
        }
    }

    fn write_unchecked(&mut self, text: &[u8], most: usize) -> Option<Result<(Run, Taken), WriteError>> {
        let run = Run::of_points(text, most)?;
        Some(self.write(text.get(..run.bytes)?).map(|taken| (run, taken)))
    }
}

/// What became of the lines. Where more were refused than are described, nobody knows which.
fn taken(lines: &[u8], outcome: Outcome) -> Result<Taken, WriteError> {
    let Some(first) = outcome.rejected.first() else { return Ok(Taken::default()) };
    if (outcome.rejected.len() as u64) < outcome.malformed + outcome.dropped {
        return Err(WriteError::points(first.message.clone()));
    }
    let mut refused = Vec::with_capacity(outcome.rejected.len());
    let (mut parser, mut number) = (LineParser::new(lines), 0);
    let mut rejected = outcome.rejected.into_iter().peekable();
    while let Some(line) = parser.next_line() {
        let at = line.map_or_else(|e| e.line, |line| line.number);
        if let Some(found) = rejected.next_if(|rejected| rejected.line == at) {
            refused.push((number, found.message));
        }
        number += 1;
    }
    Ok(Taken { filtered: 0, refused })
}
