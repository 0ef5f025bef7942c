//! What queries get with rollups is what they get without, from the coarsest rows that are right.

use std::fmt::Write;

use query::Shortcuts;

use crate::support::{Node, hours_and_days, memory, task};

/// A Monday.
const START: i64 = 1_767_571_200;

/// A value a minute of two series over some days, with a gap.
fn minutes(days: i64) -> String {
    let mut lines = String::new();
    for minute in (0..days * 1440).filter(|minute| minute % 700 > 30) {
        let time = START + minute * 60;
        writeln!(lines, "m,s=a v={} {time}", (minute * 7 % 13) as f64 / 2.0).unwrap();
        writeln!(lines, "m,s=b v={},n={}i,w=\"x\" {time}", minute % 11 - 5, minute).unwrap();
    }
    lines
}

#[test]
fn every_aggregate_over_rows_equals_that_over_points_also_for_integers_and_groups() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, hours_and_days(None));
    node.write(&minutes(5));
    node.settle();
    let functions = "count(v), sum(v), mean(v), min(v), max(v), spread(v), first(v), last(v), stddev(v), sum(n), max(n), last(n), mean(n)";
    let days = node.same(&format!(
        "SELECT {functions} FROM m WHERE time >= {START}s AND time < {}s GROUP BY time(1d), *",
        START + 5 * 86_400
    ));
    assert_eq!(days, ["days"]);
    let hours = node.same(&format!(
        "SELECT {functions} FROM m WHERE time >= {START}s AND time < {}s GROUP BY time(6h)",
        START + 5 * 86_400
    ));
    assert_eq!(hours, ["hours"]);
    let tens = node.same(&format!(
        "SELECT {functions} FROM m WHERE time >= {START}s AND time < {}s GROUP BY time(10m)",
        START + 86_400
    ));
    assert_eq!(tens, ["raw"]);
    let both_ends =
        format!("SELECT {functions} FROM m WHERE time > {}s AND time <= {}s", START + 5000, START + 4 * 86_400 + 5000);
    assert_eq!(node.same(&both_ends), ["days", "hours", "raw"]);
    assert_eq!(node.same("SELECT mean(v) FROM m"), ["days"]);
    assert_eq!(node.same("SELECT median(v) FROM m"), ["raw"]);
    assert_eq!(node.same("SELECT count(w) FROM m"), ["raw"]);
    node.close();
}

#[test]
fn a_late_value_is_in_the_next_answer_and_then_in_the_rows() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, hours_and_days(None));
    node.write(&minutes(3));
    node.settle();
    let sum =
        format!("SELECT sum(v) FROM m WHERE time >= {START}s AND time < {}s GROUP BY time(1d)", START + 3 * 86_400);
    assert_eq!(node.same(&sum), ["days"]);
    node.write(&format!("m,s=a v=1000 {}", START + 86_400 + 7));
    node.same(&sum);
    node.settle();
    assert_eq!(node.same(&sum), ["days"]);
    let visible = node.ask(
        &format!("SELECT sum(v_max) FROM plant.hourly.m WHERE s='a' AND time = {}s", START + 86_400),
        Shortcuts::NONE,
    );
    assert_eq!(visible.0[0].cells[0], [query::Cell::Float(1000.0)]);
    node.close();
}

#[test]
fn visible_fields_of_a_rollup_of_a_rollup_are_those_of_the_points() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, hours_and_days(Some("Europe/Berlin")));
    node.write(&minutes(4));
    node.settle();
    let (rolled, _) =
        node.ask("SELECT v_mean, v_sum, v_count, n_sum FROM plant.daily.m WHERE s='b' ORDER BY time", Shortcuts::NONE);
    let text = "SELECT mean(v) AS v_mean, sum(v) AS v_sum, count(v) AS v_count, sum(n) AS n_sum FROM m WHERE s='b' GROUP BY time(1d) fill(none) tz('Europe/Berlin')";
    let (raw, _) = node.ask(text, Shortcuts::NONE);
    assert_eq!(rolled[0].times, raw[0].times);
    crate::support::assert_same(
        &[query::Table { zone: None, ..rolled[0].clone() }],
        &[query::Table { zone: None, ..raw[0].clone() }],
        text,
    );
    node.close();
}

#[test]
fn what_is_deleted_is_gone_from_rows_and_fields() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, hours_and_days(None));
    node.write(&minutes(2));
    node.settle();
    let columns: Vec<_> = {
        let names = node.catalog.read();
        let bucket = names.bucket("plant", "autogen").unwrap();
        let series = names.series(bucket, b"m,s=a").unwrap();
        names.columns_of(series).iter().map(|(_, column)| *column).collect()
    };
    let day = model::TimeRange::new(
        model::TimestampNs(i64::MIN),
        model::TimestampNs((START + 86_400 + 1800) * 1_000_000_000),
    );
    node.intake.delete(&columns, day).unwrap();
    let text = format!(
        "SELECT count(v), sum(v) FROM m WHERE time >= {START}s AND time < {}s GROUP BY time(1h), s fill(none)",
        START + 2 * 86_400
    );
    node.same(&text);
    node.settle();
    assert_eq!(node.same(&text), ["hours"]);
    let (fields, _) = node.ask("SELECT count(v_count) FROM plant.daily.m WHERE s='a'", Shortcuts::NONE);
    assert_eq!(fields[0].cells[0], [query::Cell::Integer(1)]);
    node.close();
}

#[test]
fn a_series_that_a_deletion_empties_has_no_rows_when_it_comes_again() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, hours_and_days(None));
    node.write(&format!("m,s=a v=1 {}", START + 1980));
    node.settle();
    let (series, columns): (Vec<_>, Vec<_>) = {
        let names = node.catalog.read();
        let all: Vec<_> = names.buckets().filter_map(|(bucket, ..)| names.series(bucket, b"m,s=a")).collect();
        let columns = all.iter().flat_map(|id| names.columns_of(*id)).map(|(_, column)| *column).collect();
        (all, columns)
    };
    let at = |seconds: i64| model::TimestampNs((START + seconds) * 1_000_000_000);
    node.intake.delete(&columns, model::TimeRange::new(at(1900), at(2000))).unwrap();
    node.intake.drop_empty_series(&node.engine, &series).unwrap();
    node.write(&format!("m,s=a v=7 {}", START + 5 * 3600));
    let text = format!(
        "SELECT count(v), sum(v) FROM m WHERE time >= {START}s AND time < {}s GROUP BY time(1h)",
        START + 86_400
    );
    node.same(&text);
    node.settle();
    node.same(&text);
    let (fields, _) = node.ask("SELECT v_sum FROM plant.hourly.m", Shortcuts::NONE);
    assert_eq!(fields[0].cells[0], [query::Cell::Float(7.0)]);
    node.close();
}

#[test]
fn a_field_that_has_no_value_any_more_goes() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, vec![task("hours", "autogen", "hourly", "1h", None)]);
    node.write(&format!("m v=1,n=1i {START}\nm v=3,n=3i {}", START + 60));
    node.settle();
    let ask = |text: &str| node.ask(text, Shortcuts::NONE).0;
    assert_eq!(ask("SELECT v_stddev FROM plant.hourly.m")[0].times.as_ref().unwrap().len(), 1);
    node.write(&format!("m n={}i {}", (1i64 << 60) + 1, START + 120));
    let column = {
        let names = node.catalog.read();
        let series = names.series(names.bucket("plant", "autogen").unwrap(), b"m").unwrap();
        names.column(series, 0, "v").unwrap().0
    };
    let minute = model::TimestampNs((START + 60) * 1_000_000_000);
    node.intake.delete(&[column], model::TimeRange::new(minute, minute.saturating_add(1))).unwrap();
    node.settle();
    assert!(ask("SELECT v_stddev FROM plant.hourly.m").is_empty());
    assert!(ask("SELECT n_sum FROM plant.hourly.m").is_empty() && ask("SELECT n_max FROM plant.hourly.m").is_empty());
    assert_eq!(ask("SELECT n_count FROM plant.hourly.m")[0].cells[0], [query::Cell::Integer(3)]);
    node.close();
}

#[test]
fn whole_numbers_that_do_not_fit_a_float_are_answered_from_points() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, vec![task("hours", "autogen", "hourly", "1h", None)]);
    let large = 9_007_199_254_740_993i64;
    node.write(&format!("m n={large}i {START}\nm n=2i {}\nm n=3i {}", START + 60, START + 3600));
    node.settle();
    let text = format!(
        "SELECT sum(n), max(n), count(n) FROM m WHERE time >= {START}s AND time < {}s GROUP BY time(1h)",
        START + 7200
    );
    assert_eq!(node.same(&text), ["hours", "raw"]);
    node.close();
}

#[test]
fn a_task_that_is_new_works_at_what_is_there_and_one_that_stays_goes_on() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, Vec::new());
    node.write(&minutes(2));
    node.close();
    let text =
        format!("SELECT sum(v) FROM m WHERE time >= {START}s AND time < {}s GROUP BY time(1h)", START + 2 * 86_400);
    for rows in [48, 0] {
        let node = Node::open(&fs, &dir, vec![task("hours", "autogen", "hourly", "1h", None)]);
        node.settle();
        assert_eq!(node.same(&text), ["hours"]);
        let written = node.rollups.stats().tasks[0].totals.rows;
        assert!(written >= rows, "{written} rows");
        assert!(rows > 0 || written == 0, "{written} rows made again");
        node.close();
    }
}

#[test]
fn a_database_that_was_dropped_and_made_again_starts_anew() {
    let (fs, dir) = memory();
    let node = Node::open(&fs, &dir, vec![task("hours", "autogen", "hourly", "1h", None)]);
    node.write(&minutes(1));
    node.settle();
    pipeline::drop_database(&node.catalog, &node.engine, "plant").unwrap();
    node.catalog.ensure_bucket("plant", "autogen").unwrap();
    node.catalog.create_policy("plant", "hourly", &catalog::PolicySpec::default(), false).unwrap();
    node.write(&format!("m v=5 {START}"));
    let text = "SELECT sum(v) FROM m";
    node.same(text);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    node.settle();
    assert_eq!(node.same(text), ["hours"]);
    node.close();
}
