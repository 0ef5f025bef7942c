//! Power cuts at every write and sync: afterwards the ledger says what it said at the last persist that came back, or at the one that
//! was under way.

use std::collections::BTreeSet;
use std::io;

use model::{TimeRange, TimestampNs};
use rollup::ledger::{Ledger, Order};
use vfs::FaultFs;

use crate::support::{A, B, PLENTY, Pair, Universe, clean, columns, mark, open, range, try_open};

/// What the files may say.
struct Stored {
    last: BTreeSet<Pair>,
    under_way: BTreeSet<Pair>,
}

impl Stored {
    fn persist(&mut self, universe: &Universe, ledger: &Ledger) -> io::Result<()> {
        self.under_way = universe.dirty(ledger);
        ledger.persist()?;
        self.last = self.under_way.clone();
        Ok(())
    }
}

/// Marks, works and persists until the power is off.
fn work(universe: &Universe, ledger: &Ledger, stored: &mut Stored) -> io::Result<()> {
    clean(ledger);
    stored.persist(universe, ledger)?;
    mark(ledger, A, &[(0, 5), (1, 5), (1, 15), (2, 100)]);
    mark(ledger, B, &[(3, -7)]);
    stored.persist(universe, ledger)?;
    let in_work = ledger.take(A, TimestampNs(50), Order::OldestFirst, 1);
    stored.persist(universe, ledger)?;
    in_work.into_iter().for_each(|work| ledger.done(work));
    ledger.mark_range(B, &columns(&[1, 4]), range(0, 120));
    stored.persist(universe, ledger)?;
    ledger.take(A, TimestampNs(50), Order::NewestFirst, 10).into_iter().for_each(|work| ledger.done(work));
    stored.persist(universe, ledger)?;
    ledger.mark_everything(B);
    stored.persist(universe, ledger)
}

fn run_until_power_is_off(fs: &FaultFs, universe: &Universe, before: BTreeSet<Pair>) -> Stored {
    let mut stored = Stored { last: before.clone(), under_way: before };
    if let Some((ledger, _)) = try_open(fs, PLENTY) {
        assert_eq!(universe.dirty(&ledger), stored.last);
        // The power is off then.
        drop(work(universe, &ledger, &mut stored));
    }
    stored
}

fn check(universe: &Universe, fs: &FaultFs, stored: &Stored, context: &str) -> BTreeSet<Pair> {
    let (ledger, report) = open(fs);
    let found = universe.dirty(&ledger);
    assert!(found == stored.last || found == stored.under_way, "{context}: {found:?}, {report:?}");
    assert!(report.findings.iter().all(|finding| finding.ends_with("ledger.2: missing")), "{context}: {report:?}");
    let (again, report) = open(&fs.crash(0));
    assert_eq!(universe.dirty(&again), found, "{context}");
    assert_eq!(report, rollup::ledger::OpenReport::default(), "{context}");
    found
}

#[test]
fn a_power_cut_at_any_operation_loses_no_mark_that_was_persisted() {
    let (whole, universe) = (FaultFs::new(), Universe::new());
    run_until_power_is_off(&whole, &universe, universe.everything());
    for stop in 0..=whole.operations() {
        for seed in 0..6 {
            let fs = FaultFs::new();
            fs.stop_after_operations(stop);
            let stored = run_until_power_is_off(&fs, &universe, universe.everything());
            check(&universe, &fs.crash(seed), &stored, &format!("stop {stop}, seed {seed}"));
        }
    }
}

#[test]
fn a_second_power_cut_while_mending_loses_nothing_either() {
    let universe = Universe::new();
    for first in [7, 15, 23, 31, 37] {
        for stop in 0..25 {
            let fs = FaultFs::new();
            fs.stop_after_operations(first);
            run_until_power_is_off(&fs, &universe, universe.everything());
            let fs = fs.crash(stop + 2);
            let found = universe.dirty(&open(&fs.crash(1)).0);
            fs.stop_after_operations(stop);
            let stored = run_until_power_is_off(&fs, &universe, found);
            check(&universe, &fs.crash(stop + 3), &stored, &format!("first {first}, stop {stop}"));
        }
    }
}

#[test]
fn a_persist_that_failed_is_made_up_for_by_the_next() {
    let (fs, universe) = (FaultFs::new(), Universe::new());
    let ledger = crate::support::open_clean(&fs);
    mark(&ledger, A, &[(1, 5)]);
    fs.fail_next_sync();
    ledger.persist().unwrap_err();
    ledger.persist().unwrap();
    fs.limit_space(0);
    mark(&ledger, B, &[(2, 5)]);
    assert_eq!(ledger.persist().unwrap_err().kind(), io::ErrorKind::StorageFull);
    fs.limit_space(u64::MAX);
    ledger.persist().unwrap();
    let found = universe.dirty(&open(&fs.crash(0)).0);
    assert_eq!(found, universe.dirty(&ledger));
    assert_eq!(found.len(), 2);
    assert_eq!(ledger.dirty(A, model::ColumnId(1), TimeRange::ALL), [range(0, 10)]);
}
