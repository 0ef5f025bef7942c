//! What is handed out together, and what is not.

use std::path::Path;
use std::sync::Arc;

use model::{ColumnId, TimeRange, TimestampNs, WindowNs};
use query::execute::Grid;
use query::plan::Windowing;
use rollup::ledger::{Columns, Ledger, Marked, Order, TaskSpec, What};
use vfs::FaultFs;

use crate::support::{A, PLENTY, columns, mark, open, open_clean, range, some};

const RIPE: TimestampNs = TimestampNs(100);

fn marked(start: i64, end: i64, columns: Columns) -> Marked {
    Marked { range: range(start, end), columns }
}

/// Takes, and says done.
fn next(ledger: &Ledger, order: Order, max: usize) -> Option<What> {
    let work = ledger.take(A, RIPE, order, max)?;
    let what = work.what().clone();
    ledger.done(work);
    Some(what)
}

fn ledger() -> Ledger {
    open_clean(&FaultFs::new())
}

#[test]
fn windows_that_follow_each_other_with_about_the_same_columns_are_one_piece_of_work() {
    let ledger = ledger();
    mark(
        &ledger,
        A,
        &[(1, 0), (2, 0), (1, 10), (2, 10), (1, 20), (5, 30), (6, 30), (7, 30), (1, 50), (1, 95), (1, 105)],
    );
    let run = vec![marked(0, 10, some(&[1, 2])), marked(10, 20, some(&[1, 2])), marked(20, 30, some(&[1]))];
    assert_eq!(next(&ledger, Order::OldestFirst, 100), Some(What::Windows(run)));
    let windows = [marked(30, 40, some(&[5, 6, 7])), marked(50, 60, some(&[1])), marked(90, 100, some(&[1]))];
    for window in windows {
        assert_eq!(next(&ledger, Order::OldestFirst, 100), Some(What::Windows(vec![window])));
    }
    assert_eq!(next(&ledger, Order::OldestFirst, 100), None);
    assert_eq!(ledger.oldest(A), Some(TimestampNs(100)));
}

#[test]
fn the_newest_come_first_when_they_are_to_and_ascending_all_the_same() {
    let ledger = ledger();
    mark(&ledger, A, &[(1, 0), (1, 10), (1, 20), (1, 30), (9, 90)]);
    assert_eq!(next(&ledger, Order::NewestFirst, 100), Some(What::Windows(vec![marked(90, 100, some(&[9]))])));
    let newest = vec![marked(20, 30, some(&[1])), marked(30, 40, some(&[1]))];
    assert_eq!(next(&ledger, Order::NewestFirst, 2), Some(What::Windows(newest)));
}

#[test]
fn of_a_window_with_more_columns_than_wanted_some_are_left() {
    let ledger = ledger();
    mark(&ledger, A, &[(1, 0), (2, 0), (3, 0)]);
    assert_eq!(next(&ledger, Order::OldestFirst, 2), Some(What::Windows(vec![marked(0, 10, some(&[1, 2]))])));
    assert_eq!(next(&ledger, Order::OldestFirst, 2), Some(What::Windows(vec![marked(0, 10, some(&[3]))])));
    assert_eq!(next(&ledger, Order::OldestFirst, 2), None);
}

#[test]
fn what_is_touched_while_in_work_stays_dirty_and_is_handed_out_after_that() {
    let ledger = ledger();
    mark(&ledger, A, &[(1, 0), (2, 0)]);
    let work = ledger.take(A, RIPE, Order::OldestFirst, 100).unwrap();
    mark(&ledger, A, &[(1, 5), (7, 15)]);
    assert_eq!(next(&ledger, Order::OldestFirst, 100), Some(What::Windows(vec![marked(10, 20, some(&[7]))])));
    assert_eq!(next(&ledger, Order::OldestFirst, 100), None);
    ledger.done(work);
    assert_eq!(ledger.dirty(A, ColumnId(2), TimeRange::ALL), []);
    assert_eq!(next(&ledger, Order::OldestFirst, 100), Some(What::Windows(vec![marked(0, 10, some(&[1]))])));
    assert_eq!(ledger.oldest(A), None);
}

#[test]
fn a_stretch_comes_whole_and_what_remains_of_it_goes_back() {
    let (ledger, _) = open(&FaultFs::new());
    let work = ledger.take(A, RIPE, Order::NewestFirst, 100).unwrap();
    assert_eq!(*work.what(), What::Range(Marked { range: TimeRange::ALL, columns: Columns::All }));
    mark(&ledger, A, &[(1, 33)]);
    ledger.done_but(work, vec![marked(-20, 20, Columns::All), marked(98, 122, some(&[3])), marked(48, 49, some(&[4]))]);
    assert_eq!(ledger.dirty(A, ColumnId(3), TimeRange::ALL), [range(-20, 20), range(90, 130)]);
    assert_eq!(next(&ledger, Order::NewestFirst, 9), Some(What::Range(marked(90, 130, some(&[3])))));
    assert_eq!(next(&ledger, Order::NewestFirst, 9), Some(What::Windows(vec![marked(40, 50, some(&[4]))])));
    assert_eq!(next(&ledger, Order::NewestFirst, 9), Some(What::Windows(vec![marked(30, 40, some(&[1]))])));
    assert_eq!(next(&ledger, Order::NewestFirst, 9), Some(What::Range(marked(-20, 20, Columns::All))));
    assert_eq!(next(&ledger, Order::NewestFirst, 9), None);
}

#[test]
fn a_stretch_of_which_no_window_has_ended_is_not_handed_out() {
    let ledger = ledger();
    ledger.mark_range(A, &columns(&[1]), TimeRange::new(TimestampNs(95), TimestampNs::MAX));
    assert_eq!(ledger.take(A, TimestampNs(99), Order::OldestFirst, 1), None);
    let work = ledger.take(A, RIPE, Order::OldestFirst, 1).unwrap();
    assert_eq!(
        work.what().marked(),
        [Marked { range: TimeRange::new(TimestampNs(90), TimestampNs::MAX), columns: some(&[1]) }]
    );
    ledger.give_back(work);
    assert_eq!(ledger.oldest(A), Some(TimestampNs(90)));
}

#[test]
fn figures_tell_what_is_dirty() {
    let ledger = ledger();
    mark(&ledger, A, &[(1, 0), (2, 0), (1, 40)]);
    ledger.mark_range(A, &columns(&[1]), range(200, 300));
    let work = ledger.take(A, RIPE, Order::NewestFirst, 1).unwrap();
    let stats = &ledger.stats()[A.0];
    assert_eq!((stats.windows, stats.pairs, stats.ranges, stats.in_work), (1, 2, 1, 1));
    assert_eq!((stats.name.as_str(), stats.oldest, stats.coarsened), ("a", Some(TimestampNs(0)), 0));
    assert!((100..2000).contains(&stats.bytes.0), "{:?}", stats.bytes);
    ledger.done(work);
}

#[test]
fn windows_that_overlap_where_clocks_are_set_back_are_marked_as_one() {
    const HOUR: i64 = 3_600_000_000_000;
    // 2026-10-25T00:00:00Z, an hour before Berlin's clocks go back from 03:00 to 02:00.
    const MIDNIGHT: i64 = 1_792_886_400_000_000_000;
    let at = |half_hours: i64| MIDNIGHT + half_hours * HOUR / 2;
    let windowing = Windowing::Fixed { width: WindowNs::new(2 * HOUR).unwrap(), offset_ns: 0 };
    let grid = Grid::new(&windowing, Some("Europe/Berlin")).unwrap();
    let overlap = [1, 3].map(|n| grid.containing(TimestampNs(at(n))));
    assert_eq!(overlap, [range(at(0), at(6)), range(at(2), at(6))]);
    let task = TaskSpec { name: "a".to_owned(), fingerprint: String::new(), grid };
    let fs = Arc::new(FaultFs::new());
    let (ledger, _) = Ledger::open(fs, Path::new("ledger"), vec![task], PLENTY).unwrap();
    ledger.done(ledger.take(A, TimestampNs::MAX, Order::OldestFirst, 1).unwrap());
    mark(&ledger, A, &[(1, at(3)), (2, at(1)), (3, at(3))]);
    let whole = vec![marked(at(0), at(6), some(&[1, 2, 3]))];
    assert_eq!(ledger.dirty(A, ColumnId(1), range(at(5), at(5) + 1)), [range(at(0), at(6))]);
    let work = ledger.take(A, TimestampNs(at(6)), Order::OldestFirst, 9).unwrap();
    assert_eq!(*work.what(), What::Windows(whole));
}
