//! Stored points: joining, grouping, order, limits.

use crate::support::{MemoryStore, cells, count, everything, integers, run, run_within, stored, times};
use model::Values;
use query::plan::{Order, Select, Source};
use query::result::{Cell, QueryError};
use query::{Cancel, Limits};

fn ints(values: &[i64]) -> Values {
    Values::Integer(values.to_vec())
}

/// Two series, one with two fields.
fn source() -> MemoryStore {
    let mut source = MemoryStore::new();
    let two = vec![("a", vec![1, 2, 4], ints(&[10, 20, 40])), ("b", vec![2, 3, 4], ints(&[-2, -3, -4]))];
    source.add("channel=1,type=m", two);
    source.add("channel=2", vec![("a", vec![2, 5], ints(&[200, 500]))]);
    source
}

fn plan(group_by: &[&str], order: Order, limit: Option<usize>, offset: usize) -> Select {
    stored(everything(0, 100, group_by), order, limit, offset)
}

#[test]
fn fields_of_a_series_are_joined_by_time() {
    let result = run(&plan(&["*"], Order::Ascending, None, 0), &source());
    let [first, second] = result.series.as_slice() else { panic!("two series") };
    assert_eq!(times(first), [1, 2, 3, 4]);
    assert_eq!(integers(cells(first, "a")), [Some(10), Some(20), None, Some(40)]);
    assert_eq!(integers(cells(first, "b")), [None, Some(-2), Some(-3), Some(-4)]);
    assert_eq!(first.tags, [("channel".to_owned(), "1".to_owned()), ("type".to_owned(), "m".to_owned())]);
    assert_eq!(integers(cells(second, "b")), [None, None]);
    assert_eq!(second.tags, [("channel".to_owned(), "2".to_owned())], "tags that a series has not are left out");
}

#[test]
fn without_grouping_rows_are_merged_and_carry_their_tags() {
    let result = run(&plan(&[], Order::Ascending, None, 0), &source());
    let [merged] = result.series.as_slice() else { panic!("one series") };
    assert_eq!(times(merged), [1, 2, 2, 3, 4, 5]);
    assert_eq!(integers(cells(merged, "a")), [Some(10), Some(20), Some(200), None, Some(40), Some(500)]);
    assert_eq!(cells(merged, "channel")[2], Cell::String("2".to_owned()));
    assert_eq!(cells(merged, "type")[1..3], [Cell::String("m".to_owned()), Cell::Null]);
}

#[test]
fn a_tag_named_as_a_field_gets_a_number() {
    let mut source = MemoryStore::new();
    source.add("a=x", vec![("a", vec![1], ints(&[1]))]);
    let result = run(&plan(&[], Order::Ascending, None, 0), &source);
    let names: Vec<_> = result.series[0].columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["a", "a_1"]);
}

#[test]
fn grouping_by_tags_takes_a_missing_one_as_empty() {
    let result = run(&plan(&["type"], Order::Ascending, None, 0), &source());
    let tags: Vec<_> = result.series.iter().map(|s| s.tags[0].1.as_str()).collect();
    assert_eq!(tags, ["", "m"]);
    assert_eq!(result.series[1].columns.len(), 2);
}

#[test]
fn offset_and_limit_count_from_the_end_that_the_order_starts_at() {
    let ascending = run(&plan(&["*"], Order::Ascending, Some(2), 1), &source());
    assert_eq!(times(&ascending.series[0]), [2, 3]);
    let descending = run(&plan(&["*"], Order::Descending, Some(2), 1), &source());
    assert_eq!(times(&descending.series[0]), [3, 2]);
    assert_eq!(integers(cells(&descending.series[0], "a")), [None, Some(20)]);
    assert_eq!(times(&descending.series[1]), [2]);
    let merged = run(&plan(&[], Order::Descending, Some(2), 3), &source());
    assert_eq!(times(&merged.series[0]), [2, 2]);
    assert_eq!(integers(cells(&merged.series[0], "a")), [Some(20), Some(200)]);
}

#[test]
fn a_limit_ends_the_scan_and_the_newest_row_needs_none() {
    let mut source = MemoryStore::new();
    source.add("c=1", vec![("a", (0..1000).collect(), Values::Integer((0..1000).collect()))]);
    let first = stored(everything(0, 1000, &["*"]), Order::Ascending, Some(4), 0);
    assert_eq!(times(&run(&first, &source).series[0]), [0, 1, 2, 3]);
    assert_eq!(count(&source.points_read), 6);
    let last = stored(everything(0, 1000, &["*"]), Order::Descending, Some(1), 0);
    assert_eq!(times(&run(&last, &source).series[0]), [999]);
    assert_eq!(count(&source.points_read), 7);
}

#[test]
fn newest_first_holds_only_what_the_answer_needs() {
    let mut source = MemoryStore::new();
    source.add("c=1", vec![("a", (0..1000).collect(), Values::Integer((0..1000).collect()))]);
    let plan = stored(everything(0, 1000, &["*"]), Order::Descending, Some(3), 2);
    let limits = Limits { max_points: 20, ..Limits::default() };
    let result = run_within(&plan, &source, &limits, &Cancel::new()).unwrap();
    assert_eq!(integers(cells(&result.series[0], "a")), [Some(997), Some(996), Some(995)]);
}

#[test]
fn too_many_rows_cut_the_answer_short_and_say_so() {
    let limits = Limits { max_rows: 5, ..Limits::default() };
    let plan = plan(&["*"], Order::Ascending, None, 0);
    let result = run_within(&plan, &source(), &limits, &Cancel::new()).unwrap();
    assert!(result.partial);
    assert_eq!(result.warnings, ["cut short at max_rows = 5 rows"]);
    assert_eq!(result.series.iter().map(|s| s.times.len()).collect::<Vec<_>>(), [4, 1]);
    let exactly = Limits { max_rows: 6, ..Limits::default() };
    assert!(!run_within(&plan, &source(), &exactly, &Cancel::new()).unwrap().partial);
}

#[test]
fn every_limit_is_named_when_it_is_met() {
    let refused = |limits| {
        let plan = plan(&["*"], Order::Ascending, None, 0);
        run_within(&plan, &source(), &limits, &Cancel::new()).unwrap_err().to_string()
    };
    let default = Limits::default();
    assert_eq!(
        refused(Limits { max_series: 1, ..default }),
        "the query would exceed max_series = 1: 2 series are selected"
    );
    assert_eq!(refused(Limits { max_points: 5, ..default }), "the query would exceed max_points = 5: 6 points to hold");
    let memory = refused(Limits { max_memory: model::ByteSize(100), ..default });
    assert!(memory.starts_with("the query would exceed max_memory = 100B: "), "{memory}");
}

#[test]
fn a_query_stops_when_cancelled_or_late() {
    let plan = plan(&["*"], Order::Ascending, None, 0);
    let cancel = Cancel::new();
    cancel.clone().cancel();
    let error = run_within(&plan, &source(), &Limits::default(), &cancel).unwrap_err();
    assert_eq!(error.to_string(), "the query was cancelled: the caller went away");
    let limits = Limits { timeout: std::time::Duration::ZERO, ..Limits::default() };
    let error = run_within(&plan, &source(), &limits, &Cancel::new()).unwrap_err();
    assert_eq!(error.to_string(), "the query was cancelled: its time was up");
}

#[test]
fn damage_becomes_a_warning_once_and_a_missing_database_an_error() {
    let mut source = source();
    source.damaged = vec!["block 7: checksum".to_owned()];
    let result = run(&plan(&["*"], Order::Ascending, None, 0), &source);
    assert_eq!(result.warnings, ["block 7: checksum"]);
    let mut elsewhere = plan(&["*"], Order::Ascending, None, 0);
    let [Source::Measurement(measurement)] = elsewhere.sources.as_mut_slice() else { panic!("one measurement") };
    measurement.database = "nowhere".to_owned();
    let error = run_within(&elsewhere, &source, &Limits::default(), &Cancel::new()).unwrap_err();
    assert!(matches!(error, QueryError::NotFound { what: "database", .. }));
}

#[test]
fn an_empty_range_has_no_rows() {
    let plan = stored(everything(3, 3, &["*"]), Order::Ascending, None, 0);
    assert!(run(&plan, &source()).series.is_empty());
}
