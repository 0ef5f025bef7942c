//! PostgreSQL: it has every type, and times to the microsecond.

use std::sync::OnceLock;

use backend::postgres::{Postgres, PostgresConfig};
use rig::Server;
use serde_json::json;

use super::remote::{Kind, remote};
use super::{Abilities, Subject};

static KIND: Kind = Kind {
    product: "PostgreSQL",
    tells_version: true,
    server: rig::postgres,
    at: |url, timeout| {
        let settings = json!({"url": url, "timeout": format!("{}ms", timeout.as_millis())});
        let config: PostgresConfig = serde_json::from_value(settings).unwrap();
        Box::new(Postgres::new(&config).unwrap())
    },
    keeps: |value| Some(value),
    abilities: || Abilities { grain_ns: 1_000, ..Abilities::default() },
    make_visible: |_| {},
};

/// A real PostgreSQL.
pub(crate) fn postgres() -> impl Subject {
    static SERVER: OnceLock<Server> = OnceLock::new();
    remote(&KIND, &SERVER)
}
