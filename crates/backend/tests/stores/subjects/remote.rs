//! What the stores in other processes have in common as subjects. The tests of one process share a server of each kind, and each
//! has a database of its own in it; the server ends with the process.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use backend::{Destination, PointList, Points as _, RemoteStore, Session, StorageBackend, WriteError, Written};
use model::FieldValue;
use rig::Server;

use super::{Abilities, Remote, Subject, fresh_place, wanted};

/// Longer than a busy machine needs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One kind of store, as the tests see it.
pub(crate) struct Kind {
    /// What its probe says first, such as `InfluxDB`.
    pub(crate) product: &'static str,
    /// The version follows; else that is not sure.
    pub(crate) tells_version: bool,
    /// Starts a server.
    pub(crate) server: fn() -> Server,
    /// A store at this URL with this timeout.
    pub(crate) at: fn(&str, Duration) -> Box<dyn RemoteStore>,
    /// As in [`Subject`].
    pub(crate) keeps: for<'v> fn(FieldValue<'v>) -> Option<FieldValue<'v>>,
    /// As in [`Subject`].
    pub(crate) abilities: fn() -> Abilities,
    /// Waits until what was written can be asked for.
    pub(crate) make_visible: fn(&Server),
}

struct RemoteSubject {
    kind: &'static Kind,
    server: &'static Server,
    store: Box<dyn RemoteStore>,
    session: Mutex<Box<dyn Session>>,
    place: Destination,
}

/// A store of this kind with an empty database; `shared` is where its server stands.
pub(super) fn remote(kind: &'static Kind, shared: &'static OnceLock<Server>) -> impl Subject {
    let server = shared.get_or_init(kind.server);
    let store = (kind.at)(&server.url(), TIMEOUT);
    let place = fresh_place();
    store.keep_in_step(&wanted(&place)).expect("make a database");
    let session = Mutex::new(store.session());
    RemoteSubject { kind, server, store, session, place }
}

impl Subject for RemoteSubject {
    fn backend(&self) -> &dyn StorageBackend {
        &*self.store
    }

    fn place(&self) -> &Destination {
        &self.place
    }

    fn write(&self, points: &PointList) -> Result<Written, WriteError> {
        let outcome = self.session.lock().unwrap().write(points, 0..points.len());
        (self.kind.make_visible)(self.server);
        outcome
    }

    fn keeps<'v>(&self, value: FieldValue<'v>) -> Option<FieldValue<'v>> {
        (self.kind.keeps)(value)
    }

    fn abilities(&self) -> Abilities {
        (self.kind.abilities)()
    }

    fn remote(&self) -> Option<Remote<'_>> {
        Some(Remote { store: &*self.store, kind: self.kind, server: self.server })
    }
}
