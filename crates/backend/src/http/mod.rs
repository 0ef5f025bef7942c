//! HTTP to a store: one agent a store, with its connections, its login, its timeouts and its TLS.
