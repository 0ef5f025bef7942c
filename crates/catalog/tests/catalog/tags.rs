//! Series by the values of their tags.

use ::model::{BucketId, FieldType, MeasurementId};
use catalog::{Catalog, DEFAULT_POLICY, TagCondition, TagWanted};
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
    let conditions: Vec<_> =
        conditions.iter().map(|(key, test)| TagCondition { key, wanted: TagWanted::Test(test) }).collect();
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

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|v| (*v).to_owned()).collect()
}

#[test]
fn lists_of_values_find_what_a_test_of_each_value_finds() {
    let (catalog, _, m) = plant();
    for key in ["room", "site", "unheard"] {
        for list in [vec![], vec!["a"], vec!["a", "x"], vec![""], vec!["", "b"], vec!["nothing"]] {
            let list = owned(&list);
            let names = catalog.read();
            let find = |wanted: TagWanted<'_>| names.select(m, &[TagCondition { key, wanted }]);
            assert_eq!(
                find(TagWanted::In(&list)),
                find(TagWanted::Test(&|v| list.iter().any(|l| l == v))),
                "{key} {list:?}"
            );
            assert_eq!(
                find(TagWanted::NotIn(&list)),
                find(TagWanted::Test(&|v| list.iter().all(|l| l != v))),
                "not {key} {list:?}"
            );
        }
    }
}

#[test]
fn lists_and_tests_are_joined() {
    let (catalog, _, m) = plant();
    let (rooms, sites) = (owned(&["a", "b"]), owned(&["y"]));
    let names = catalog.read();
    let conditions = [
        TagCondition { key: "room", wanted: TagWanted::In(&rooms) },
        TagCondition { key: "site", wanted: TagWanted::NotIn(&sites) },
        TagCondition { key: "room", wanted: TagWanted::Test(&|v| v != "b") },
    ];
    let found = names.select(m, &conditions);
    assert_eq!(found.iter().map(|s| names.series_key(*s).unwrap()).collect::<Vec<_>>(), [b"m,room=a,site=x"]);
}
