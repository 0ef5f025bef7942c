//! Rollups as continuous aggregates of TimescaleDB: one for each measurement that has the fields, in the schema of the target, for
//! people and their tools. Without the extension PostgreSQL computes none.

use std::time::Duration;

use super::connector::{Open, Timescale};
use super::error::Failure;
use super::known::PlaceName;
use super::names::{Ident, Relation};
use super::schema::Names;
use super::timescale::{Call, interval};
use super::{partitions, places};
use crate::{Rollup, RollupColumn, Step};

/// How many intervals back are computed again, for late points.
const LATE: u32 = 30;

/// Makes the aggregates that are missing.
pub(super) fn keep_in_step(open: &mut Open, rollup: &Rollup) -> Result<Vec<Step>, Failure> {
    let Some(extension) = open.peer.timescale.clone() else {
        return Ok(vec![Step::Impossible(format!(
            "rollup \"{}\": PostgreSQL computes none without the TimescaleDB extension",
            rollup.name
        ))]);
    };
    let place = |policy: &str| PlaceName { database: rollup.database.clone(), policy: policy.to_owned() };
    let source = places::find(&mut open.client, &place(&rollup.source))?;
    let target = places::find(&mut open.client, &place(&rollup.target))?;
    let Some((source, target)) = source.zip(target) else { return Ok(Vec::new()) };
    let mut steps = Vec::new();
    for (measurement, table) in partitions::tables(&mut open.client, &source)? {
        let view = Relation::new(&target, Ident::rollup(&measurement, &rollup.name));
        let exists = open.client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&view.to_string()])?;
        let names = Names::read(&mut open.client, &source, &measurement)?;
        if exists.try_get(0)? || !has_fields(&names, &rollup.columns) {
            continue;
        }
        steps.push(match make(open, &extension, &view, &table, &names, rollup) {
            Ok(()) => Step::Done(format!("continuous aggregate {view} for rollup \"{}\" created", rollup.name)),
            Err(why) => Step::Impossible(format!("rollup \"{}\" of \"{measurement}\": {why}", rollup.name)),
        });
    }
    Ok(steps)
}

fn has_fields(names: &Names, columns: &[RollupColumn]) -> bool {
    columns.iter().all(|column| names.fields.iter().any(|field| field.name == column.field))
}

fn make(
    open: &mut Open,
    extension: &Timescale,
    view: &Relation,
    table: &Relation,
    names: &Names,
    rollup: &Rollup,
) -> Result<(), String> {
    let calls = calls(extension, view, table, names, rollup)?;
    calls
        .iter()
        .try_for_each(|call| call.run(&mut open.client))
        .map_err(|failure| failure.into_write_error("").to_string())
}

/// What makes an aggregate and keeps it up to date.
fn calls(
    extension: &Timescale,
    view: &Relation,
    table: &Relation,
    names: &Names,
    rollup: &Rollup,
) -> Result<[Call; 2], String> {
    let width = super::places::literal(&interval(rollup.interval));
    let mut columns = String::new();
    for column in &rollup.columns {
        columns += &format!(", {} AS {}", function(extension, names, column)?, Ident::column(&column.alias));
    }
    let make = format!(
        "CREATE MATERIALIZED VIEW {view} WITH (timescaledb.continuous) AS \
         SELECT {}.time_bucket(INTERVAL {width}, time) AS time, series{columns} FROM {table} GROUP BY 1, 2 WITH NO DATA",
        extension.schema
    );
    let keep = format!(
        "SELECT {}.add_continuous_aggregate_policy($1::text::regclass, start_offset => $2::text::interval, \
         end_offset => $3::text::interval, schedule_interval => $3::text::interval, if_not_exists => true)",
        extension.schema
    );
    let back: Duration = rollup.interval.saturating_mul(LATE);
    let parameters = vec![view.to_string(), interval(back), interval(rollup.interval)];
    Ok([Call { sql: make, parameters: Vec::new() }, Call { sql: keep, parameters }])
}

/// A function of InfluxQL in SQL.
fn function(extension: &Timescale, names: &Names, column: &RollupColumn) -> Result<String, String> {
    let field = names.fields.iter().find(|field| field.name == column.field);
    let of = field.map(|field| field.field.column.to_string()).unwrap_or_default();
    Ok(match column.function.as_str() {
        "mean" => format!("avg({of})"),
        "stddev" => format!("stddev_samp({of})"),
        "spread" => format!("max({of}) - min({of})"),
        "count" | "sum" | "min" | "max" => format!("{}({of})", column.function),
        "first" | "last" => {
            format!("{}.{}({of}, time) FILTER (WHERE {of} IS NOT NULL)", extension.schema, column.function)
        }
        other => return Err(format!("TimescaleDB's aggregates have no {other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::known::Field;
    use crate::postgres::schema::NamedField;
    use model::FieldType;

    fn rollup(functions: &[&str]) -> Rollup {
        let column = |function: &&str| RollupColumn {
            function: (*function).to_owned(),
            field: "value".to_owned(),
            alias: format!("{function} of value"),
        };
        Rollup {
            name: "hourly".to_owned(),
            database: "telemetry".to_owned(),
            source: "autogen".to_owned(),
            target: "hourly".to_owned(),
            interval: Duration::from_hours(1),
            columns: functions.iter().map(column).collect(),
        }
    }

    fn calls_of(rollup: &Rollup) -> Result<[Call; 2], String> {
        let extension = Timescale { schema: Ident::known("public".to_owned()), version: "2.11.2".to_owned() };
        let source = Relation::new(&Ident::schema("telemetry", None), Ident::table("measurement"));
        let target = Ident::schema("telemetry", Some("hourly"));
        let view = Relation::new(&target, Ident::rollup("measurement", &rollup.name));
        let field = Field { column: Ident::column("value"), kind: FieldType::Float };
        let names =
            Names { fields: vec![NamedField { name: "value".to_owned(), field, shown: None }], ..Names::default() };
        calls(&extension, &view, &source, &names, rollup)
    }

    #[test]
    fn a_rollup_becomes_a_continuous_aggregate_that_is_refreshed() {
        let [make, keep] = calls_of(&rollup(&["mean", "last"])).unwrap();
        assert_eq!(
            make.sql,
            "CREATE MATERIALIZED VIEW \"telemetry/hourly\".\"measurement_hourly_rollup\" WITH (timescaledb.continuous) AS \
             SELECT \"public\".time_bucket(INTERVAL '3600000000 microseconds', time) AS time, series, \
             avg(\"value\") AS \"mean of value\", \
             \"public\".last(\"value\", time) FILTER (WHERE \"value\" IS NOT NULL) AS \"last of value\" \
             FROM \"telemetry\".\"measurement\" GROUP BY 1, 2 WITH NO DATA"
        );
        assert!(keep.sql.starts_with("SELECT \"public\".add_continuous_aggregate_policy($1::text::regclass,"));
        assert_eq!(keep.parameters[1..], ["108000000000 microseconds", "3600000000 microseconds"]);
    }

    #[test]
    fn a_function_without_counterpart_is_said_to_be_impossible() {
        assert!(calls_of(&rollup(&["mode"])).unwrap_err().contains("no mode"));
    }
}
