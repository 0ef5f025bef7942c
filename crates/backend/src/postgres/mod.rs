//! PostgreSQL, with TimescaleDB's features where the extension is there.
