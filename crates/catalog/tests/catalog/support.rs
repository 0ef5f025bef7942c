//! A small plant to define, and its names as one comparable value.

use std::path::Path;
use std::sync::Arc;

use ::model::{BucketId, ColumnId, FieldType, SeriesId};
use catalog::{Catalog, CatalogReport, Names, Wanted};
use vfs::{FaultFs, Fs};

pub(crate) const DIR: &str = "catalog";
pub(crate) const FILES: [&str; 2] = ["catalog/catalog.1", "catalog/catalog.2"];

pub(crate) fn open(fs: &FaultFs) -> (Catalog, CatalogReport) {
    Catalog::open(Arc::new(fs.clone()), Path::new(DIR)).unwrap()
}

pub(crate) fn want<'a>(key: &'a str, field: &'a str, kind: FieldType) -> Wanted<'a> {
    Wanted { key: key.as_bytes(), field, kind }
}

/// A name with the identifiers it stands for.
pub(crate) type Known = (BucketId, String, SeriesId, String, ColumnId, FieldType);

/// Every column with its names.
pub(crate) fn known(names: &Names) -> Vec<Known> {
    let measurements = names.buckets().flat_map(|(bucket, ..)| names.measurements(bucket).map(|(m, _)| m));
    let series = measurements.flat_map(|m| names.series_of(m).iter().copied());
    let mut columns: Vec<_> = series.flat_map(|s| names.columns_of(s).iter().map(|(_, column)| *column)).collect();
    columns.sort_unstable();
    let known = columns.into_iter().filter_map(|id| {
        let info = names.column_info(id)?;
        let key = String::from_utf8(names.series_key(info.series)?.to_vec()).unwrap();
        let field = names.fields(info.measurement).get(usize::from(info.field))?;
        Some((info.bucket, key, info.series, field.name.clone(), id, info.kind))
    });
    known.collect()
}

/// Defines a float column for each of some devices, in a record of its own.
pub(crate) fn define_devices(catalog: &Catalog, bucket: BucketId, devices: std::ops::Range<u32>) {
    for device in devices {
        let key = format!("pcs,device={device:03}");
        catalog.define(bucket, &[want(&key, "power", FieldType::Float)]).unwrap();
    }
}

pub(crate) fn flip(fs: &FaultFs, path: &str, at: u64) {
    let file = fs.open(Path::new(path)).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, at).unwrap();
    file.write_at(&[byte[0] ^ 0x20], at).unwrap();
    file.sync().unwrap();
}

pub(crate) fn len(fs: &FaultFs, path: &str) -> u64 {
    fs.open(Path::new(path)).unwrap().len().unwrap()
}
