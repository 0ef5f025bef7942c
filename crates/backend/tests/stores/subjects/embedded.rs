//! The embedded engine as a subject: it is held to its own promises.

use backend::{Destination, PointList, StorageBackend, WriteError, Written};

use super::{Subject, fresh_place};
use crate::embedded::Plant;

struct EmbeddedSubject {
    plant: Plant,
    place: Destination,
}

/// An empty embedded engine.
pub(crate) fn embedded() -> impl Subject {
    let subject = EmbeddedSubject { plant: Plant::new(), place: fresh_place() };
    subject.plant.make(&subject.place);
    subject
}

impl Subject for EmbeddedSubject {
    fn backend(&self) -> &dyn StorageBackend {
        &self.plant.store
    }

    fn place(&self) -> &Destination {
        &self.place
    }

    fn write(&self, points: &PointList) -> Result<Written, WriteError> {
        match self.plant.write(points) {
            0 => Ok(Written::default()),
            rejected => {
                let message = format!("{rejected} points contradict their field's type or the range of times");
                Err(WriteError::points(message))
            }
        }
    }
}
