//! Damaged files: one copy mends the other; what both lost is lost alone.

use std::path::Path;
use std::sync::Arc;

use ::model::FieldType;
use catalog::{Catalog, CatalogError, DEFAULT_POLICY, verify};
use vfs::{FaultFs, Fs};

use crate::support::{DIR, FILES, define_devices, flip, known, len, open, want};

/// Ten records, and the length of the files after each.
fn plant() -> (FaultFs, Vec<u64>) {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    let mut ends = vec![len(&fs, FILES[0])];
    for device in 0..9 {
        define_devices(&catalog, bucket, device..device + 1);
        ends.push(len(&fs, FILES[0]));
    }
    (fs, ends)
}

#[test]
fn any_flipped_byte_is_reported_and_mended_from_the_second_copy() {
    let (intact, _) = plant();
    let expected = known(&open(&intact).0.read());
    for path in FILES {
        for at in 0..len(&intact, path) {
            let fs = intact.crash(1);
            flip(&fs, path, at);
            assert!(verify(&fs, Path::new(DIR)).unwrap().iter().any(|f| f.contains(path)), "{path} {at}");
            let (catalog, report) = open(&fs);
            assert!(report.findings.iter().any(|f| f.contains(path)), "{path} {at}");
            assert_eq!(report.lost_records, 0);
            assert_eq!(known(&catalog.read()), expected);
            assert_eq!(verify(&fs, Path::new(DIR)).unwrap(), Vec::<String>::new(), "not mended");
        }
    }
}

#[test]
fn a_missing_copy_is_reported_and_written_anew() {
    let (fs, _) = plant();
    let expected = known(&open(&fs).0.read());
    fs.remove(Path::new(FILES[1])).unwrap();
    let (catalog, report) = open(&fs);
    assert_eq!(report.findings, [format!("{}: missing", FILES[1])]);
    assert_eq!(known(&catalog.read()), expected);
    assert_eq!(fs.read(Path::new(FILES[0])).unwrap(), fs.read(Path::new(FILES[1])).unwrap());
}

#[test]
fn a_torn_end_is_cut_off_and_written_over() {
    let (fs, ends) = plant();
    for path in FILES {
        fs.open(Path::new(path)).unwrap().set_len(ends[9] - 3).unwrap();
        let (catalog, report) = open(&fs);
        assert!(report.findings.iter().any(|f| f.contains(path)));
        assert_eq!(known(&catalog.read()).len(), 9);
    }
}

#[test]
fn copies_damaged_at_different_records_mend_each_other() {
    let (fs, ends) = plant();
    let expected = known(&open(&fs).0.read());
    flip(&fs, FILES[0], ends[2] + 20);
    flip(&fs, FILES[0], ends[8] + 20);
    flip(&fs, FILES[1], ends[5] + 20);
    let (catalog, report) = open(&fs);
    assert_eq!((report.findings.len(), report.lost_records), (3, 0));
    assert_eq!(known(&catalog.read()), expected);
}

#[test]
fn a_record_lost_in_both_copies_takes_only_its_own_names_and_no_identifier_is_used_again() {
    let (intact, ends) = plant();
    let before = known(&open(&intact).0.read());
    for (lost, start) in ends.iter().take(9).enumerate() {
        let fs = intact.crash(1);
        FILES.iter().for_each(|path| flip(&fs, path, start + 20));
        let (catalog, report) = open(&fs);
        assert_eq!(report.lost_records, 1, "record {lost}");
        let after = known(&catalog.read());
        assert!(after.iter().all(|k| before.contains(k)), "record {lost}");
        let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
        let wanted =
            [want("bms,rack=1", "soc", FieldType::Integer), want("pcs,device=777", "energy", FieldType::Integer)];
        catalog.define(bucket, &wanted).unwrap();
        let fresh: Vec<_> = known(&catalog.read()).into_iter().filter(|k| !after.contains(k)).collect();
        assert_eq!(fresh.len(), 2, "record {lost}");
        // The last record's identifiers are known from nothing else.
        let reused = |k: &&crate::support::Known| before.iter().any(|b| (b.4 == k.4 || b.2 == k.2) && b.1 != k.1);
        assert_eq!(fresh.iter().find(reused).filter(|_| lost < 8), None, "record {lost}");
    }
}

#[test]
fn columns_of_a_lost_field_do_not_become_columns_of_the_next_field() {
    let fs = FaultFs::new();
    let (catalog, _) = open(&fs);
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
    catalog.define(bucket, &[want("m,a=1", "first", FieldType::Float)]).unwrap();
    let start = len(&fs, FILES[0]);
    catalog.define(bucket, &[want("m,a=1", "lost", FieldType::Float)]).unwrap();
    catalog.define(bucket, &[want("m,a=2", "lost", FieldType::Float)]).unwrap();
    FILES.iter().for_each(|path| flip(&fs, path, start + 20));
    let (catalog, _) = open(&fs);
    catalog.define(bucket, &[want("m,a=2", "next", FieldType::String)]).unwrap();
    let names = catalog.read();
    let second = names.series(bucket, b"m,a=2").unwrap();
    let (next, kind) = names.column(second, 0, "next").unwrap();
    assert_eq!((names.column_info(next).unwrap().field, kind), (2, FieldType::String));
    assert_eq!(names.column(second, 0, "lost"), None);
}

#[test]
fn copies_of_which_nothing_is_left_are_refused_and_left_alone() {
    let (fs, _) = plant();
    for path in FILES {
        let file = fs.open(Path::new(path)).unwrap();
        file.write_at(&vec![0xee; file.len().unwrap() as usize], 0).unwrap();
    }
    let refused = Catalog::open(Arc::new(fs.clone()), Path::new(DIR)).err().unwrap();
    assert!(matches!(&refused, CatalogError::Damaged { path } if path == Path::new(FILES[0])), "{refused}");
    assert!(fs.read(Path::new(FILES[0])).unwrap().iter().all(|b| *b == 0xee));
}

#[test]
fn files_of_a_later_version_are_refused_and_left_alone() {
    let (fs, _) = plant();
    FILES.iter().for_each(|path| fs.open(Path::new(path)).unwrap().write_at(b"3", 7).unwrap());
    let before = fs.read(Path::new(FILES[1])).unwrap();
    let refused = Catalog::open(Arc::new(fs.clone()), Path::new(DIR)).err().unwrap();
    assert!(matches!(refused, CatalogError::Newer { .. }), "{refused}");
    assert_eq!(fs.read(Path::new(FILES[1])).unwrap(), before);
}
