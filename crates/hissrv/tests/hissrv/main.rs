//! What the whole program promises, tried on the real binary: processes are started, killed and asked over HTTP, beside a real
//! redis-server where Redis is part of the promise. Every wait has a deadline; every random choice comes from a printed seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

mod support;

mod kill9;
mod stop;

mod forms;
mod outages;

mod corruption;
mod disk_full;

mod alerts;
mod archive;
mod cli;
mod demo;
mod events;
mod export;
mod generate;
mod http;
mod import;
mod import_events;
mod plots;
mod real_data;
mod retention;
mod rollups;
mod spread;
mod spread_deaths;

mod clients;
mod conformance;

mod remote;
