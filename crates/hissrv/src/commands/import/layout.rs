//! How files are read, by the command line.

use formats::{CsvOptions, LineOptions, Mapping, Measurement, TimeOptions, Twice, Unit};
use import::Layout;

use crate::cli::{ImportArgs, TableArgs, WhichOfTwo};

/// How files of each format are read.
pub(super) fn layout(args: &ImportArgs) -> Layout {
    Layout { lines: LineOptions { precision: args.precision.as_deref().map(unit), now: None }, csv: csv(&args.table) }
}

fn unit(name: &str) -> Unit {
    match name {
        "us" => Unit::Us,
        "ms" => Unit::Ms,
        "s" => Unit::S,
        _ => Unit::Ns,
    }
}

const fn twice(which: WhichOfTwo) -> Twice {
    match which {
        WhichOfTwo::Earlier => Twice::Earlier,
        WhichOfTwo::Later => Twice::Later,
        WhichOfTwo::Reject => Twice::Reject,
    }
}

fn csv(table: &TableArgs) -> CsvOptions {
    CsvOptions {
        delimiter: table.delimiter,
        header: table.no_header.then_some(false),
        columns: table.columns.clone(),
        skip_lines: table.skip_lines,
        comment: table.comment.clone(),
        mapping: mapping(table),
        ..CsvOptions::default()
    }
}

fn mapping(table: &TableArgs) -> Mapping {
    let defaults = Mapping::default();
    let named = table.measurement.clone().map(Measurement::Named);
    let some = |names: &[String]| (!names.is_empty()).then(|| names.to_vec());
    Mapping {
        measurement: named.or_else(|| table.measurement_column.clone().map(Measurement::Column)),
        time: TimeOptions {
            columns: table.time.clone(),
            format: table.time_format.clone(),
            zone: table.time_zone.clone(),
            twice: twice(table.twice),
        },
        tags: some(&table.tags),
        fields: (!table.fields.is_empty()).then(|| table.fields.clone()),
        ignore: table.ignore.clone(),
        rename: table.rename.iter().cloned().collect(),
        layout: table.columns_as.clone(),
        decimal: table.decimal,
        thousands: table.thousands,
        nulls: some(&table.nulls).unwrap_or(defaults.nulls),
        value_field: defaults.value_field,
    }
}
