//! Stored points to a file: measurement by measurement, series by series, in the order of their keys.

use catalog::Catalog;
use formats::{Output, Writer};
use model::key::SeriesKey;
use model::{MeasurementId, TimeRange};
use query::Cancel;
use server::{ApiError, ErrorKind};

use super::plan::{Column, Plan, Planned};
use super::question::{Format, Selection, wrong};
use super::rows::Reader;
use super::{Summary, failed, unknown, writer};
use crate::node::{Node, now};

/// Names listed in a message.
const NAMES_SHOWN: usize = 5;

/// A measurement that is meant.
struct Found {
    id: MeasurementId,
    name: String,
    /// What of the range its policy keeps.
    range: TimeRange,
}

/// Writes the points of a selection.
pub(super) fn export(
    node: &Node,
    selection: &Selection,
    format: Format,
    cancel: &Cancel,
    to: Output,
) -> Result<Summary, ApiError> {
    let found = find(&node.catalog, selection)?;
    let first = match (format, found.as_slice()) {
        (_, []) => return Err(nothing(selection)),
        (Format::Lines, [first, ..]) | (_, [first]) => first,
        (_, several) => return Err(too_many(several)),
    };
    let plan = plan(node, selection, first, cancel)?;
    let mut export = Export {
        node,
        cancel,
        reader: Reader::new(&node.engine),
        writer: writer(format, plan.table(), to)?,
        left_out: 0,
    };
    export.measurement(&plan)?;
    for found in found.iter().skip(1) {
        export.measurement(&self::plan(node, selection, found, cancel)?)?;
    }
    export.finish()
}

fn find(catalog: &Catalog, selection: &Selection) -> Result<Vec<Found>, ApiError> {
    let policy = selection.policy.as_deref();
    let mut names = catalog.measurements_of(&selection.database, policy).map_err(unknown)?;
    names.retain(|name| selection.means(name));
    let mut found = Vec::new();
    for name in names {
        let bucket = catalog.bucket_for(&selection.database, policy, &name).map_err(unknown)?;
        let cutoff = catalog.policy_of(bucket).and_then(|policy| policy.cutoff(now()));
        let start = cutoff.map_or(selection.range.start, |cutoff| cutoff.max(selection.range.start));
        let range = TimeRange::new(start, selection.range.end.max(start));
        let id = catalog.read().measurement(bucket, &name);
        found.extend(id.map(|id| Found { id, name, range }));
    }
    Ok(found)
}

fn nothing(selection: &Selection) -> ApiError {
    let message = match selection.measurements.as_slice() {
        [] => format!("{} has no measurements there", selection.database),
        wanted => format!("{} has no measurement {}", selection.database, wanted.join(", ")),
    };
    ApiError::new(ErrorKind::NotFound, message)
}

fn too_many(found: &[Found]) -> ApiError {
    let names: Vec<&str> = found.iter().take(NAMES_SHOWN).map(|found| found.name.as_str()).collect();
    let more = if found.len() > NAMES_SHOWN { ", ..." } else { "" };
    let message = format!(
        "a CSV or Parquet file holds one measurement, and {} are meant: {}{more}",
        found.len(),
        names.join(", ")
    );
    wrong(message).with_hint("name one, or take format=lines")
}

fn plan(node: &Node, selection: &Selection, found: &Found, cancel: &Cancel) -> Result<Plan, ApiError> {
    let measurement = (found.id, found.name.as_str());
    Plan::new(&node.catalog, &node.engine, measurement, found.range, &selection.conditions(), cancel)
}

/// An export under way.
struct Export<'a> {
    node: &'a Node,
    cancel: &'a Cancel,
    reader: Reader<'a>,
    writer: Box<dyn Writer>,
    left_out: u64,
}

impl Export<'_> {
    fn measurement(&mut self, plan: &Plan) -> Result<(), ApiError> {
        for series in &plan.series {
            let columns = plan.columns(&self.node.catalog, series);
            self.series(plan.range, series, &columns)?;
        }
        Ok(())
    }

    fn series(&mut self, range: TimeRange, series: &Planned, columns: &[Column]) -> Result<(), ApiError> {
        let Ok(key) = SeriesKey::parse(&series.key) else { return Ok(()) };
        let fields: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
        self.writer.series(key, &fields).map_err(failed)?;
        let mut rest = range;
        loop {
            self.cancel.check()?;
            let Some(rows) = self.reader.next(columns, &mut rest) else { return Ok(()) };
            let values: Vec<_> = rows.columns.iter().map(|column| column as &dyn formats::Column).collect();
            self.writer.rows(&rows.times, &values).map_err(failed)?;
            self.left_out += rows.not_finite;
        }
    }

    fn finish(self) -> Result<Summary, ApiError> {
        let written = self.writer.finish().map_err(failed)?;
        let missing = self.node.engine.damaged_files().into_iter();
        // Whatever measurements such a file has: that cannot be known any more.
        let missing = missing.map(|name| format!("block file {name} is damaged; what it holds is missing"));
        let damaged = missing.chain(self.reader.damaged).collect();
        let mut summary = Summary { left_out: self.left_out, damaged, ..Summary::default() };
        summary.count(written);
        if !summary.damaged.is_empty() {
            let (parts, first) = (summary.damaged.len(), summary.damaged.first());
            tracing::warn!(parts, first, "an export lacks what is damaged in the store");
        }
        Ok(summary)
    }
}
