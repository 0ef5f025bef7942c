//! From the store to the archive and back.

mod support;

mod changes;
mod crash;
mod days;
mod duckdb;
mod faults;
mod identity;
mod moto;
mod thread;
