//! Memory is bounded, and what does not fit is marked more coarsely, never less.

use model::{ByteSize, ColumnId, TimeRange, TimestampNs};
use rollup::ledger::{Ledger, LedgerLimits, Order, TaskStats};
use vfs::FaultFs;

use crate::support::{A, B, clean, columns, try_open};

fn ledger(max_memory: u64) -> Ledger {
    let (ledger, _) = try_open(&FaultFs::new(), LedgerLimits { max_memory: ByteSize(max_memory) }).unwrap();
    clean(&ledger);
    ledger
}

/// As an import does: each of the columns through all windows, one column after the other.
fn import(ledger: &Ledger, ids: impl Iterator<Item = u32>, windows: i64, step: i64) {
    for id in ids {
        ledger.mark(A, (0..windows).map(|n| (ColumnId(id), TimestampNs(n * step))));
    }
}

fn stats(ledger: &Ledger) -> TaskStats {
    ledger.stats().swap_remove(A.0)
}

fn is_dirty(ledger: &Ledger, column: u32, time: i64) -> bool {
    !ledger.dirty(A, ColumnId(column), TimeRange::new(TimestampNs(time), TimestampNs(time + 1))).is_empty()
}

#[test]
fn equal_sets_of_columns_are_kept_once_and_nothing_becomes_coarse() {
    let ledger = ledger(2 * 200_000);
    import(&ledger, 0..200, 800, 10);
    let stats = stats(&ledger);
    assert_eq!((stats.coarsened, stats.windows, stats.pairs), (0, 800, 160_000));
    assert!(!is_dirty(&ledger, 200, 55) && is_dirty(&ledger, 199, 55));
    assert!(stats.bytes < ByteSize(200_000), "{stats:?}");
}

#[test]
fn columns_are_forgotten_first_where_there_are_most() {
    let ledger = ledger(2 * 100_000);
    // Too different from each other to be kept once.
    for n in 0..300u32 {
        let many = if n < 150 { 400 } else { 4 };
        ledger.mark(A, (0..many).map(|i| (ColumnId(i * 1000 + n), TimestampNs(i64::from(n) * 10))));
    }
    let stats = stats(&ledger);
    assert!(stats.coarsened > 0 && stats.bytes <= ByteSize(100_000), "{stats:?}");
    assert_eq!((stats.windows, stats.ranges), (300, 0));
    assert!(is_dirty(&ledger, 9, 5), "marked for all columns");
    assert!(!is_dirty(&ledger, 9, 2995) && is_dirty(&ledger, 299, 2995));
}

#[test]
fn windows_become_stretches_when_there_are_too_many() {
    let ledger = ledger(2 * 50_000);
    for windows in [3_000, 15_000] {
        import(&ledger, [1, 70_000, 900_000].into_iter(), windows, 20);
        let stats = stats(&ledger);
        assert!(stats.bytes <= ByteSize(50_000), "{stats:?}");
        assert!((0..windows).all(|n| is_dirty(&ledger, 70_000, n * 20)));
    }
    assert_eq!(ledger.oldest(A), Some(TimestampNs(0)));
    assert_eq!(ledger.oldest(B), None);
    let last = ledger.dirty(A, ColumnId(1), TimeRange::ALL).last().copied().unwrap();
    assert!(last.end >= TimestampNs(299_990) && last.end < TimestampNs(600_000), "{last:?}");
}

#[test]
fn stretches_are_bounded_too() {
    let ledger = ledger(2 * 200_000);
    for n in 0..3_000 {
        let range = TimeRange::new(TimestampNs(i64::from(n) * 100), TimestampNs(i64::from(n) * 100 + 50));
        ledger.mark_range(A, &columns(&[n, 1_000_000 - n]), range);
    }
    let stats = stats(&ledger);
    assert!(stats.bytes <= ByteSize(200_000), "{stats:?}");
    assert!((0..3_000).all(|n| is_dirty(&ledger, n, i64::from(n) * 100 + 49)));
}

#[test]
fn everything_coarse_can_still_be_done() {
    let ledger = ledger(2 * 10_000);
    import(&ledger, 0..20, 3_000, 20);
    ledger.mark_range(A, &columns(&[1, 2]), TimeRange::new(TimestampNs(5), TimestampNs::MAX));
    while let Some(work) = ledger.take(A, TimestampNs::MAX, Order::NewestFirst, 100) {
        ledger.done(work);
    }
    assert_eq!(ledger.oldest(A), None);
}
