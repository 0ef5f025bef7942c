//! Series by the values of their tags.

use ::model::{BucketId, FieldType, MeasurementId};
use catalog::{Catalog, DEFAULT_POLICY, TagCondition};
use vfs::FaultFs;

use crate::support::{open, want};

fn plant() -> (Catalog, BucketId, MeasurementId) {
    let (catalog, _) = open(&FaultFs::new());
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    for key in ["m,room=a,site=x", "m,room=b,site=x", "m,room=a,site=y", "m,site=x", "m"] {
        catalog.define(bucket, &[want(key, "f", FieldType::Float)]).unwrap();
    }
    let measurement = catalog.read().measurement(bucket, "m").unwrap();
    (catalog, bucket, measurement)
}

type Accepts<'a> = &'a dyn Fn(&str) -> bool;

fn select(catalog: &Catalog, measurement: MeasurementId, conditions: &[(&str, Accepts<'_>)]) -> Vec<String> {
    let names = catalog.read();
    let conditions: Vec<_> = conditions.iter().map(|(key, accepts)| TagCondition { key, accepts }).collect();
    let series = names.select(measurement, &conditions);
    series.iter().map(|s| String::from_utf8(names.series_key(*s).unwrap().to_vec()).unwrap()).collect()
}

#[test]
fn all_conditions_must_hold() {
    let (catalog, _, m) = plant();
    assert_eq!(select(&catalog, m, &[("room", &|v| v == "a")]), ["m,room=a,site=x", "m,room=a,site=y"]);
    assert_eq!(select(&catalog, m, &[("room", &|v| v == "a"), ("site", &|v| v != "x")]), ["m,room=a,site=y"]);
    assert_eq!(select(&catalog, m, &[]).len(), 5);
}

#[test]
fn a_missing_tag_has_the_empty_value() {
    let (catalog, _, m) = plant();
    assert_eq!(select(&catalog, m, &[("room", &str::is_empty)]), ["m,site=x", "m"]);
    assert_eq!(select(&catalog, m, &[("room", &|v| v != "a")]), ["m,room=b,site=x", "m,site=x", "m"]);
    assert_eq!(select(&catalog, m, &[("unheard", &str::is_empty)]).len(), 5);
    assert_eq!(select(&catalog, m, &[("unheard", &|v| !v.is_empty())]), Vec::<String>::new());
}

#[test]
fn keys_and_values_are_sorted_and_grow_with_new_series() {
    let (catalog, bucket, m) = plant();
    assert_eq!(catalog.read().tag_keys(m), ["room", "site"]);
    assert_eq!(catalog.read().tag_values(m, "room"), ["a", "b"]);
    catalog.define(bucket, &[want("m,area=1,room=0\\ 1", "f", FieldType::Float)]).unwrap();
    assert_eq!(catalog.read().tag_keys(m), ["area", "room", "site"]);
    assert_eq!(catalog.read().tag_values(m, "room"), ["0 1", "a", "b"]);
    assert_eq!(catalog.read().tag_values(m, "unheard"), Vec::<String>::new());
    assert_eq!(select(&catalog, m, &[("area", &|v| v == "1")]), ["m,area=1,room=0\\ 1"]);
}
