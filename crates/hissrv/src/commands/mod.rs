//! One file a command.

mod address;
pub(crate) mod alerts;
pub(crate) mod archive;
pub(crate) mod check_config;
mod client;
pub(crate) mod dead_letter;
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod import;
mod progress;
pub(crate) mod query;
mod restore;
pub(crate) mod retention;
pub(crate) mod run;
mod same_file;
mod service;
mod signals;
pub(crate) mod status;
pub(crate) mod store;
mod table;
mod target;
pub(crate) mod verify;
