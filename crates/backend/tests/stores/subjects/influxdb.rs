//! InfluxDB 1.x: it has everything but unsigned integers; those that fit are written as integers.

use std::sync::OnceLock;

use backend::influxdb::{InfluxDb, InfluxdbConfig};
use model::FieldValue;
use rig::Server;
use serde_json::json;

use super::remote::{Kind, remote};
use super::{Abilities, Subject};

static KIND: Kind = Kind {
    product: "InfluxDB",
    tells_version: true,
    server: rig::influxdb,
    at: |url, timeout| {
        let settings = json!({"url": url, "timeout": format!("{}ms", timeout.as_millis())});
        let config: InfluxdbConfig = serde_json::from_value(settings).unwrap();
        Box::new(InfluxDb::new(&config).unwrap())
    },
    keeps: |value| match value {
        FieldValue::Unsigned(v) => i64::try_from(v).ok().map(FieldValue::Integer),
        other => Some(other),
    },
    abilities: || Abilities {
        // Its line protocol reads a backslash before these always as an escape; in tags it does not.
        takes_name: |name| !["\\,", "\\ ", "\\="].iter().any(|escape| name.contains(escape)),
        ..Abilities::default()
    },
    make_visible: |_| {},
};

/// A real InfluxDB 1.x.
pub(crate) fn influxdb() -> impl Subject {
    static SERVER: OnceLock<Server> = OnceLock::new();
    remote(&KIND, &SERVER)
}
