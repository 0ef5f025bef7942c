//! A small plant: catalog and engine in memory, an archive in a folder, a clock that is set by hand.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use archive::{Archive, ArchiveConfig, Archiver, Clock, Day, Ledger, Manifest, Place, RestoredPoint, Scope, Selection};
use catalog::{Catalog, Wanted};
use engine::{Engine, EngineConfig, Piece, ScanCache, Touched};
use model::wire::{BatchEncoder, encode_delete};
use model::{BucketId, ColumnId, FieldType, FieldValue, Seq, TimeRange, TimestampNs};
use pipeline::Observer;
use tempfile::TempDir;
use vfs::{FaultFs, Fs, RealFs};

pub(crate) const DAY_NS: i64 = 86_400_000_000_000;
const HOUR_NS: i64 = DAY_NS / 24;
/// 2026-11-20T00:00:00Z
pub(crate) const DAY: i64 = 20_777 * DAY_NS;
pub(crate) static GO: AtomicBool = AtomicBool::new(false);

/// A value that can be compared bit for bit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Float(u64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    Text(String),
}

impl Value {
    pub(crate) fn of(value: FieldValue<'_>) -> Self {
        match value {
            FieldValue::Float(v) => Self::Float(v.to_bits()),
            FieldValue::Integer(v) => Self::Integer(v),
            FieldValue::Unsigned(v) => Self::Unsigned(v),
            FieldValue::Boolean(v) => Self::Boolean(v),
            FieldValue::String(v) => Self::Text(v.to_owned()),
        }
    }

    pub(crate) fn borrow(&self) -> FieldValue<'_> {
        match self {
            Self::Float(v) => FieldValue::Float(f64::from_bits(*v)),
            Self::Integer(v) => FieldValue::Integer(*v),
            Self::Unsigned(v) => FieldValue::Unsigned(*v),
            Self::Boolean(v) => FieldValue::Boolean(*v),
            Self::Text(v) => FieldValue::String(v),
        }
    }
}

/// Database, policy, series key, field and time of a value.
pub(crate) type Id = (String, String, Vec<u8>, String, i64);
pub(crate) type Points = BTreeMap<Id, Value>;

pub(crate) struct Plant {
    pub(crate) disk: FaultFs,
    pub(crate) folder: TempDir,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) archiver: Archiver,
    pub(crate) now: Arc<AtomicI64>,
    seq: u64,
}

pub(crate) fn folder_config(folder: &Path) -> ArchiveConfig {
    ArchiveConfig::new(Place::Folder(folder.join("archive")))
}

impl Plant {
    /// A new plant, two days after [`DAY`], 12:00.
    pub(crate) fn new() -> Self {
        Self::with(folder_config)
    }

    pub(crate) fn with(config: impl FnOnce(&Path) -> ArchiveConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        Self::open(FaultFs::default(), folder, config, 0)
    }

    /// Everything as it is on the disks; `seq` is the last one of the journal.
    pub(crate) fn open(disk: FaultFs, folder: TempDir, config: ArchiveConfig, seq: u64) -> Self {
        let fs: Arc<dyn Fs> = Arc::new(disk.clone());
        let catalog = Arc::new(Catalog::open(Arc::clone(&fs), Path::new("catalog")).unwrap().0);
        let quiet = EngineConfig { head_max_age: std::time::Duration::from_secs(3600), ..EngineConfig::default() };
        let engine = Engine::open(Arc::clone(&fs), Path::new("engine"), Arc::clone(&catalog), quiet).unwrap().0;
        let engine = Arc::new(engine);
        let ledger = Arc::new(Ledger::open(fs, Path::new("engine/archive.due"), Arc::clone(&catalog)).unwrap());
        let now = Arc::new(AtomicI64::new(DAY + 2 * DAY_NS + 12 * HOUR_NS));
        let clock = clock(&now);
        let archive =
            Archive::new(Arc::new(RealFs), &config, &folder.path().join("spool"), Arc::clone(&clock)).unwrap();
        let (c, e, l) = (Arc::clone(&catalog), Arc::clone(&engine), Arc::clone(&ledger));
        let archiver = Archiver::new(config, archive, c, e, l, clock);
        Self { disk, folder, catalog, engine, ledger, archiver, now, seq }
    }

    /// The plant after a restart.
    pub(crate) fn reopen(self, config: ArchiveConfig) -> Self {
        let Self { disk, folder, engine, archiver, seq, .. } = self;
        engine.flush().unwrap();
        archiver.stop();
        drop((archiver, engine));
        Self::open(disk, folder, config, seq)
    }

    pub(crate) fn bucket(&self, database: &str, policy: &str) -> BucketId {
        self.catalog.ensure_bucket(database, policy).unwrap()
    }

    /// The column of a field, made when it does not exist.
    pub(crate) fn column(&self, bucket: BucketId, key: &[u8], field: &str, kind: FieldType) -> ColumnId {
        self.catalog.define(bucket, &[Wanted { key, field, kind }]).unwrap();
        let names = self.catalog.read();
        names.column(names.series(bucket, key).unwrap(), 0, field).unwrap().0
    }

    /// Takes one record in, as the applier does.
    pub(crate) fn apply(&mut self, record: &[u8]) {
        self.seq += 1;
        let mut touched = Touched::default();
        self.engine.apply_and_tell(Seq(self.seq), record, &mut touched).unwrap();
        self.ledger.changed(&touched);
    }

    pub(crate) fn put(&mut self, column: ColumnId, points: &[(i64, Value)]) {
        let mut encoder = BatchEncoder::default();
        points.iter().for_each(|(time, value)| encoder.push(column, TimestampNs(*time), value.borrow()));
        self.apply(&encoder.finish());
    }

    pub(crate) fn delete(&mut self, column: ColumnId, range: TimeRange) {
        self.apply(&encode_delete(&[column], range));
    }

    /// Floats into `plant.autogen`, `pcs,unit=1`, field `power`.
    pub(crate) fn put_power(&mut self, points: &[(i64, f64)]) {
        let column = self.power();
        let points: Vec<_> = points.iter().map(|(t, v)| (*t, Value::Float(v.to_bits()))).collect();
        self.put(column, &points);
    }

    pub(crate) fn power(&self) -> ColumnId {
        self.column(self.bucket("plant", "autogen"), b"pcs,unit=1", "power", FieldType::Float)
    }

    /// Archives what is due, without a fault.
    pub(crate) fn run(&self) -> u64 {
        let report = self.archiver.run(&Scope::All);
        assert!(report.is_complete(), "{report:?}");
        report.files
    }

    pub(crate) fn list(&self) -> Vec<Manifest> {
        self.archiver.archive().list(&Selection::default(), &GO).unwrap()
    }

    pub(crate) fn days(&self) -> Vec<String> {
        self.list().iter().map(|m| m.content.day.to_string()).collect()
    }

    pub(crate) fn file(&self, day: &str) -> PathBuf {
        self.folder.path().join(format!("archive/plant/autogen/pcs/{day}.parquet"))
    }

    pub(crate) fn restored(&self) -> Points {
        restored(self.archiver.archive())
    }

    /// What the store has before `end`.
    pub(crate) fn stored(&self, end: i64) -> Points {
        let names = self.catalog.read();
        let mut all = Vec::new();
        for (bucket, database, policy) in names.buckets() {
            for (measurement, _) in names.measurements(bucket) {
                for series in names.series_of(measurement) {
                    let key = names.series_key(*series).unwrap().to_vec();
                    for (field, column) in names.columns_of(*series) {
                        let field = names.fields(measurement)[usize::from(*field)].name.clone();
                        all.push((database.to_owned(), policy.to_owned(), key.clone(), field, *column));
                    }
                }
            }
        }
        drop(names);
        let (mut points, range) = (Points::new(), TimeRange::new(TimestampNs::MIN, TimestampNs(end)));
        for (database, policy, key, field, column) in all {
            self.engine.scan(column, range, &mut ScanCache::default(), &|_, _| false, &mut |piece| {
                let Piece::Points { times, values } = piece else { panic!("no summary was asked for") };
                points.extend(times.iter().enumerate().map(|(i, t)| {
                    let id = (database.clone(), policy.clone(), key.clone(), field.clone(), t.0);
                    (id, Value::of(values.get(i).unwrap()))
                }));
                ControlFlow::Continue(())
            });
        }
        points
    }

    /// Start of the day that has begun last; days before it may be archived.
    pub(crate) fn today(&self) -> i64 {
        Day::of(TimestampNs(self.now.load(Relaxed) - HOUR_NS)).start().0
    }

    /// What is archived is what is stored, and nothing is wrong with the files.
    pub(crate) fn check(&self) {
        assert_eq!(self.restored(), self.stored(self.today()));
        assert_eq!(wrong(self.archiver.archive()), Vec::<String>::new());
    }
}

fn clock(now: &Arc<AtomicI64>) -> Clock {
    let now = Arc::clone(now);
    Arc::new(move || TimestampNs(now.load(Relaxed)))
}

pub(crate) fn id_of(point: &RestoredPoint<'_>) -> Id {
    let c = point.content;
    (c.database.clone(), c.policy.clone(), point.series.to_vec(), point.field.to_owned(), point.time.0)
}

/// Every point of an archive; each stands in it once.
pub(crate) fn restored(archive: &Archive) -> Points {
    let mut points = Points::new();
    let visit = &mut |point: RestoredPoint<'_>| {
        assert_eq!(points.insert(id_of(&point), Value::of(point.value)), None, "twice: {point:?}");
        ControlFlow::Continue(())
    };
    archive.restore(&Selection::default(), &GO, visit).unwrap();
    points
}

/// Everything that checking finds wrong.
pub(crate) fn wrong(archive: &Archive) -> Vec<String> {
    let mut wrong = Vec::new();
    let report = &mut |finding: archive::Finding| {
        wrong.extend(finding.wrong.map(|e| e.to_string()));
        ControlFlow::Continue(())
    };
    archive.verify(&Selection::default(), &GO, report).unwrap();
    wrong
}
