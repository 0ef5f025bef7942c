//! One writer's way into PostgreSQL: a connection of its own, which opens with the first write and again when it was lost.

use std::ops::Range;
use std::sync::Arc;

use super::Shared;
use super::client::Link;
use super::connector::Purpose;
use super::encode::Batch;
use super::write;
use crate::{Points, Session, WriteError, Written};

/// A session of a PostgreSQL store.
pub(super) struct PostgresSession {
    shared: Arc<Shared>,
    link: Link,
}

impl PostgresSession {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), link: Link::new(&shared.connector, Purpose::Work) }
    }
}

impl Session for PostgresSession {
    fn write(&mut self, points: &dyn Points, range: Range<usize>) -> Result<Written, WriteError> {
        let batch = Batch::read(points, range)?;
        let (shared, to) = (Arc::clone(&self.shared), points.place().clone());
        let outcome = self.link.run(move |conversation| write::write(conversation, &shared, &to, &batch));
        outcome.map_err(|failure| failure.into_write_error(self.shared.connector.at()))?;
        Ok(Written::default())
    }
}
