//! Alerts with real receivers: an HTTP server at a socket, a mail server in a process of its own; both go down and come back.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may end where it stands"
)]

mod email;
mod evaluator;
mod http;
mod killed;
mod smtp;
mod support;
mod webhook;
