//! Stores in other processes: the real InfluxDB, VictoriaMetrics and PostgreSQL, fed by the real binary.

mod peers;

mod chain;
mod dead_letters;
mod imports;
mod outages;
mod rollups;
mod seed;
mod switching;
mod token;
