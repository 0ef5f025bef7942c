//! A sink that keeps nothing: for trying how files are read.

use backend::WriteError;

use super::{Sink, SinkSession, Taken};

/// Takes everything and keeps nothing.
pub struct Nowhere;

impl Sink for Nowhere {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(Self)
    }

    fn prepare(&self) -> Result<(), WriteError> {
        Ok(())
    }
}

impl SinkSession for Nowhere {
    fn write(&mut self, _lines: &[u8]) -> Result<Taken, WriteError> {
        Ok(Taken::default())
    }
}
