//! A plan as CSV or Parquet: series by series, of one measurement.

use std::io::Write;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Context, anyhow};
use formats::{CsvTimes, CsvWriter, Output, Packing, ParquetWriter, Table, Writer};
use generate::{Order, Plan, Series};
use import::FileFormat;
use model::key::SeriesKey;
use model::{FieldType, FieldValue, TimestampNs};

use super::STOP;
use super::file::show;
use crate::cli::Failure;
use crate::commands::progress::Progress;

/// Rows that are handed on at a time.
const ROWS: u64 = 10_000;
const VALUE: (&str, FieldType) = ("value", FieldType::Float);
const UNIT: (&str, FieldType) = ("unit", FieldType::String);

/// Refuses a plan of several measurements.
pub(super) fn check(plan: &Plan) -> Result<(), Failure> {
    let names: Vec<&str> = plan.series().iter().map(measurement).collect();
    match names.first().is_some_and(|first| names.iter().all(|name| name == first)) {
        true => Ok(()),
        false => Err(Failure::Usage(
            "a CSV or Parquet file holds one measurement: name nodes of one type (--vm 100) or data points of one (--types m), or write \
             line protocol (.lp)"
                .to_owned(),
        )),
    }
}

/// Writes the points, series by series; `points` counts them.
pub(super) fn write(
    plan: &Plan,
    to: Box<dyn Write + Send>,
    (format, packing): (FileFormat, Packing),
    points: &mut u64,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let table = table(plan)?;
    let mut writer: Box<dyn Writer> = match format {
        // It packs by itself.
        FileFormat::Parquet => Box::new(ParquetWriter::new(Output::new(to, Packing::Plain)?, table)?),
        _ => Box::new(CsvWriter::new(Output::new(to, packing)?, table, CsvTimes::Rfc3339)),
    };
    for (number, series) in plan.series().iter().enumerate() {
        if STOP.load(Relaxed) {
            break;
        }
        *points += one(plan, number as u64, series, &mut *writer)?;
        show(progress, *points);
    }
    writer.finish()?;
    Ok(())
}

/// Writes a series; gives the number of its points.
fn one(plan: &Plan, number: u64, series: &Series, writer: &mut dyn Writer) -> anyhow::Result<u64> {
    let unit = series.unit_field();
    let fields = [VALUE, UNIT];
    writer.series(
        SeriesKey::parse(series.key().as_bytes())?,
        fields.get(..1 + usize::from(unit.is_some())).unwrap_or(&fields),
    )?;
    let (mut position, end) = (number * plan.ticks(), (number + 1) * plan.ticks());
    while position < end {
        let until = (position + ROWS).min(end);
        let (times, values): (Vec<TimestampNs>, Vec<_>) =
            plan.samples(Order::BySeries, position..until).map(|s| (s.time, Some(FieldValue::Float(s.value)))).unzip();
        match unit {
            Some(unit) => writer.rows(&times, &[&values, &vec![Some(FieldValue::String(unit)); times.len()]])?,
            None => writer.rows(&times, &[&values])?,
        }
        position = until;
    }
    Ok(plan.ticks())
}

fn table(plan: &Plan) -> anyhow::Result<Table> {
    let first = plan.series().first().context("a plan has series")?;
    let key = SeriesKey::parse(first.key().as_bytes()).map_err(|e| anyhow!("{e}"))?;
    let tags = key.tags().map(|(name, _)| name.into_owned()).collect();
    let owned = |(name, kind): (&str, FieldType)| (name.to_owned(), kind);
    let fields = [Some(VALUE), first.unit_field().map(|_| UNIT)].into_iter().flatten().map(owned).collect();
    Ok(Table::new(measurement(first).to_owned(), tags, fields))
}

fn measurement(series: &Series) -> &str {
    series.key().split(',').next().unwrap_or_default()
}
