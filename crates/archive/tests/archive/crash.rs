//! A power cut at any moment: what the ledger does not know any more is archived once more.

use std::path::Path;
use std::sync::Arc;

use archive::Ledger;
use catalog::Catalog;
use model::TimestampNs;
use pipeline::Observer;
use vfs::FaultFs;

use crate::support::{DAY, DAY_NS, Plant, folder_config};

#[test]
fn a_day_under_way_is_due_after_a_crash() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY, 1.0)]);
    plant.engine.flush().unwrap();
    plant.ledger.persist().unwrap();
    let bucket = plant.bucket("plant", "autogen");
    plant.run();
    // The run's end is durable; before that a crash finds the state of `persist`.
    assert!(plant.archiver.is_archived(bucket, TimestampNs::MAX));
    plant.put_power(&[(DAY + 1, 1.0)]);
    plant.ledger.persist().unwrap();
    let (disk, Plant { folder, archiver, engine, .. }) = (plant.disk.crash(7), plant);
    drop((archiver, engine));
    let config = folder_config(folder.path());
    let plant = Plant::open(disk, folder, config, 2);
    assert!(!plant.archiver.is_archived(bucket, TimestampNs(DAY + DAY_NS)));
}

#[test]
fn a_damaged_ledger_makes_every_day_due() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY, 1.0)]);
    plant.run();
    plant.engine.flush().unwrap();
    let path = Path::new("engine/archive.due");
    let fs: &dyn vfs::Fs = &plant.disk;
    let mut bytes = fs.read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    vfs::replace_durably(fs, path, &bytes).unwrap();
    let (disk, Plant { folder, archiver, .. }) = (plant.disk.clone(), plant);
    drop(archiver);
    let config = folder_config(folder.path());
    let plant = Plant::open(disk, folder, config, 1);
    assert_eq!(plant.run(), 1);
    plant.check();
}

#[test]
fn a_ledger_that_cannot_be_written_says_so_and_forgets_nothing() {
    let disk = FaultFs::default();
    let catalog = Arc::new(Catalog::open(Arc::new(disk.clone()), Path::new("catalog")).unwrap().0);
    let ledger = Ledger::open(Arc::new(disk.clone()), Path::new("missing/due"), catalog).unwrap();
    ledger.lost_track();
    assert!(ledger.persist().is_err());
    vfs::Fs::create_dir_all(&disk, Path::new("missing")).unwrap();
    ledger.persist().unwrap();
    assert!(vfs::Fs::exists(&disk, Path::new("missing/due")));
}
