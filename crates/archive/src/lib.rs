//! Days of the embedded store as Parquet files, in a folder or in an S3-compatible store: one file a day and measurement, with a
//! manifest beside it. DuckDB, pandas and the like read them; hissrv reads them back.
//!
//! A day is archived once it is over and a delay has passed; a day that is written to later is archived again. [`Ledger`] is told of
//! every write before its sender is, so no late value is missed. The archive only grows: what an older file of the same day has
//! and the store has no more stays in the new one. Not here: what is deleted when (`pipeline`), files that others have made.

mod config;
mod day;
mod days;
mod error;
mod manifest;
mod names;
mod rows;
mod schedule;
mod union;

mod table;

mod target;

mod archive;
mod restore;

mod archiver;
mod ledger;
mod source;

pub use archive::{Archive, Finding, Selection};
pub use archiver::{Archiver, ArchiverStatus, Failure, RunReport, Scope};
pub use config::{ArchiveConfig, ConfigError, Place, S3Config};
pub use day::Day;
pub use error::Error;
pub use ledger::Ledger;
pub use manifest::{Column, Content, Manifest, Role};
pub use restore::{Restored, RestoredPoint, restore_file};
pub use schedule::Schedule;

/// What time it is.
pub type Clock = std::sync::Arc<dyn Fn() -> model::TimestampNs + Send + Sync>;
