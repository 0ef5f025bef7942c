//! Databases and users on the disk: mirrored, mended, and the same after a power cut at any operation.

use std::path::Path;
use std::sync::Arc;

use ::model::FieldType;
use catalog::{Catalog, CatalogError, DEFAULT_POLICY, Meta, MetaError, Privilege, verify};
use vfs::{FaultFs, Fs, RealFs};

use crate::meta::{HOUR, kept};
use crate::support::{DIR, FILES, flip, known, len, open, want};

const META: [&str; 2] = ["catalog/meta.1", "catalog/meta.2"];

fn plant() -> FaultFs {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    catalog.create_database("plant", Some((Some("week"), &kept(168 * HOUR)))).unwrap();
    catalog.create_user("u", true, "hash".to_owned(), &|_| false).unwrap();
    catalog.grant("u", "plant", Privilege::Read).unwrap();
    catalog.create_continuous_query("plant", "c", "CREATE CONTINUOUS QUERY c").unwrap();
    fs
}

#[test]
fn everything_is_the_same_after_reopening() {
    let fs = plant();
    let before = open(&fs).0.meta();
    assert_eq!(before.databases().len() + before.users().len(), 2);
    let (catalog, report) = open(&fs.crash(0));
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(catalog.meta(), before);
}

#[test]
fn any_flipped_byte_is_reported_and_mended_from_the_second_copy() {
    let intact = plant();
    let before = open(&intact).0.meta();
    for path in META {
        for at in 0..len(&intact, path) {
            let fs = intact.crash(1);
            flip(&fs, path, at);
            assert!(verify(&fs, Path::new(DIR)).unwrap().iter().any(|f| f.contains(path)), "{path} {at}");
            let (catalog, report) = open(&fs);
            assert!(report.findings.iter().any(|f| f.contains(path)), "{path} {at}");
            assert_eq!(catalog.meta(), before);
            assert_eq!(verify(&fs, Path::new(DIR)).unwrap(), Vec::<String>::new(), "not mended");
        }
    }
}

#[test]
fn a_missing_copy_is_reported_and_written_anew() {
    let fs = plant();
    fs.remove(Path::new(META[1])).unwrap();
    let (_, report) = open(&fs);
    assert_eq!(report.findings, [format!("{}: missing", META[1])]);
    assert_eq!(fs.read(Path::new(META[0])).unwrap(), fs.read(Path::new(META[1])).unwrap());
}

#[test]
fn two_damaged_copies_are_refused_and_may_be_removed_to_keep_the_data() {
    let fs = plant();
    META.iter().for_each(|path| flip(&fs, path, 30));
    let refused = Catalog::open(Arc::new(fs.clone()), Path::new(DIR)).err().unwrap();
    assert!(refused.to_string().contains("or remove both"), "{refused}");
    assert!(verify(&fs, Path::new(DIR)).unwrap().iter().any(|f| f.contains("or remove both")));
    META.iter().for_each(|path| fs.remove(Path::new(path)).unwrap());
    let (catalog, report) = open(&fs);
    assert!(report.findings[0].contains("missing"), "{:?}", report.findings);
    assert_eq!(catalog.meta().policy("plant", Some("week")).unwrap().duration_ns, 0);
}

#[test]
fn a_later_version_is_refused() {
    let fs = plant();
    META.iter().for_each(|path| fs.open(Path::new(path)).unwrap().write_at(b"2", 7).unwrap());
    let refused = Catalog::open(Arc::new(fs.clone()), Path::new(DIR)).err().unwrap();
    assert!(matches!(refused, CatalogError::Newer { .. }), "{refused}");
}

#[test]
fn a_full_disk_changes_nothing_and_the_next_change_is_taken() {
    let fs = plant();
    let (catalog, _) = open(&fs);
    let before = catalog.meta();
    fs.limit_space(0);
    assert!(matches!(catalog.create_database("more", None), Err(MetaError::NotStored(_))));
    assert_eq!(catalog.meta(), before);
    fs.limit_space(u64::MAX);
    catalog.create_database("more", None).unwrap();
    assert_eq!(open(&fs.crash(3)).0.meta(), catalog.meta());
}

/// A folder of version 1, as the first release left it: a database `plant` with two buckets, one series each.
#[test]
fn a_folder_of_the_first_version_opens_and_every_database_has_its_policies() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["catalog.1", "catalog.2"] {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1").join(name);
        std::fs::copy(fixture, dir.path().join(name)).unwrap();
    }
    for _ in 0..2 {
        let (catalog, report) = Catalog::open(Arc::new(RealFs), dir.path()).unwrap();
        assert_eq!((report.findings, report.lost_records), (Vec::new(), 0));
        let meta = catalog.meta();
        let policies = &meta.database("plant").unwrap().policies;
        assert_eq!(policies.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), [DEFAULT_POLICY, "year"]);
        assert_eq!(meta.policy("plant", None).unwrap().duration_ns, 0);
        let names = catalog.read();
        assert_eq!(known(&names).iter().map(|k| k.1.as_str()).collect::<Vec<_>>(), ["pcs,device=1", "bms,rack=2"]);
    }
    assert_eq!(verify(&RealFs, dir.path()).unwrap(), Vec::<String>::new());
}

type Step = fn(&Catalog) -> Result<(), MetaError>;

const STEPS: [Step; 10] = [
    |c| c.create_database("plant", None),
    |c| c.create_policy("plant", "day", &kept(24 * HOUR), true),
    |c| define(c, "m,d=1"),
    |c| c.create_user("u", false, "h".to_owned(), &|h| h == "h"),
    |c| {
        let bucket = c.bucket_of("plant", None)?;
        let series = c.read().series(bucket, b"m,d=1");
        Ok(c.drop_series(&series.into_iter().collect::<Vec<_>>())?)
    },
    |c| define(c, "m,d=2"),
    |c| {
        let bucket = c.bucket_of("plant", None)?;
        let measurement = c.read().measurement(bucket, "m");
        Ok(c.drop_measurements(&measurement.into_iter().collect::<Vec<_>>())?)
    },
    |c| c.drop_policy("plant", "day").map(|_| ()),
    |c| c.drop_database("plant").map(|_| ()),
    |c| c.create_database("plant", None),
];

fn define(catalog: &Catalog, key: &str) -> Result<(), MetaError> {
    Ok(catalog.define(catalog.bucket_of("plant", None)?, &[want(key, "f", FieldType::Float)])?)
}

/// What can be seen: databases, and names with their identifiers.
type Seen = (Meta, Vec<crate::support::Known>);

fn seen(catalog: &Catalog) -> Seen {
    (Meta::clone(&catalog.meta()), known(&catalog.read()))
}

/// Steps until the power goes: what was seen after the last that succeeded, and how many did.
fn run_until_power_is_off(fs: &FaultFs) -> (Option<Seen>, usize) {
    let Ok((catalog, _)) = Catalog::open(Arc::new(fs.clone()), Path::new(DIR)) else { return (None, 0) };
    let mut last = seen(&catalog);
    for (done, step) in STEPS.iter().enumerate() {
        if step(&catalog).is_err() {
            return (Some(last), done);
        }
        last = seen(&catalog);
    }
    (Some(last), STEPS.len())
}

#[test]
fn a_power_cut_at_any_operation_leaves_the_state_before_or_after_a_change() {
    let whole = FaultFs::new();
    assert_eq!(run_until_power_is_off(&whole).1, STEPS.len());
    for stop in 0..=whole.operations() {
        for seed in 0..4 {
            let fs = FaultFs::new();
            fs.stop_after_operations(stop);
            let (last, done) = run_until_power_is_off(&fs);
            let (catalog, report) = open(&fs.crash(seed));
            assert_eq!(report.lost_records, 0, "stop {stop}, seed {seed}");
            let found = seen(&catalog);
            let Some(last) = last else { continue };
            check(&catalog, &found, &last, done, &format!("stop {stop}, seed {seed}"));
        }
    }
}

/// The state is that of the last step that succeeded, or one on the way to the next, which can then be done.
fn check(catalog: &Catalog, found: &Seen, last: &Seen, done: usize, context: &str) {
    let Some(next) = STEPS.get(done) else { return assert_eq!(found, last, "{context}") };
    if found != last {
        // Making an object, or dropping names: nothing but what the step is about has changed.
        let kept = |seen: &Seen| seen.1.iter().filter(|k| found.1.contains(k)).count();
        assert!(done == 4 || done >= 6 || kept(last) == last.1.len(), "{context}: a name is gone");
    }
    next(catalog).unwrap_or_else(|e| panic!("{context}: step {done} cannot be done: {e}"));
    for step in STEPS.iter().skip(done + 1) {
        step(catalog).unwrap_or_else(|e| panic!("{context}: {e}"));
    }
    assert_eq!(catalog.meta().databases().len(), 1, "{context}");
    assert!(known(&catalog.read()).is_empty(), "{context}: something dropped is back");
    assert_eq!(len_of_both(catalog), (1, 1), "{context}");
}

/// Policies and buckets: there is one of each for the other.
fn len_of_both(catalog: &Catalog) -> (usize, usize) {
    let policies = catalog.meta().databases().iter().map(|d| d.policies.len()).sum();
    (policies, catalog.read().buckets().count())
}

#[test]
fn the_log_takes_no_part_in_a_change_of_users() {
    let fs = plant();
    let (catalog, _) = open(&fs);
    let before = len(&fs, FILES[0]);
    catalog.set_admin("u", false).unwrap();
    assert_eq!(len(&fs, FILES[0]), before);
}
