//! Helpers shared by the journal's tests.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::{Consumer, Delivery, Follower, Journal, JournalConfig, ReadError, RecoveryReport, Stats};
use model::{ByteSize, Seq};
use vfs::FaultFs;

pub(crate) const DIR: &str = "/data/journal";

/// Small segments, so that a few records already need several.
pub(crate) fn small() -> JournalConfig {
    JournalConfig { segment_max: ByteSize(400), ..JournalConfig::default() }
}

/// The same, with nothing kept in memory: everything is read from the files.
pub(crate) fn small_from_files() -> JournalConfig {
    JournalConfig { tail_max: ByteSize(0), ..small() }
}

pub(crate) fn open_with_report(fs: &FaultFs, config: &JournalConfig) -> (Arc<Journal>, RecoveryReport) {
    Journal::open(Arc::new(fs.clone()), Path::new(DIR), config.clone(), Seq(0)).unwrap()
}

pub(crate) fn open(fs: &FaultFs, config: &JournalConfig) -> Arc<Journal> {
    open_with_report(fs, config).0
}

/// A payload that can be told from others: 100 bytes.
pub(crate) fn payload(n: u64) -> Vec<u8> {
    format!("{n:<100}").into_bytes()
}

/// Appends the payloads of `numbers`, each with 3 points.
pub(crate) fn append(journal: &Journal, numbers: std::ops::Range<u64>) {
    for n in numbers {
        journal.append_wait(payload(n), 3).unwrap();
    }
}

/// Everything that can be delivered now.
pub(crate) fn drain(consumer: &mut Consumer) -> Vec<Delivery> {
    all_of(|| consumer.next(Duration::ZERO))
}

/// Everything that a follower can be given now.
pub(crate) fn drain_follower(follower: &mut Follower) -> Vec<Delivery> {
    all_of(|| follower.next(Duration::ZERO))
}

fn all_of(mut next: impl FnMut() -> Result<Delivery, ReadError>) -> Vec<Delivery> {
    let mut all = Vec::new();
    loop {
        match next().unwrap() {
            Delivery::Idle | Delivery::Closed => return all,
            delivery => all.push(delivery),
        }
    }
}

/// Positions and contents of the records among `deliveries`.
pub(crate) fn records(deliveries: &[Delivery]) -> Vec<(u64, Vec<u8>)> {
    let record = |d: &Delivery| match d {
        Delivery::Record { seq, payload, .. } => Some((seq.0, payload.to_vec())),
        _ => None,
    };
    deliveries.iter().filter_map(record).collect()
}

pub(crate) fn seqs(deliveries: &[Delivery]) -> Vec<u64> {
    records(deliveries).into_iter().map(|(seq, _)| seq).collect()
}

/// Paths of the segments, oldest first.
pub(crate) fn segment_files(fs: &FaultFs) -> Vec<PathBuf> {
    use vfs::Fs;
    let names = fs.list(Path::new(DIR)).unwrap();
    names.iter().filter(|n| n.ends_with(".seg")).map(|n| Path::new(DIR).join(n)).collect()
}

/// Waits for what another thread is about to do.
pub(crate) fn eventually(journal: &Journal, holds: impl Fn(&Stats) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds(&journal.stats()) {
        assert!(Instant::now() < deadline, "not reached: {:?}", journal.stats());
        std::thread::sleep(Duration::from_millis(1));
    }
}
