//! One batch into the sink: tried again where that may help, taken apart where some of its lines can never be stored.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use backend::WriteError;
use formats::Lines;

use crate::counters::{Tally, add};
use crate::error::ImportError;
use crate::run::Shared;
use crate::sink::SinkSession;

/// A line that was refused: its number among the lines of the piece, and why.
pub(crate) type RefusedLine = (usize, String);

/// One worker's way of delivering.
pub(crate) struct Delivery<'a> {
    pub(crate) shared: &'a Shared<'a>,
    pub(crate) session: Box<dyn SinkSession + 'a>,
    /// For the jitter of waits.
    pub(crate) random: u64,
}

/// Sends something once; `None`: that is not to be sent so.
type Send<'s, T> = &'s mut dyn FnMut(&mut dyn SinkSession) -> Option<Result<T, WriteError>>;

/// Told of lines that can never be stored, once each; says when they are too many.
pub(crate) type Refuse<'s> = &'s mut dyn FnMut(Vec<RefusedLine>) -> Result<(), Undelivered>;

/// Why a batch was not delivered.
pub(crate) enum Undelivered {
    /// The import is to end.
    Stopped,
    /// The import has failed.
    Failed(ImportError),
}

impl Delivery<'_> {
    /// Stores the lines of a text that nobody has checked, batch by batch. `None` when the sink does not check them, or refuses one: then all of
    /// them are to be converted and stored again, which names the bad ones.
    pub(crate) fn deliver_unchecked(&mut self, text: &[u8]) -> Result<Option<Tally>, Undelivered> {
        let batch = self.shared.options.batch.max(1);
        let (mut rest, mut tally) = (text, Tally::default());
        while !rest.is_empty() {
            self.shared.counters.in_flight.fetch_add(1, Relaxed);
            let stored = self.try_patiently(&mut |session| session.write_unchecked(rest, batch));
            self.shared.counters.in_flight.fetch_sub(1, Relaxed);
            match stored? {
                Some(Ok((run, taken))) if taken.refused.is_empty() => {
                    let lines = run.lines as u64;
                    self.count_filtered(taken.filtered, &mut tally);
                    add(&self.shared.counters.points, lines);
                    add(&self.shared.counters.batches, 1);
                    tally.points += lines;
                    tally.records += lines;
                    rest = rest.get(run.bytes..).unwrap_or_default();
                }
                _ => {
                    self.shared.counters.points.fetch_sub(tally.points, Relaxed);
                    return Ok(None);
                }
            }
        }
        Ok(Some(tally))
    }

    /// Stores the lines of a piece, batch by batch. Those that can never be stored are told as they are found, however this ends.
    pub(crate) fn deliver(&mut self, lines: &Lines, refuse: Refuse<'_>, tally: &mut Tally) -> Result<(), Undelivered> {
        let batch = self.shared.options.batch.max(1);
        let mut from = 0;
        while from < lines.len() {
            // Once the import is to end, what is begun is done: a piece half stored is stored again by the next one.
            let to = (from + batch).min(lines.len());
            self.shared.counters.in_flight.fetch_add(1, Relaxed);
            let stored = self.store(lines, from..to, refuse, tally);
            self.shared.counters.in_flight.fetch_sub(1, Relaxed);
            stored?;
            add(&self.shared.counters.batches, 1);
            from = to;
        }
        Ok(())
    }

    /// Stores the lines of a range; those that cannot be stored are found by halving.
    fn store(
        &mut self,
        lines: &Lines,
        Range { start: from, end: to }: Range<usize>,
        refuse: Refuse<'_>,
        tally: &mut Tally,
    ) -> Result<(), Undelivered> {
        let text = lines.slice(from, to);
        match self.try_patiently(&mut |session| Some(session.write(text)))? {
            None => Ok(()),
            Some(Ok(taken)) => {
                add(&self.shared.counters.points, ((to - from) - taken.refused.len()) as u64);
                self.count_filtered(taken.filtered, tally);
                refuse(taken.refused.into_iter().map(|(line, reason)| (from + line, reason)).collect())
            }
            Some(Err(reason)) if to - from == 1 => refuse(vec![(from, reason)]),
            Some(Err(_)) => {
                let middle = from + (to - from) / 2;
                self.store(lines, from..middle, refuse, tally)?;
                self.store(lines, middle..to, refuse, tally)
            }
        }
    }

    fn count_filtered(&self, count: u64, tally: &mut Tally) {
        add(&self.shared.counters.filtered, count);
        tally.filtered += count;
    }

    /// Tries until the store takes what is sent, or says that it never will: then the reason comes back. `None`: it was not sent.
    fn try_patiently<T>(&mut self, send: Send<'_, T>) -> Result<Option<Result<T, String>>, Undelivered> {
        let options = self.shared.options;
        let (mut tries, mut prepared) = (0, false);
        loop {
            tries += 1;
            let Some(sent) = send(&mut *self.session) else { return Ok(None) };
            let (message, retry_after) = match sent {
                Ok(taken) => return Ok(Some(Ok(taken))),
                Err(WriteError::Points { message, .. } | WriteError::TooLarge { message }) => {
                    return Ok(Some(Err(message)));
                }
                Err(WriteError::Denied { message }) => return Err(Undelivered::Failed(ImportError::Denied(message))),
                Err(WriteError::NoPlace { message }) if prepared => {
                    return Err(Undelivered::Failed(ImportError::Denied(message)));
                }
                Err(WriteError::NoPlace { message }) => {
                    prepared = true;
                    match self.shared.sink.prepare() {
                        Ok(()) => continue,
                        Err(error) if error.is_retryable() => (error.to_string(), None),
                        Err(error) => {
                            return Err(Undelivered::Failed(ImportError::Denied(format!("{message}; {error}"))));
                        }
                    }
                }
                Err(WriteError::Away { message }) => {
                    self.shared.was_away.store(true, Relaxed);
                    (message, None)
                }
                Err(WriteError::Busy { message, retry_after }) => (message, retry_after),
            };
            if tries > options.retries {
                return Err(Undelivered::Failed(ImportError::Store { tries, message }));
            }
            self.shared.note_trouble(&message);
            add(&self.shared.counters.retries, 1);
            let delay = self.delay(tries).max(retry_after.unwrap_or_default().min(options.max_delay));
            if self.shared.wait(delay) {
                return Err(Undelivered::Stopped);
            }
        }
    }

    /// The wait before the next try: doubled each time, with half of it up to chance so that workers do not come all at once.
    fn delay(&mut self, tries: u32) -> Duration {
        let options = self.shared.options;
        let full = options.delay.saturating_mul(1 << (tries - 1).min(16)).min(options.max_delay);
        // xorshift64 (Marsaglia, 2003).
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let share = (self.random >> 11) as f64 / (1u64 << 53) as f64;
        full.mul_f64(0.5 + share)
    }
}
