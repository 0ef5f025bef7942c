//! VictoriaMetrics: numbers only, as floats, to the millisecond, from 1970 until two days from now.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use backend::victoriametrics::{VictoriaMetrics, VictoriaMetricsConfig};
use model::FieldValue;
use rig::Server;
use serde_json::json;

use super::remote::{Kind, remote};
use super::{Abilities, Subject};
use crate::data::{HOUR, MILLISECOND};

static KIND: Kind = Kind {
    product: "VictoriaMetrics",
    // Debian's build does not.
    tells_version: false,
    server: rig::victoriametrics,
    at: |url, timeout| {
        let settings = json!({"url": url, "timeout": format!("{}ms", timeout.as_millis())});
        let config: VictoriaMetricsConfig = serde_json::from_value(settings).unwrap();
        Box::new(VictoriaMetrics::new(&config).unwrap())
    },
    keeps: |value| match value {
        FieldValue::Float(v) => Some(FieldValue::Float(v)),
        FieldValue::Integer(v) => Some(FieldValue::Float(v as f64)),
        FieldValue::Unsigned(v) => Some(FieldValue::Float(v as f64)),
        FieldValue::Boolean(v) => Some(FieldValue::Float(f64::from(u8::from(v)))),
        FieldValue::String(_) => None,
    },
    abilities: || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
        Abilities {
            grain_ns: MILLISECOND,
            times: MILLISECOND..=now + 47 * HOUR,
            types: false,
            // Smaller than a thousandth of a billionth it is 0; VictoriaMetrics keeps decimal fractions.
            error: 1e-12,
            minus_zero: false,
            // It reads a quote in a field key as the start of a text.
            takes_name: |name| !name.contains('"'),
            joins_names: true,
            // Which of them comes first when blocks are merged is not determined.
            overwrites: false,
            ..Abilities::default()
        }
    },
    // What came in during the last second is not found otherwise.
    make_visible: |server| drop(rig::http_get(&format!("{}/internal/force_flush", server.url()))),
};

/// A real VictoriaMetrics.
pub(crate) fn victoriametrics() -> impl Subject {
    static SERVER: OnceLock<Server> = OnceLock::new();
    remote(&KIND, &SERVER)
}
