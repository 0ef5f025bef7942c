//! The TimescaleDB extension, where it is installed: tables become hypertables, and it makes, compresses and drops their partitions
//! itself. Its functions are called by the schema that it is installed in.

use std::time::Duration;

use postgres::error::SqlState;
use postgres::{Client, GenericClient};

use super::connector::Timescale;
use super::error::Failure;
use super::names::Relation;

/// Partitions that stay uncompressed, since late points go there.
const UNCOMPRESSED: u32 = 7;

/// What one statement needs: its text and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) sql: String,
    pub(super) parameters: Vec<String>,
}

impl Call {
    fn new(sql: String, parameters: &[&str]) -> Self {
        Self { sql, parameters: parameters.iter().map(|&text| text.to_owned()).collect() }
    }

    pub(super) fn run(&self, client: &mut impl GenericClient) -> Result<(), Failure> {
        let parameters: Vec<&(dyn postgres::types::ToSql + Sync)> =
            self.parameters.iter().map(|text| text as &(dyn postgres::types::ToSql + Sync)).collect();
        client.execute(&self.sql, &parameters)?;
        Ok(())
    }
}

/// Makes a hypertable of an empty table.
pub(super) fn hypertable(extension: &Timescale, table: &Relation, width: Duration) -> Call {
    let sql = format!(
        "SELECT {}.create_hypertable($1::text::regclass, 'time', chunk_time_interval => $2::text::interval, \
         create_default_indexes => false, if_not_exists => true)",
        extension.schema
    );
    Call::new(sql, &[&table.to_string(), &interval(width)])
}

/// Lets partitions be compressed some time after their end, series by series.
pub(super) fn compression(extension: &Timescale, table: &Relation, width: Duration) -> [Call; 2] {
    let set = format!(
        "ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = 'series', \
         timescaledb.compress_orderby = 'time')"
    );
    let policy = format!(
        "SELECT {}.add_compression_policy($1::text::regclass, compress_after => $2::text::interval, if_not_exists => true)",
        extension.schema
    );
    let after = width.saturating_mul(UNCOMPRESSED);
    [Call::new(set, &[]), Call::new(policy, &[&table.to_string(), &interval(after)])]
}

/// Lets partitions be compressed; the edition without that feature does without it.
pub(super) fn compress(client: &mut Client, extension: &Timescale, table: &Relation, width: Duration) {
    for call in compression(extension, table, width) {
        let outcome = call.run(client);
        if let Err(failure) = outcome {
            let is_lesser_edition = failure.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED);
            let error = failure.into_write_error("");
            if is_lesser_edition {
                tracing::info!(%table, %error, "this edition of TimescaleDB does not compress");
            } else {
                tracing::warn!(%table, %error, "TimescaleDB does not compress a table");
            }
            return;
        }
    }
}

/// Whether the table of this schema and name has a retention policy, and whether it is the one wanted (null: none).
pub(super) const RETENTION: &str = "SELECT count(*) > 0, \
     coalesce(bool_and((config ->> 'drop_after')::interval = $3::text::interval), $3::text IS NULL) \
     FROM timescaledb_information.jobs \
     WHERE proc_name = 'policy_retention' AND hypertable_schema = $1 AND hypertable_name = $2";

/// Lets partitions be dropped some time after their end.
pub(super) fn retention(extension: &Timescale, table: &Relation, duration: Duration) -> Call {
    let sql = format!(
        "SELECT {}.add_retention_policy($1::text::regclass, drop_after => $2::text::interval)",
        extension.schema
    );
    Call::new(sql, &[&table.to_string(), &interval(duration)])
}

/// Lets partitions stay.
pub(super) fn drop_retention(extension: &Timescale, table: &Relation) -> Call {
    let sql = format!("SELECT {}.remove_retention_policy($1::text::regclass, if_exists => true)", extension.schema);
    Call::new(sql, &[&table.to_string()])
}

/// A length of time as PostgreSQL reads it.
pub(super) fn interval(length: Duration) -> String {
    format!("{} microseconds", length.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::names::Ident;

    const DAY: Duration = Duration::from_hours(24);

    fn extension() -> Timescale {
        Timescale { schema: Ident::known("public".to_owned()), version: "2.11.2".to_owned() }
    }

    fn table() -> Relation {
        Relation::new(&Ident::known("telemetry".to_owned()), Ident::known("measurement".to_owned()))
    }

    #[test]
    fn a_table_becomes_a_hypertable_with_chunks_of_a_partitions_length() {
        let call = hypertable(&extension(), &table(), DAY);
        assert_eq!(
            call.sql,
            "SELECT \"public\".create_hypertable($1::text::regclass, 'time', chunk_time_interval => $2::text::interval, \
             create_default_indexes => false, if_not_exists => true)"
        );
        assert_eq!(call.parameters, ["\"telemetry\".\"measurement\"", "86400000000 microseconds"]);
    }

    #[test]
    fn chunks_are_compressed_by_series_once_they_are_a_week_old() {
        let [set, policy] = compression(&extension(), &table(), DAY);
        assert_eq!(
            set.sql,
            "ALTER TABLE \"telemetry\".\"measurement\" SET (timescaledb.compress, timescaledb.compress_segmentby = 'series', \
             timescaledb.compress_orderby = 'time')"
        );
        assert_eq!(policy.parameters, ["\"telemetry\".\"measurement\"", "604800000000 microseconds"]);
    }

    #[test]
    fn a_retention_policy_is_replaced_by_a_new_one() {
        let add = retention(&extension(), &table(), DAY * 30);
        let sql = "SELECT \"public\".add_retention_policy($1::text::regclass, drop_after => $2::text::interval)";
        assert_eq!(add.sql, sql);
        assert_eq!(add.parameters, ["\"telemetry\".\"measurement\"", "2592000000000 microseconds"]);
        let drop = drop_retention(&extension(), &table());
        assert_eq!(drop.sql, "SELECT \"public\".remove_retention_policy($1::text::regclass, if_exists => true)");
    }
}
