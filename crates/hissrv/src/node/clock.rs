//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use model::TimestampNs;

/// Now, as the system's clock has it.
pub(crate) fn now() -> TimestampNs {
    let ns = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX - 1),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN + 1, |ns| -ns),
    };
    TimestampNs(ns)
}
