//! PostgreSQL as a subject.

use std::sync::OnceLock;
use std::time::Duration;

use backend::RemoteStore;
use backend::postgres::{Postgres, PostgresConfig};
use model::HumanDuration;
use rig::Server;

use super::remote::{Kind, remote};
use super::{Abilities, Subject};

static KIND: Kind = Kind {
    product: "PostgreSQL ",
    server: rig::postgres,
    at: connect,
    keeps: |value| Some(value),
    abilities: || Abilities { grain_ns: 1000, ..Abilities::default() },
    make_visible: |_| {},
};

/// An empty schema of the PostgreSQL that the tests share.
pub(crate) fn postgres() -> impl Subject {
    static SHARED: OnceLock<Server> = OnceLock::new();
    remote(&KIND, &SHARED)
}

fn connect(url: &str, timeout: Duration) -> Box<dyn RemoteStore> {
    let timeout = HumanDuration(timeout);
    Box::new(Postgres::new(&PostgresConfig { url: url.into(), timeout, ..PostgresConfig::default() }).unwrap())
}
