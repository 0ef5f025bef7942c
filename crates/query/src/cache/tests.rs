use model::{ByteSize, ColumnId, WindowNs};

use super::*;
use crate::aggregate::{Picked, Wants};
use crate::plan::Windowing;
use crate::result::Cell;

const TEN: Windowing = Windowing::Fixed { width: WindowNs::new(10).unwrap(), offset_ns: 0 };

fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(TimestampNs(start), TimestampNs(end))
}

fn question(column: u32, start: i64, end: i64) -> Question {
    let function = Function { name: "sum", arguments: Vec::new(), field: 0, kind: None, wants: Wants::Value };
    let key = Key {
        columns: vec![Some(ColumnId(column))],
        functions: vec![function],
        windows: WindowsOf::Divided(TEN, None),
        rollups: true,
    };
    Question { key, range: range(start, end), complete: vec![range(start, end)] }
}

fn grid() -> Grid {
    Grid::new(&TEN, None).unwrap()
}

/// Rows at these times, each with its time as the value.
fn rows(starts: impl Iterator<Item = i64>) -> Rows {
    let starts: Vec<_> = starts.map(TimestampNs).collect();
    let picked = starts.iter().map(|start| Some(Picked::value(Cell::Integer(start.0)))).collect();
    Rows { starts, picked: vec![picked] }
}

/// Asks; what is missing is computed and brought back. Gives the missing parts.
fn ask(cache: &Cache, column: u32, start: i64, end: i64) -> Vec<(i64, i64)> {
    let lookup = cache.begin(question(column, start, end), grid);
    let missing: Vec<_> = lookup.missing.iter().map(|part| (part.start.0, part.end.0)).collect();
    lookup.finish(&missing.iter().map(|(start, end)| rows((*start..*end).step_by(10))).collect::<Vec<_>>());
    missing
}

fn write(cache: &Cache, column: u32, time: i64) {
    cache.touched([(ColumnId(column), TimestampNs(time))].into_iter());
}

fn new(max_memory: u64) -> Cache {
    Cache::new(CacheConfig { max_memory: ByteSize(max_memory), ..CacheConfig::default() })
}

#[test]
fn a_range_that_slides_computes_what_is_new_only() {
    let cache = new(1 << 20);
    assert_eq!(ask(&cache, 1, 0, 100), [(0, 100)]);
    assert_eq!(ask(&cache, 1, 20, 120), [(100, 120)]);
    assert_eq!(ask(&cache, 1, 0, 120), []);
    assert_eq!(ask(&cache, 2, 0, 120), [(0, 120)]);
}

#[test]
fn a_write_makes_exactly_its_window_unknown() {
    let cache = new(1 << 20);
    ask(&cache, 1, 0, 100);
    ask(&cache, 2, 0, 100);
    [(1, 55), (1, 59), (3, 5), (2, 100)].into_iter().for_each(|(column, time)| write(&cache, column, time));
    assert_eq!(cache.stats().windows_invalidated, 1);
    assert_eq!(ask(&cache, 1, 0, 100), [(50, 60)]);
    assert_eq!(ask(&cache, 2, 0, 100), []);
}

#[test]
fn a_deletion_makes_all_windows_that_it_meets_unknown() {
    let cache = new(1 << 20);
    ask(&cache, 1, 0, 100);
    cache.deleted(&[ColumnId(7), ColumnId(1)], range(19, 31));
    assert_eq!(cache.stats().windows_invalidated, 3);
    assert_eq!(ask(&cache, 1, 0, 100), [(10, 40)]);
    cache.deleted(&[ColumnId(1)], TimeRange::ALL);
    assert_eq!(ask(&cache, 1, 0, 100), [(0, 100)]);
}

#[test]
fn windows_written_to_while_they_are_computed_are_not_taken_in() {
    let cache = new(1 << 20);
    let (first, second) = (cache.begin(question(1, 0, 40), grid), cache.begin(question(1, 0, 40), grid));
    write(&cache, 1, 15);
    let later = cache.begin(question(1, 0, 20), grid);
    first.finish(&[rows([0, 10, 20, 30].into_iter())]);
    assert_eq!(cache.begin(question(1, 0, 40), grid).missing, [range(10, 20)]);
    later.finish(&[rows([0, 10].into_iter())]);
    drop(second);
    assert_eq!(cache.begin(question(1, 0, 40), grid).missing, []);
    let lookup = cache.begin(question(1, 0, 50), grid);
    cache.clear();
    lookup.finish(&[rows([40].into_iter())]);
    assert_eq!((cache.stats().entries, cache.stats().bytes), (0, 0));
}

#[test]
fn an_answer_given_up_leaves_nothing_behind() {
    let cache = new(1 << 20);
    drop(cache.begin(question(1, 0, 40), grid));
    let bytes = cache.stats().bytes;
    drop(cache.begin(question(1, 0, 40), grid));
    assert_eq!(cache.stats().bytes, bytes);
    assert_eq!(ask(&cache, 1, 0, 40), [(0, 40)]);
}

#[test]
fn entries_not_used_for_longest_go_when_memory_is_full() {
    let cache = new(100_000);
    for column in 1..100 {
        ask(&cache, 0, 0, 1000);
        ask(&cache, column, 0, 1000);
        assert!(cache.stats().bytes <= 100_000);
    }
    let stats = cache.stats();
    assert!(stats.evictions > 50 && stats.entries > 5, "{stats:?}");
    assert_eq!(ask(&cache, 0, 0, 1000), [], "it was used all the time");
    assert_eq!(ask(&cache, 99, 0, 1000), []);
    assert_eq!(ask(&cache, 1, 0, 1000), [(0, 1000)]);
}

#[test]
fn an_answer_too_large_for_the_cache_drives_nothing_else_out() {
    let cache = new(100_000);
    ask(&cache, 1, 0, 1000);
    ask(&cache, 2, 0, 100_000);
    assert_eq!(ask(&cache, 1, 0, 1000), []);
    assert_eq!(cache.stats().entries, 1);
}

#[test]
fn windows_that_nobody_asks_for_any_more_are_forgotten() {
    let cache = new(1 << 30);
    (0..1000).for_each(|step| drop(ask(&cache, 1, step * 10, step * 10 + 1000)));
    let lookup = cache.begin(question(1, 0, 20_000), grid);
    let lengths: Vec<_> =
        lookup.known.iter().map(|(part, rows)| (part.end.0 - part.start.0, rows.starts.len() as i64)).collect();
    let [(length, windows)] = lengths.as_slice() else { panic!("one stretch: {lengths:?}") };
    assert!((1000..=1000 + 3 * 64 * 10).contains(length) && windows * 10 == *length, "{lengths:?}");
}

#[test]
fn scattered_gaps_are_read_as_one() {
    let cache = new(1 << 20);
    ask(&cache, 1, 0, 1000);
    (0..50).for_each(|n| write(&cache, 1, 20 * n));
    assert_eq!(ask(&cache, 1, 0, 1000), [(0, 990)]);
    assert_eq!(ask(&cache, 1, 0, 1000), []);
}
