//! The HTTP server over real sockets, spoken to in raw HTTP/1.1, with a historian that only pretends.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy exempts only the test functions"
)]

mod client;
mod export;
mod fake;
mod garbage;
mod influxql;
mod lifecycle;
mod limits;
mod reading;
mod statements;
mod writing;
