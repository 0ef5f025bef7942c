//! A store in another process as a sink.

use std::sync::Arc;
use std::time::Duration;

use backend::{Destination, LinePoints, Points, RemoteStore, Session, Wanted, WriteError};
use model::line::Run;

use super::{Forgetful, Sink, SinkSession, Taken};

/// A store in another process, and the place in it that points go to.
pub struct StoreSink {
    store: Arc<dyn RemoteStore>,
    place: Destination,
    wanted: Wanted,
}

impl StoreSink {
    /// Points go to this place of the store; where that is missing there, `wanted` is made.
    pub fn new(store: Arc<dyn RemoteStore>, place: Destination, wanted: Wanted) -> Self {
        Self { store, place, wanted }
    }
}

impl Sink for StoreSink {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(StoreSession { session: self.store.session(), place: &self.place })
    }

    fn prepare(&self) -> Result<(), WriteError> {
        self.store.keep_in_step(&self.wanted).map(drop)
    }

    fn forgetful(&self) -> Option<&dyn Forgetful> {
        self.store.answers_from_memory().then_some(self)
    }
}

impl Forgetful for StoreSink {
    fn durable_after(&self) -> Duration {
        self.store.durable_after()
    }

    fn incarnation(&self) -> Result<Option<String>, WriteError> {
        self.store.probe().map(|probe| probe.incarnation)
    }

    fn make_durable(&self) -> bool {
        self.store.make_durable()
    }
}

struct StoreSession<'s> {
    session: Box<dyn Session>,
    place: &'s Destination,
}

impl SinkSession for StoreSession<'_> {
    fn write(&mut self, lines: &[u8]) -> Result<Taken, WriteError> {
        match self.session.write_lines(self.place, lines) {
            Some(Ok(())) => return Ok(Taken::default()),
            // What the store has no type for is left out or changed when the values are written one by one.
            None | Some(Err(WriteError::Points { .. })) => {}
            Some(Err(error)) => return Err(error),
        }
        let points = LinePoints::new(self.place.clone(), lines);
        let written = self.session.write(&points, 0..points.len())?;
        Ok(Taken { filtered: written.filtered, refused: Vec::new() })
    }

    fn write_unchecked(&mut self, text: &[u8], most: usize) -> Option<Result<(Run, Taken), WriteError>> {
        Some(self.session.write_first_lines(self.place, text, most)?.map(|run| (run, Taken::default())))
    }
}
