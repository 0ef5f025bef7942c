//! Damage and obstacles: told, and nothing is replaced by something worse.

use std::fs;

use archive::{ArchiveConfig, Place, Scope};

use crate::support::{DAY, DAY_NS, Plant, wrong};

#[test]
fn verify_finds_what_is_damaged_missing_or_cut_short() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY - 2 * DAY_NS, 1.0), (DAY - DAY_NS, 2.0), (DAY, 3.0), (DAY + DAY_NS, 4.0)]);
    plant.run();
    let damaged = plant.file("2026-11-18");
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[20] ^= 0x40;
    fs::write(&damaged, bytes).unwrap();
    fs::remove_file(plant.file("2026-11-19")).unwrap();
    fs::remove_file(plant.file("2026-11-20").with_extension("json")).unwrap();
    let found = wrong(plant.archiver.archive());
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].contains("2026-11-18.parquet") && found[0].contains("SHA-256 differs"), "{}", found[0]);
    assert!(found[1].contains("2026-11-19.parquet: is missing"), "{}", found[1]);
    assert!(found[2].contains("2026-11-20.parquet: has no manifest"), "{}", found[2]);
}

#[test]
fn a_damaged_file_is_not_overwritten_and_its_day_stays_due() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY - DAY_NS, 1.0), (DAY, 2.0)]);
    plant.run();
    let damaged = plant.file("2026-11-20");
    fs::write(&damaged, "no parquet").unwrap();
    plant.put_power(&[(DAY - DAY_NS + 1, 1.0), (DAY + 1, 2.0)]);
    let report = plant.archiver.run(&Scope::All);
    assert_eq!((report.files, report.failed, report.is_cut_short), (1, 1, false));
    assert!(report.failures[0].file.ends_with("2026-11-20.parquet"), "{report:?}");
    assert_eq!(fs::read(&damaged).unwrap(), b"no parquet");
    let status = plant.archiver.status();
    assert!(status.last_error.contains("2026-11-20.parquet"), "{status:?}");
    fs::remove_file(&damaged).unwrap();
    assert_eq!(plant.run(), 1);
    plant.check();
    assert_eq!(plant.archiver.status().last_error, "");
}

#[test]
fn a_target_that_cannot_be_written_leaves_everything_due() {
    let mut plant = Plant::with(|folder| {
        fs::write(folder.join("file"), "").unwrap();
        ArchiveConfig::new(Place::Folder(folder.join("file/archive")))
    });
    plant.put_power(&[(DAY, 1.0)]);
    let report = plant.archiver.run(&Scope::All);
    assert_eq!((report.files, report.failed), (0, 1));
    assert!(report.failures[0].reason.contains("create folder"), "{report:?}");
    assert!(plant.archiver.first_missing(plant.bucket("plant", "autogen")).is_some());
}

#[test]
fn no_temporary_file_is_left() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY, 1.0)]);
    let left_by_a_crash = plant.file("2026-11-20.parquet").with_extension("tmp");
    fs::create_dir_all(left_by_a_crash.parent().unwrap()).unwrap();
    fs::write(left_by_a_crash, "half").unwrap();
    plant.run();
    plant.put_power(&[(DAY, 2.0)]);
    plant.run();
    let folder = plant.file("x").parent().unwrap().to_owned();
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["2026-11-20.json", "2026-11-20.parquet"]);
}

#[test]
fn a_foreign_parquet_file_is_told_apart() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY, 1.0)]);
    let file = plant.file("2026-11-20");
    plant.run();
    let text = fs::read(&file).unwrap();
    let at = text.windows(6).rposition(|w| w == b"hissrv").unwrap();
    // The key of the metadata, not the name of the program that wrote it.
    let key = text.windows(7).position(|w| w == b"hissrv\x18").unwrap_or(at);
    let mut changed = text.clone();
    changed[key] = b'H';
    fs::write(&file, changed).unwrap();
    let visit = &mut |_: archive::RestoredPoint<'_>| std::ops::ControlFlow::Continue(());
    let error = archive::restore_file(&vfs::RealFs, &file, &crate::support::GO, visit).unwrap_err();
    assert!(error.to_string().contains("not written by hissrv"), "{error}");
}
