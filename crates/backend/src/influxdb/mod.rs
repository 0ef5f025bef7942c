//! InfluxDB 1.x, 2.x and 3.x.

#[allow(dead_code, unused_imports, reason = "the stores to come use it")]
pub(crate) mod query;
