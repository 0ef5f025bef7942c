//! A power cut at any moment: what the ledger does not know any more is archived once more.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use archive::{Archive, ArchiveConfig, Archiver, Ledger, Place, RestoredPoint, Scope, restore_file};
use catalog::{Catalog, Wanted};
use engine::{Engine, EngineConfig, Touched};
use model::wire::BatchEncoder;
use model::{FieldType, FieldValue, Seq, TimestampNs};
use pipeline::Observer;
use vfs::{FaultFs, Fs};

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
    let disk = FaultFs::new();
    let catalog = Arc::new(Catalog::open(Arc::new(disk.clone()), Path::new("catalog")).unwrap().0);
    let ledger = Ledger::open(Arc::new(disk.clone()), Path::new("archive/due"), catalog).unwrap();
    disk.fail_next_sync();
    assert!(ledger.persist().is_err());
    assert!(!vfs::Fs::exists(&disk, Path::new("archive/due")));
    ledger.persist().unwrap();
    assert!(vfs::Fs::exists(&disk, Path::new("archive/due")));
}

/// A historian and its archive on one disk.
struct Small {
    catalog: Arc<Catalog>,
    engine: Arc<Engine>,
    ledger: Arc<Ledger>,
    archiver: Archiver,
}

impl Small {
    fn open(disk: &FaultFs) -> Self {
        let fs: Arc<dyn Fs> = Arc::new(disk.clone());
        let catalog = Arc::new(Catalog::open(Arc::clone(&fs), Path::new("catalog")).unwrap().0);
        let quiet = EngineConfig { head_max_age: std::time::Duration::from_secs(3600), ..EngineConfig::default() };
        let engine = Engine::open(Arc::clone(&fs), Path::new("engine"), Arc::clone(&catalog), quiet).unwrap().0;
        let engine = Arc::new(engine);
        let ledger = Arc::new(Ledger::open(Arc::clone(&fs), Path::new("state/due"), Arc::clone(&catalog)).unwrap());
        let config = ArchiveConfig::new(Place::Folder("archive".into()));
        let clock: archive::Clock = Arc::new(|| TimestampNs(DAY + 5 * DAY_NS));
        let archive = Archive::new(fs, &config, Path::new("spool"), Arc::clone(&clock)).unwrap();
        let (c, e, l) = (Arc::clone(&catalog), Arc::clone(&engine), Arc::clone(&ledger));
        Self { catalog, engine, ledger, archiver: Archiver::new(config, archive, c, e, l, clock) }
    }

    /// A value for each of two days, durable in engine and ledger.
    fn put(&self, seq: u64, value: f64) {
        let bucket = self.catalog.ensure_bucket("d", "p").unwrap();
        let (key, field) = (&b"m"[..], "v");
        self.catalog.define(bucket, &[Wanted { key, field, kind: FieldType::Float }]).unwrap();
        let names = self.catalog.read();
        let column = names.column(names.series(bucket, key).unwrap(), 0, field).unwrap().0;
        drop(names);
        let mut encoder = BatchEncoder::default();
        for day in 0..2 {
            encoder.push(column, TimestampNs(DAY + day * DAY_NS), FieldValue::Float(value));
        }
        let mut touched = Touched::default();
        self.engine.apply_and_tell(Seq(seq), &encoder.finish(), &mut touched).unwrap();
        self.ledger.changed(&touched);
        self.engine.flush().unwrap();
        self.ledger.persist().unwrap();
    }
}

/// The value in the file of a day; `None` when there is none.
fn value_in(disk: &FaultFs, day: &str) -> Option<f64> {
    let path = format!("archive/d/p/m/{day}.parquet");
    if !disk.exists(Path::new(&path)) {
        return None;
    }
    let mut found = Vec::new();
    let visit = &mut |point: RestoredPoint<'_>| {
        let FieldValue::Float(value) = point.value else { panic!("{point:?}") };
        found.push(value);
        ControlFlow::Continue(())
    };
    restore_file(disk, Path::new(&path), &crate::support::GO, visit).unwrap();
    let [value] = found[..] else { panic!("{found:?}") };
    Some(value)
}

#[test]
fn a_power_cut_at_any_moment_leaves_whole_files_and_days_that_are_due() {
    let days = ["2026-11-20", "2026-11-21"];
    for cut in 0.. {
        let disk = FaultFs::new();
        let small = Small::open(&disk);
        small.put(1, 1.0);
        assert_eq!(small.archiver.run(&Scope::All).files, 2);
        small.put(2, 2.0);
        disk.stop_after_operations(cut);
        let is_over = small.archiver.run(&Scope::All).is_complete();
        drop(small);

        let disk = disk.crash(cut);
        let small = Small::open(&disk);
        let first = small.archiver.first_missing(small.catalog.ensure_bucket("d", "p").unwrap());
        for (day, start) in days.into_iter().zip([DAY, DAY + DAY_NS]) {
            let value = value_in(&disk, day).expect("the older file, or the newer one");
            let is_archived = first.is_none_or(|first| first.0 > start);
            assert!(value == 2.0 || (value == 1.0 && !is_archived), "cut {cut}: {day}: {value}");
        }
        assert!(small.archiver.run(&Scope::All).is_complete(), "cut {cut}");
        assert_eq!(days.map(|day| value_in(&disk, day)), [Some(2.0); 2], "cut {cut}");
        if is_over && first.is_none() {
            assert!(cut > 10, "{cut}");
            return;
        }
    }
}
