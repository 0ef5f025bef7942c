//! A journal with a catalog on disk, and writers over them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backend::{RemoteStore, Wanted};
use catalog::{Catalog, DEFAULT_POLICY};
use journal::{FsyncPolicy, Journal, JournalConfig};
use model::wire::BatchEncoder;
use model::{BucketId, ColumnId, FieldType, FieldValue, HumanDuration, Seq, TimestampNs};
use tempfile::TempDir;
use vfs::RealFs;
use writer::dead_letters::{DeadLetters, Filter, Letter, Limits};
use writer::{Parts, StoreWriter, WriterConfig, WriterStatus};

use crate::store::{Content, Key, MemoryStore};

pub(crate) const S: Duration = Duration::from_secs(1);
pub(crate) const MS: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(30);
/// 2026-11-22, in seconds.
pub(crate) const NOW_S: i64 = 1_795_305_600;

/// What stands behind a writer.
pub(crate) struct Plant {
    pub(crate) journal: Arc<Journal>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) dead_letters: Arc<DeadLetters>,
    pub(crate) store: MemoryStore,
    pub(crate) bucket: BucketId,
    pub(crate) clock: fn() -> TimestampNs,
    pub(crate) dir: TempDir,
}

impl Plant {
    pub(crate) fn new(store: MemoryStore) -> Self {
        Self::with_journal(store, JournalConfig { fsync: FsyncPolicy::Interval(S), ..JournalConfig::default() })
    }

    pub(crate) fn with_journal(store: MemoryStore, config: JournalConfig) -> Self {
        Self::with_limits(store, config, Limits::default())
    }

    pub(crate) fn with_limits(store: MemoryStore, config: JournalConfig, limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fs = Arc::new(RealFs);
        let path = |name: &str| dir.path().join(name);
        let catalog = Arc::new(Catalog::open(fs.clone(), &path("catalog")).unwrap().0);
        let (journal, _) = Journal::open(fs, &path("journal"), config, Seq(0)).unwrap();
        let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
        let dead_letters = Arc::new(open_letters(dir.path(), limits));
        // The cursor stands before everything that is written from here on.
        drop(journal.consumer("memory").unwrap());
        let clock = || TimestampNs(NOW_S * 1_000_000_000);
        Self { journal, catalog, dead_letters, store, bucket, clock, dir }
    }

    pub(crate) fn column(&self, key: &str, field: &str, kind: FieldType) -> ColumnId {
        self.column_in(self.bucket, key, field, kind)
    }

    pub(crate) fn column_in(&self, bucket: BucketId, key: &str, field: &str, kind: FieldType) -> ColumnId {
        self.catalog.define(bucket, &[catalog::Wanted { key: key.as_bytes(), field, kind }]).unwrap();
        let names = self.catalog.read();
        names.column(names.series(bucket, key.as_bytes()).unwrap(), 0, field).unwrap().0
    }

    /// Columns `value` of the series `m,n=0`, `m,n=1` and so on.
    pub(crate) fn columns(&self, count: usize) -> Vec<ColumnId> {
        (0..count).map(|n| self.column(&format!("m,n={n}"), "value", FieldType::Float)).collect()
    }

    /// Appends a record.
    pub(crate) fn write(&self, values: &[(ColumnId, i64, FieldValue<'_>)]) -> Seq {
        let mut encoder = BatchEncoder::default();
        values.iter().for_each(|(column, time, value)| encoder.push(*column, TimestampNs(*time), *value));
        self.journal.append_wait(encoder.finish(), values.len() as u32).unwrap()
    }

    /// Appends a record with a float for each of these columns, at this time.
    pub(crate) fn write_all(&self, columns: &[ColumnId], time: i64, value: f64) -> Seq {
        let values: Vec<_> = columns.iter().map(|column| (*column, time, FieldValue::Float(value))).collect();
        self.write(&values)
    }

    pub(crate) fn start(&self, config: WriterConfig) -> StoreWriter {
        self.start_for(Arc::new(self.store.clone()), config)
    }

    fn start_for(&self, store: Arc<dyn RemoteStore>, config: WriterConfig) -> StoreWriter {
        config.check().unwrap();
        StoreWriter::start(Parts {
            store,
            journal: Arc::clone(&self.journal),
            consumer: self.journal.consumer("memory").unwrap(),
            catalog: Arc::clone(&self.catalog),
            dead_letters: Arc::clone(&self.dead_letters),
            wanted: Box::new(Wanted::default),
            config,
            clock: self.clock,
        })
        .unwrap()
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        let letters = self.dead_letters.read(Filter::default()).unwrap();
        letters.map(|entry| entry.unwrap().letter).collect()
    }

    /// The store's cursor.
    pub(crate) fn committed(&self) -> Seq {
        let stats = self.journal.stats();
        stats.consumers.iter().find(|c| c.name == "memory").unwrap().committed_seq
    }
}

pub(crate) fn open_letters(dir: &Path, limits: Limits) -> DeadLetters {
    DeadLetters::open(Arc::new(RealFs), dir, "memory", limits).unwrap()
}

/// Settings that do not wait for long.
pub(crate) fn quick() -> WriterConfig {
    WriterConfig { max_wait: HumanDuration(20 * MS), retry_delay: HumanDuration(10 * MS), ..WriterConfig::default() }
}

pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not reached: {what}");
        std::thread::sleep(MS);
    }
}

/// Ends a writer that has the time it needs, and gives its last status, whose books must balance.
pub(crate) fn stop(writer: &StoreWriter) -> WriterStatus {
    writer.stop(Instant::now() + 5 * S);
    assert!(writer.has_ended());
    let status = writer.status();
    assert_balanced(&status);
    status
}

pub(crate) fn assert_balanced(status: &WriterStatus) {
    assert_eq!(status.mismatches, 0, "{status:?}");
    assert_eq!(status.taken, status.fates.sum() + status.on_the_way, "{status:?}");
}

/// The key of a value in the series of [`Plant::columns`].
pub(crate) fn key(n: usize, time: i64) -> Key {
    ("plant".to_owned(), DEFAULT_POLICY.to_owned(), format!("m,n={n}"), "value".to_owned(), time)
}

pub(crate) fn at(content: &Content, n: usize, time: i64) -> Option<&str> {
    content.get(&key(n, time)).map(String::as_str)
}
