//! What define creates and what it leaves out.

use std::collections::HashSet;

use ::model::{BucketId, FieldType};
use catalog::DEFAULT_POLICY;
use vfs::FaultFs;

use crate::support::{define_devices, known, open, want};

#[test]
fn names_and_identifiers_are_the_same_after_reopening() {
    let fs = FaultFs::new();
    let (catalog, report) = open(&fs);
    assert_eq!(report.findings, Vec::<String>::new());
    let plant = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    let other = catalog.ensure_bucket("plant", "year").unwrap();
    define_devices(&catalog, plant, 0..20);
    let wanted: Vec<_> = FieldType::ALL.into_iter().zip(["a", "b", "c", "d", "e"]).collect();
    let wanted: Vec<_> = wanted.iter().map(|(kind, field)| want("bms,rack=1", field, *kind)).collect();
    catalog.define(other, &wanted).unwrap();
    let before = known(&catalog.read());
    drop(catalog);
    let (catalog, report) = open(&fs);
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(known(&catalog.read()), before);
    assert_eq!(before.len(), 25);
    assert_eq!(catalog.ensure_bucket("plant", "year").unwrap(), other);
    assert_eq!(catalog.read().buckets().collect::<Vec<_>>(), [(plant, "plant", "autogen"), (other, "plant", "year")]);
}

#[test]
fn a_column_whose_field_has_another_type_is_left_out() {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    catalog.define(bucket, &[want("pcs,device=1", "power", FieldType::Float)]).unwrap();
    let conflicting = [
        want("pcs,device=2", "power", FieldType::Integer),
        want("pcs,device=2", "state", FieldType::String),
        want("pcs,device=3", "state", FieldType::Boolean),
        want("pcs,device=3", "", FieldType::Boolean),
    ];
    catalog.define(bucket, &conflicting).unwrap();
    let names = catalog.read();
    let second = names.series(bucket, b"pcs,device=2").unwrap();
    assert_eq!(names.column(second, 0, "power"), None);
    assert_eq!(names.column(second, 7, "state").map(|(_, kind)| kind), Some(FieldType::String));
    assert_eq!(names.series(bucket, b"pcs,device=3"), None);
    let pcs = names.measurement(bucket, "pcs").unwrap();
    assert_eq!(names.fields(pcs).iter().map(|f| f.kind).collect::<Vec<_>>(), [FieldType::Float, FieldType::String]);
}

#[test]
fn one_measurement_in_two_buckets_is_two() {
    let (catalog, _) = open(&FaultFs::new());
    let a = catalog.ensure_bucket("a", DEFAULT_POLICY).unwrap();
    let b = catalog.ensure_bucket("b", DEFAULT_POLICY).unwrap();
    catalog.define(a, &[want("m,t=1", "f", FieldType::Float)]).unwrap();
    catalog.define(b, &[want("m,t=1", "f", FieldType::Integer)]).unwrap();
    let names = catalog.read();
    let series = [a, b].map(|bucket| names.series(bucket, b"m,t=1").unwrap());
    assert_ne!(series[0], series[1]);
    assert_eq!(series.map(|s| names.column(s, 0, "f").unwrap().1), [FieldType::Float, FieldType::Integer]);
}

#[test]
fn threads_that_define_the_same_names_get_one_identifier_each() {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| define_devices(&catalog, bucket, 0..100));
            scope.spawn(|| assert_eq!(catalog.ensure_bucket("late", DEFAULT_POLICY).unwrap(), BucketId(1)));
        }
    });
    let all = known(&catalog.read());
    assert_eq!(all.len(), 100);
    assert_eq!(all.iter().map(|k| k.1.clone()).collect::<HashSet<_>>().len(), 100);
    assert_eq!(catalog.read().series_count(), 100);
    assert_eq!(known(&open(&fs).0.read()), all);
}

#[test]
fn of_two_types_wanted_at_once_the_first_stands_in_every_series() {
    let (catalog, _) = open(&FaultFs::new());
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    let wanted = [
        want("z", "v", FieldType::Integer),
        want("z,d=1", "v", FieldType::Float),
        want("z,d=1", "v", FieldType::Integer),
        want("z,d=2", "v", FieldType::Float),
    ];
    catalog.define(bucket, &wanted).unwrap();
    let names = catalog.read();
    let first = names.series(bucket, b"z,d=1").unwrap();
    assert_eq!(names.column(first, 0, "v").map(|(_, kind)| kind), Some(FieldType::Integer));
    assert_eq!(names.series(bucket, b"z,d=2"), None);
    assert_eq!(names.column_count(), 2);
}

#[test]
fn a_measurement_takes_16384_fields_and_no_more() {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    let fields: Vec<String> = (0..16_385).map(|n| format!("f{n}")).collect();
    let wanted: Vec<_> = fields.iter().map(|field| want("wide", field, FieldType::Float)).collect();
    catalog.define(bucket, &wanted).unwrap();
    catalog.define(bucket, &[want("wide,d=1", "one_more", FieldType::Float)]).unwrap();
    catalog.define(bucket, &[want("wide,d=2", "f16383", FieldType::Float)]).unwrap();
    let names = catalog.read();
    let wide = names.measurement(bucket, "wide").unwrap();
    assert_eq!((names.fields(wide).len(), names.column_count()), (16_384, 16_385));
    assert_eq!(names.series(bucket, b"wide,d=1"), None);
    let known = names.series(bucket, b"wide,d=2").unwrap();
    assert!(names.column(known, 0, "f16383").is_some());
}
