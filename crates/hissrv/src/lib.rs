//! The binary's inside: configuration, wiring of all rooms into a running node, commands.

pub mod cli;
mod commands;
pub mod config;
mod export;
mod http;
mod logging;
pub mod memory;
mod node;
