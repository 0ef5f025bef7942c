//! For tests only: the real servers (InfluxDB, VictoriaMetrics, PostgreSQL), started on free loopback ports with a temporary
//! data directory, killed, paused, restarted, and stopped with the test. What goes wrong here panics: that is how a test hears of it.
#![expect(clippy::expect_used, reason = "for tests only: a panic is how a test hears of it")]

mod influxdb;
mod postgres;
mod victoriametrics;

mod server;

mod guard;
mod http;
mod port;
mod process;

pub use http::{encode, http_get, http_post};
pub use influxdb::{influxdb, influxdb_with};
pub use postgres::postgres;
pub use server::Server;
pub use victoriametrics::{victoriametrics, victoriametrics_with};
