//! The embedded engine over a disk in memory, with the whole way into it: it is a subject, and what others are compared with.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backend::{Destination, Embedded, PointList, Points as _};
use catalog::Catalog;
use engine::{Engine, EngineConfig};
use journal::{Journal, JournalConfig};
use model::{BucketId, TimestampNs};
use pipeline::{Applied, Applier, Intake, Origin};
use vfs::FaultFs;

/// Longest time until what was written is visible.
const PATIENCE: Duration = Duration::from_secs(20);

/// Engine, journal, and what lies between.
pub(crate) struct Plant {
    pub(crate) store: Embedded,
    catalog: Arc<Catalog>,
    journal: Arc<Journal>,
    applied: Arc<Applied>,
    intake: Intake,
    _applier: Applier,
}

impl Plant {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let disk = Arc::new(FaultFs::default());
        let catalog = Arc::new(Catalog::open(disk.clone(), Path::new("catalog")).unwrap().0);
        let opened = Engine::open(disk.clone(), Path::new("engine"), Arc::clone(&catalog), EngineConfig::default());
        let engine = Arc::new(opened.unwrap().0);
        let opened = Journal::open(disk, Path::new("journal"), JournalConfig::default(), engine.flushed_seq());
        let journal = opened.unwrap().0;
        let applied = Arc::new(Applied::default());
        let intake = Intake::new(Arc::clone(&catalog), Arc::clone(&journal), Arc::clone(&applied));
        let consumer = journal.consumer("embedded").unwrap();
        let applier = Applier::start(
            Arc::clone(&journal),
            consumer,
            Arc::clone(&engine),
            Arc::clone(&applied),
            pipeline::Observers::default(),
        )
        .unwrap();
        let store = Embedded::new(Arc::clone(&catalog), engine, || TimestampNs(0));
        Self { store, catalog, journal, applied, intake, _applier: applier }
    }

    /// Makes database and policy, as far as they are missing.
    pub(crate) fn make(&self, place: &Destination) -> BucketId {
        self.catalog.ensure_bucket(&place.database, &place.policy).unwrap()
    }

    /// Stores points and waits until they are visible. Gives the number of those that contradict their field's type.
    pub(crate) fn write(&self, points: &PointList) -> u64 {
        let rejected = || self.intake.counters().read(Origin::Redis).rejected;
        let rejected_before = rejected();
        let mut batch = self.intake.batch(self.make(points.place()), Origin::Redis);
        points.visit(0..points.len(), &mut |p| batch.push(p.series, p.field, p.value, p.time));
        batch.flush().unwrap();
        self.settle();
        rejected() - rejected_before
    }

    fn settle(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.applied.seq() < self.journal.durable_seq() {
            assert!(Instant::now() < deadline, "the embedded engine does not catch up");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
