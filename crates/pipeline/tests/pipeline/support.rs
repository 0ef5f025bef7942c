//! The whole write path over a disk in memory.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use ::model::{BucketId, ByteSize, ColumnId, Precision, Seq, TimeRange, TimestampNs};
use catalog::{Catalog, DEFAULT_POLICY};
use engine::{Engine, EngineConfig, Piece, ScanCache};
use journal::{Journal, JournalConfig};
use pipeline::{Applied, Applier, Intake, IntakeError, LineWrite, Origin, OriginCounts, Outcome};
use vfs::FaultFs;

/// Time of lines that have none.
pub(crate) const NOW: i64 = 77;
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything between a sender and the store, but for the applier.
pub(crate) struct Plant {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) applied: Arc<Applied>,
    pub(crate) intake: Intake,
    pub(crate) bucket: BucketId,
}

impl Plant {
    pub(crate) fn open(fs: &FaultFs, config: JournalConfig) -> Self {
        let disk: Arc<FaultFs> = Arc::new(fs.clone());
        let catalog = Arc::new(Catalog::open(disk.clone(), Path::new("catalog")).unwrap().0);
        let quiet = EngineConfig { head_max_age: Duration::from_secs(3600), ..EngineConfig::default() };
        let engine = Engine::open(disk.clone(), Path::new("engine"), Arc::clone(&catalog), quiet).unwrap().0;
        let engine = Arc::new(engine);
        let (journal, _) = Journal::open(disk, Path::new("journal"), config, engine.flushed_seq()).unwrap();
        let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY).unwrap();
        let applied = Arc::new(Applied::default());
        let intake = Intake::new(Arc::clone(&catalog), Arc::clone(&journal), Arc::clone(&applied));
        Self { catalog, engine, journal, applied, intake, bucket }
    }

    pub(crate) fn start_applier(&self) -> Applier {
        let consumer = self.journal.consumer("embedded").unwrap();
        let (journal, engine) = (Arc::clone(&self.journal), Arc::clone(&self.engine));
        Applier::start(journal, consumer, engine, Arc::clone(&self.applied), pipeline::Observers::default()).unwrap()
    }

    /// Writes a body and waits until it is visible.
    pub(crate) fn write(&self, text: &str) -> Result<Outcome, IntakeError> {
        self.write_in(text.as_bytes(), Precision::Nanosecond)
    }

    pub(crate) fn write_in(&self, text: &[u8], precision: Precision) -> Result<Outcome, IntakeError> {
        let (sender, receiver) = sync_channel(1);
        let write = LineWrite { target: &self.bucket.into(), text, precision, now: TimestampNs(NOW) };
        self.intake.write_lines(write, move |outcome| sender.send(outcome).unwrap());
        receiver.recv_timeout(PATIENCE).unwrap()
    }

    pub(crate) fn column(&self, key: &str, field: &str) -> Option<ColumnId> {
        let names = self.catalog.read();
        let series = names.series(self.bucket, key.as_bytes())?;
        Some(names.column(series, 0, field)?.0)
    }

    /// All values of a column with their times; nothing when there is no such column.
    pub(crate) fn read(&self, key: &str, field: &str) -> Vec<(i64, String)> {
        let mut found = Vec::new();
        let Some(column) = self.column(key, field) else { return found };
        let visit = &mut |piece: Piece<'_>| {
            let Piece::Points { times, values } = piece else { panic!("no summary was asked for") };
            found.extend(times.iter().enumerate().map(|(i, t)| (t.0, format!("{:?}", values.get(i).unwrap()))));
            ControlFlow::Continue(())
        };
        let report = self.engine.scan(column, TimeRange::ALL, &mut ScanCache::default(), &|_, _| false, visit);
        assert_eq!(report.damaged, Vec::<String>::new());
        found
    }

    pub(crate) fn counts(&self, origin: Origin) -> OriginCounts {
        self.intake.counters().read(origin)
    }

    /// Waits until everything durable is visible.
    pub(crate) fn settle(&self) {
        eventually("everything is visible", || self.applied.seq() >= self.journal.durable_seq());
    }
}

/// received = journaled + rejected + dropped, with nothing in flight.
pub(crate) fn assert_accounted(counts: OriginCounts) {
    assert!(counts.is_balanced() && counts.in_flight == 0, "{counts:?}");
}

pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not reached: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A journal in which a few hundred bytes fill a segment, read from the files.
pub(crate) fn tiny() -> JournalConfig {
    JournalConfig { segment_max: ByteSize(400), tail_max: ByteSize(0), ..JournalConfig::default() }
}

pub(crate) fn last_seq(plant: &Plant) -> Seq {
    plant.journal.stats().last_seq
}

pub(crate) fn floats(pairs: &[(i64, f64)]) -> Vec<(i64, String)> {
    pairs.iter().map(|(t, v)| (*t, format!("Float({v:?})"))).collect()
}
