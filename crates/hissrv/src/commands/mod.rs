//! One file a command.

pub(crate) mod check_config;
mod client;
pub(crate) mod dead_letter;
pub(crate) mod demo;
pub(crate) mod query;
pub(crate) mod retention;
pub(crate) mod run;
mod service;
pub(crate) mod status;
pub(crate) mod store;
mod table;
pub(crate) mod verify;
