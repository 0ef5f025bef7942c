//! VictoriaMetrics, a single node or a cluster. What it keeps: numbers as floats of about 12 digits (booleans as 1 and 0),
//! times in milliseconds from 1970 on, one retention for all data. What it does not: texts, which are left out and counted.
//!
//! A field is a metric of the name `measurement_field`, tags are its labels; the database is the label `db`, and a retention policy
//! that is not the default one is the label `rp`. Names are VictoriaMetrics' own for line protocol, so that dashboards made for it fit;
//! the price is that of `a_b_c` nobody can say whether `a` or `a_b` is the measurement (`names`).
//! Points are in memory there for up to ten seconds after they were taken, so a crash may lose them ([`crate::Write::durable_after`]).

mod config;

mod address;
mod client;
mod facts;

mod names;
mod rules;

mod encode;
mod plain;

mod health;
mod manage;
mod query;
mod store;

pub use config::VictoriaMetricsConfig;
pub use store::VictoriaMetrics;

#[cfg(test)]
mod tests;
