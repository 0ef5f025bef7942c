//! Redis: the protocol, connections, subscribing and polling.

pub mod endpoint;
pub mod resp;
