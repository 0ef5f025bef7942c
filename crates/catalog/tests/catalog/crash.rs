//! Power cuts and disks that fail or run full while names are created.

use ::model::FieldType;
use catalog::{Catalog, CatalogError, DEFAULT_POLICY};
use vfs::FaultFs;

use crate::support::{Known, known, open, want};

/// Defines names until the power goes; what was visible then, which is what callers may have used.
fn define_until_power_is_off(fs: &FaultFs) -> Vec<Known> {
    let Ok((catalog, _)) = Catalog::open(std::sync::Arc::new(fs.clone()), std::path::Path::new("catalog")) else {
        return Vec::new();
    };
    for round in 0..6 {
        if define_round(&catalog, round).is_err() {
            break;
        }
    }
    known(&catalog.read())
}

fn define_round(catalog: &Catalog, round: u32) -> Result<(), CatalogError> {
    let bucket = catalog.ensure_bucket(&format!("plant{}", round / 3), DEFAULT_POLICY)?;
    let keys: Vec<String> = (0..20).map(|i| format!("pcs{},device={round}-{i}", i % 3)).collect();
    let wanted: Vec<_> = keys.iter().map(|key| want(key, "power", FieldType::Float)).collect();
    catalog.define(bucket, &wanted)
}

fn check(fs: &FaultFs, visible: &[Known], context: &str) {
    let (catalog, report) = open(fs);
    assert_eq!(report.lost_records, 0, "{context}");
    let after = known(&catalog.read());
    assert!(visible.iter().all(|k| after.contains(k)), "{context}: a visible name is gone");
    for round in 4..8 {
        define_round(&catalog, round).unwrap();
    }
    let later = known(&catalog.read());
    assert!(after.iter().all(|k| later.contains(k)), "{context}: an identifier was used again");
    assert!(later.iter().zip(later.iter().skip(1)).all(|(a, b)| a.4 < b.4), "{context}");
}

#[test]
fn a_power_cut_at_any_operation_loses_no_visible_name_and_reuses_no_identifier() {
    let whole = FaultFs::new();
    define_until_power_is_off(&whole);
    for stop in 0..=whole.operations() {
        for seed in 0..8 {
            let fs = FaultFs::new();
            fs.stop_after_operations(stop);
            let visible = define_until_power_is_off(&fs);
            check(&fs.crash(seed), &visible, &format!("stop {stop}, seed {seed}"));
        }
    }
}

#[test]
fn a_second_power_cut_while_mending_loses_nothing_either() {
    for stop in 0..12 {
        for seed in 2..8 {
            let fs = FaultFs::new();
            fs.stop_after_operations(25);
            let visible = define_until_power_is_off(&fs);
            let again = fs.crash(seed);
            again.stop_after_operations(stop);
            let more = define_until_power_is_off(&again);
            assert!(more.is_empty() || visible.iter().all(|k| more.contains(k)));
            check(&again.crash(seed + 1), &more, &format!("stop {stop}, seed {seed}"));
        }
    }
}

#[test]
fn a_full_disk_refuses_new_names_and_takes_them_once_there_is_space() {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    define_round(&catalog, 0).unwrap();
    let before = known(&catalog.read());
    let used = 2 * crate::support::len(&fs, crate::support::FILES[0]);
    // Room for one copy of the next record and half of the other.
    for room in [0, 10, 150, 250] {
        fs.limit_space(used + room);
        let refused = define_round(&catalog, 1).err();
        assert!(matches!(refused, Some(CatalogError::Io { op: "append to", .. })), "room {room}: {refused:?}");
        assert_eq!(known(&catalog.read()), before);
    }
    fs.limit_space(u64::MAX);
    define_round(&catalog, 1).unwrap();
    let after = known(&catalog.read());
    let (reopened, report) = open(&fs.crash(0));
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(known(&reopened.read()), after);
}

#[test]
fn after_a_failed_sync_no_new_names_are_taken_until_restart() {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    define_round(&catalog, 0).unwrap();
    let before = known(&catalog.read());
    fs.fail_next_sync();
    assert!(matches!(define_round(&catalog, 1), Err(CatalogError::Io { op: "sync", .. })));
    assert!(matches!(define_round(&catalog, 1), Err(CatalogError::Poisoned)));
    assert_eq!(known(&catalog.read()), before);
    let (catalog, _) = open(&fs.crash(0));
    assert_eq!(known(&catalog.read()), before);
    define_round(&catalog, 1).unwrap();
}
