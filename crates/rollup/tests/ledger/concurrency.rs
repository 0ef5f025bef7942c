//! Values are written and marked while windows are computed and the ledger is persisted.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use model::{ColumnId, TimestampNs};
use rollup::ledger::{Ledger, Marked, Order, What};
use vfs::FaultFs;

use crate::support::{A, open, open_clean};

const WINDOWS: usize = 40;
const COLUMNS: usize = 8;
const WRITES: usize = 30_000;

/// A number a window and column: what was written there last, or what was computed from it last.
struct Table(Vec<AtomicU32>);

impl Table {
    fn new() -> Self {
        Self((0..WINDOWS * COLUMNS).map(|_| AtomicU32::new(0)).collect())
    }

    fn cell(&self, window: usize, column: usize) -> &AtomicU32 {
        &self.0[window * COLUMNS + column]
    }

    fn values(&self) -> Vec<u32> {
        self.0.iter().map(|cell| cell.load(SeqCst)).collect()
    }
}

fn write(ledger: &Ledger, written: &Table, value: usize) {
    let (window, column) = ((value * 7919 / 100) % WINDOWS, value % COLUMNS);
    written.cell(window, column).store(value as u32, SeqCst);
    ledger.mark(A, [(ColumnId(column as u32), TimestampNs(window as i64 * 10 + 3))].into_iter());
}

fn compute(mark: &Marked, written: &Table, computed: &Table) {
    for window in 0..WINDOWS {
        if mark.range.contains(TimestampNs(window as i64 * 10)) {
            for column in (0..COLUMNS).filter(|c| mark.columns.contains(ColumnId(*c as u32))) {
                computed.cell(window, column).store(written.cell(window, column).load(SeqCst), SeqCst);
            }
        }
    }
}

/// Computes until nothing is dirty and nobody writes any more. Every third piece of work fails, or is done by half.
fn work(ledger: &Ledger, written: &Table, computed: &Table, is_over: &AtomicBool) {
    let mut pieces = 0;
    loop {
        let was_over = is_over.load(SeqCst);
        let Some(work) = ledger.take(A, TimestampNs::MAX, Order::OldestFirst, 20) else {
            if was_over && ledger.oldest(A).is_none() {
                return;
            }
            std::thread::yield_now();
            continue;
        };
        pieces += 1;
        match (work.what().clone(), pieces % 6) {
            (_, 0) => ledger.give_back(work),
            (What::Windows(windows), 3) => {
                let (first, rest) = windows.split_first().unwrap();
                compute(first, written, computed);
                ledger.done_but(work, rest.to_vec());
            }
            (what, _) => {
                what.marked().iter().for_each(|mark| compute(mark, written, computed));
                ledger.done(work);
            }
        }
    }
}

#[test]
fn what_is_computed_last_is_what_was_written_last() {
    let fs = FaultFs::new();
    let ledger = open_clean(&fs);
    let (written, computed, is_over) = (Table::new(), Table::new(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let workers = [(); 2].map(|()| scope.spawn(|| work(&ledger, &written, &computed, &is_over)));
        let persisting = scope.spawn(|| {
            while !is_over.load(SeqCst) {
                ledger.persist().unwrap();
            }
        });
        for value in 1..=WRITES {
            write(&ledger, &written, value);
            if value % 10_000 == 0 {
                ledger.mark_everything(A);
            }
        }
        is_over.store(true, SeqCst);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        persisting.join().unwrap();
    });
    assert_eq!(computed.values(), written.values());
    ledger.persist().unwrap();
    assert_eq!(open(&fs).0.oldest(A), None);
}
