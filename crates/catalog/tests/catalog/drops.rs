//! Names that were dropped.

use ::model::{BucketId, FieldType, SeriesId};
use catalog::{Catalog, CatalogError, DEFAULT_POLICY, TagCondition, TagWanted};
use vfs::FaultFs;

use crate::support::{Known, flip, known, len, open, want};

/// Two measurements of two series with two fields each, in a bucket of their own for each policy.
fn define(catalog: &Catalog, bucket: BucketId) {
    for key in ["pcs,d=1", "pcs,d=2", "bms,d=1", "bms,d=2"] {
        catalog.define(bucket, &[want(key, "u", FieldType::Float), want(key, "n", FieldType::Integer)]).unwrap();
    }
}

fn plant() -> (FaultFs, Catalog, BucketId) {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    define(&catalog, bucket);
    (fs, catalog, bucket)
}

fn keys(all: &[Known]) -> Vec<&str> {
    let mut keys: Vec<_> = all.iter().map(|k| k.1.as_str()).collect();
    keys.dedup();
    keys
}

/// What stands is the same after reopening, and nothing of what was there before `dropped` is used again.
fn check(fs: &FaultFs, catalog: Catalog, before: &[Known]) -> Catalog {
    let after = known(&catalog.read());
    let gone: Vec<_> = before.iter().filter(|k| !after.contains(k)).collect();
    drop(catalog);
    let (catalog, report) = open(fs);
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(known(&catalog.read()), after);
    assert!(gone.iter().all(|k| catalog.read().dropped().has_column(k.4) && catalog.read().column_info(k.4).is_none()));
    assert!(after.iter().all(|k| !catalog.read().dropped().has_column(k.4)));
    let buckets: Vec<BucketId> = catalog.read().buckets().map(|(id, ..)| id).collect();
    buckets.into_iter().for_each(|bucket| define(&catalog, bucket));
    let later = known(&catalog.read());
    let is_fresh = |k: &&Known| !after.contains(k);
    assert!(later.iter().filter(is_fresh).all(|k| gone.iter().all(|g| g.4 != k.4 && g.2 != k.2)), "used again");
    catalog
}

fn series(catalog: &Catalog, bucket: BucketId, key: &str) -> SeriesId {
    catalog.read().series(bucket, key.as_bytes()).unwrap()
}

#[test]
fn a_dropped_series_is_found_by_nothing_and_its_measurement_keeps_the_types() {
    let (fs, catalog, bucket) = plant();
    let before = known(&catalog.read());
    let pcs = catalog.read().measurement(bucket, "pcs").unwrap();
    assert_eq!(catalog.read().tag_values(pcs, "d"), ["1", "2"]);
    let gone = series(&catalog, bucket, "pcs,d=2");
    catalog.drop_series(&[gone, gone, SeriesId(999)]).unwrap();
    assert_eq!(keys(&known(&catalog.read())), ["pcs,d=1", "bms,d=1", "bms,d=2"]);
    {
        let names = catalog.read();
        assert_eq!((names.series_count(), names.column_count()), (3, 6));
        assert_eq!((names.series(bucket, b"pcs,d=2"), names.series_key(gone)), (None, None));
        assert_eq!((names.tag_values(pcs, "d"), names.series_of(pcs).len()), (vec!["1".to_owned()], 1));
        assert_eq!(names.select(pcs, &[TagCondition { key: "d", wanted: TagWanted::Test(&|v| v == "2") }]), []);
        assert_eq!(names.columns_of(gone), []);
    }
    let last = series(&catalog, bucket, "pcs,d=1");
    catalog.drop_series(&[last]).unwrap();
    assert_eq!(catalog.read().measurements(bucket).map(|(_, name)| name).collect::<Vec<_>>(), ["bms"]);
    catalog.define(bucket, &[want("pcs,d=3", "u", FieldType::String)]).unwrap();
    assert_eq!(catalog.read().series(bucket, b"pcs,d=3"), None, "the type was forgotten");
    let catalog = check(&fs, catalog, &before);
    assert_eq!(catalog.read().measurement(bucket, "pcs"), Some(pcs));
}

#[test]
fn a_dropped_measurement_forgets_its_types() {
    let (fs, catalog, bucket) = plant();
    let before = known(&catalog.read());
    let pcs = catalog.read().measurement(bucket, "pcs").unwrap();
    catalog.drop_measurements(&[pcs, pcs]).unwrap();
    assert_eq!(keys(&known(&catalog.read())), ["bms,d=1", "bms,d=2"]);
    assert_eq!(catalog.read().measurement(bucket, "pcs"), None);
    assert_eq!((catalog.read().fields(pcs), catalog.read().tag_keys(pcs)), (&[][..], Vec::new()));
    catalog.define(bucket, &[want("pcs,d=1", "u", FieldType::String)]).unwrap();
    assert_ne!(catalog.read().measurement(bucket, "pcs"), Some(pcs));
    check(&fs, catalog, &before);
}

#[test]
fn a_dropped_database_takes_everything_along_and_comes_back_empty() {
    let (fs, catalog, bucket) = plant();
    let year = catalog.ensure_bucket("plant", "year").unwrap();
    let site = catalog.ensure_bucket("site", DEFAULT_POLICY).unwrap();
    [year, site].into_iter().for_each(|bucket| define(&catalog, bucket));
    let before = known(&catalog.read());
    assert_eq!(catalog.drop_policy("plant", "year").unwrap(), [year]);
    assert_eq!(catalog.drop_database("plant").unwrap(), [bucket]);
    assert_eq!(catalog.drop_database("plant").unwrap(), []);
    assert!([bucket, year].into_iter().all(|b| catalog.read().dropped().has_bucket(b)));
    assert_eq!(catalog.read().buckets().collect::<Vec<_>>(), [(site, "site", DEFAULT_POLICY)]);
    assert!(catalog.meta().database("plant").is_none());
    assert_eq!(known(&catalog.read()).len(), 8);
    let refused = catalog.define(bucket, &[want("m", "f", FieldType::Float)]);
    assert!(matches!(refused, Err(CatalogError::Dropped)));
    let again = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    assert!(again > site);
    assert_eq!(catalog.read().measurements(again).count(), 0);
    check(&fs, catalog, &before);
}

#[test]
fn many_series_are_dropped_at_once() {
    let (fs, catalog, bucket) = plant();
    let keys: Vec<String> = (0..30_000).map(|i| format!("many,n={i}")).collect();
    let wanted: Vec<_> = keys.iter().map(|key| want(key, "f", FieldType::Float)).collect();
    catalog.define(bucket, &wanted).unwrap();
    let many = catalog.read().measurement(bucket, "many").unwrap();
    let gone: Vec<_> = catalog.read().series_of(many).iter().copied().filter(|s| s.0 % 3 > 0).collect();
    catalog.drop_series(&gone).unwrap();
    assert_eq!(catalog.read().series_of(many).len(), 10_000);
    drop(catalog);
    assert_eq!(open(&fs).0.read().series_of(many).len(), 10_000);
}

#[test]
fn a_name_made_again_stands_alone_when_the_record_of_its_drop_is_lost() {
    let (fs, catalog, bucket) = plant();
    let at = len(&fs, crate::support::FILES[0]);
    let old = catalog.read().measurement(bucket, "pcs").unwrap();
    catalog.drop_measurements(&[old]).unwrap();
    catalog.define(bucket, &[want("pcs,d=1", "u", FieldType::String)]).unwrap();
    let after = known(&catalog.read());
    drop(catalog);
    crate::support::FILES.iter().for_each(|path| flip(&fs, path, at + 20));
    let (catalog, report) = open(&fs);
    assert_eq!(report.lost_records, 1);
    assert_eq!(known(&catalog.read()), after);
}
