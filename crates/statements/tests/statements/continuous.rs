//! Continuous queries: run when they are due, over the windows that are due.

use catalog::{Homes, Pattern};
use model::TimestampNs;

use crate::support::{NOW, Plant, set_clock};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;

/// Sets the clock to so long after midnight, and runs what is due.
fn run_at(plant: &Plant, after: i64) {
    set_clock(TimestampNs(NOW.0 + after));
    plant.statements.run_due_queries();
}

/// A database `d` with values of 1, 2 and 3 in the first three minutes of the day.
fn plant() -> Plant {
    let plant = Plant::new();
    plant.ask("CREATE DATABASE d");
    for (minute, value) in [(0, 1.0), (1, 2.0), (2, 3.0)] {
        plant.write("autogen", &format!("m,ch=A v={value} {}", NOW.0 + minute * MINUTE));
    }
    plant
}

fn minutes(rows: &[(i64, f64)]) -> String {
    let rows: Vec<String> = rows.iter().map(|(minute, value)| format!("{} {value}", NOW.0 + minute * MINUTE)).collect();
    rows.join("; ")
}

fn counts(plant: &Plant) -> (u64, u64) {
    let counts = plant.statements.continuous_counts();
    (counts.runs, counts.failures)
}

#[test]
fn each_window_is_computed_once_it_has_ended_and_written() {
    let plant = plant();
    plant.ask("CREATE CONTINUOUS QUERY c ON d BEGIN SELECT mean(v) INTO y FROM m GROUP BY time(1m), ch END");
    run_at(&plant, 10 * SECOND);
    assert_eq!((plant.ask("SELECT * FROM y"), counts(&plant)), (String::new(), (0, 0)));
    run_at(&plant, MINUTE);
    run_at(&plant, MINUTE + SECOND);
    let y = |rows| format!("y{{ch=A}} time mean: {}", minutes(rows));
    assert_eq!((plant.ask("SELECT mean FROM y GROUP BY ch"), counts(&plant)), (y(&[(0, 1.0)]), (1, 0)));
    run_at(&plant, 3 * MINUTE + SECOND);
    let all = [(0, 1.0), (1, 2.0), (2, 3.0)];
    assert_eq!((plant.ask("SELECT mean FROM y GROUP BY ch"), counts(&plant)), (y(&all), (2, 0)));
}

#[test]
fn its_own_bounds_of_time_do_not_count_and_its_other_conditions_do() {
    let plant = plant();
    plant.ask(
        "CREATE CONTINUOUS QUERY c ON d RESAMPLE FOR 3m BEGIN SELECT sum(v) INTO y FROM m WHERE v > 1 AND time < 5 GROUP BY time(1m) END",
    );
    run_at(&plant, 3 * MINUTE);
    assert_eq!(plant.ask("SELECT sum FROM y"), format!("y time sum: {}", minutes(&[(1, 2.0), (2, 3.0)])));
}

#[test]
fn a_subquery_is_held_to_the_windows_too() {
    let plant = plant();
    plant.ask(
        "CREATE CONTINUOUS QUERY c ON d RESAMPLE FOR 2m BEGIN SELECT max(v) INTO y FROM (SELECT v FROM m) GROUP BY time(2m) END",
    );
    run_at(&plant, 2 * MINUTE);
    assert_eq!(plant.ask("SELECT max FROM y"), format!("y time max: {}", minutes(&[(0, 2.0)])));
}

#[test]
fn a_run_that_fails_is_counted_and_the_others_and_the_next_one_are_run() {
    let plant = plant();
    plant.ask("CREATE RETENTION POLICY gone ON d DURATION INF REPLICATION 1");
    plant.ask("CREATE CONTINUOUS QUERY a ON d BEGIN SELECT mean(v) INTO gone.y FROM m GROUP BY time(1m) END");
    plant.ask("CREATE CONTINUOUS QUERY b ON d BEGIN SELECT mean(v) INTO y FROM m GROUP BY time(1m) END");
    run_at(&plant, SECOND);
    plant.ask("DROP RETENTION POLICY gone ON d");
    run_at(&plant, MINUTE);
    run_at(&plant, MINUTE + SECOND);
    assert_eq!(counts(&plant), (1, 1));
    plant.ask("CREATE RETENTION POLICY gone ON d DURATION INF REPLICATION 1");
    run_at(&plant, 2 * MINUTE);
    assert_eq!(counts(&plant), (3, 1));
    assert_eq!(plant.ask("SELECT mean FROM gone.y"), format!("y time mean: {}", minutes(&[(1, 2.0)])));
}

#[test]
fn a_query_that_was_dropped_and_made_again_is_new() {
    let plant = plant();
    let create = "CREATE CONTINUOUS QUERY c ON d BEGIN SELECT mean(v) INTO y FROM m GROUP BY time(1m) END";
    plant.ask(create);
    run_at(&plant, SECOND);
    plant.ask("DROP CONTINUOUS QUERY c ON d");
    run_at(&plant, 2 * MINUTE);
    plant.ask(create);
    run_at(&plant, 2 * MINUTE + SECOND);
    assert_eq!(plant.ask("SELECT mean FROM y"), "");
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_runs() {
    let plant = plant();
    plant.ask("CREATE CONTINUOUS QUERY c ON d BEGIN SELECT mean(v) INTO y FROM m GROUP BY time(1m) END");
    run_at(&plant, 60 * MINUTE);
    run_at(&plant, SECOND);
    run_at(&plant, MINUTE);
    assert_eq!(plant.ask("SELECT mean FROM y"), format!("y time mean: {}", minutes(&[(0, 1.0)])));
}

#[test]
fn after_the_stop_nothing_is_run() {
    let plant = plant();
    plant.ask("CREATE CONTINUOUS QUERY c ON d BEGIN SELECT mean(v) INTO y FROM m GROUP BY time(1m) END");
    run_at(&plant, SECOND);
    plant.statements.stop_continuous_queries();
    run_at(&plant, MINUTE);
    assert_eq!(counts(&plant), (0, 0));
}

#[test]
fn names_without_a_policy_mean_the_home_of_the_measurement() {
    let plant = plant();
    plant.ask("CREATE RETENTION POLICY long ON d DURATION INF REPLICATION 1");
    plant.catalog.settle(Homes::new("d", vec![(Pattern::Prefix("y".to_owned()), "long".to_owned())]));
    plant.ask("CREATE CONTINUOUS QUERY c ON d BEGIN SELECT mean(v) INTO y FROM m GROUP BY time(1m) END");
    let text = plant.ask("SHOW CONTINUOUS QUERIES");
    assert!(text.contains("INTO d.long.y FROM d.autogen.m"), "{text}");
    plant.ask("DROP CONTINUOUS QUERY c ON d");
    plant.ask("CREATE CONTINUOUS QUERY c ON d BEGIN SELECT mean(v) INTO y2 FROM /^m$/ GROUP BY time(1m) END");
    let text = plant.ask("SHOW CONTINUOUS QUERIES");
    assert!(text.contains("INTO d.long.y2 FROM d../^m$/"), "{text}");
    run_at(&plant, MINUTE);
    assert_eq!(plant.ask("SELECT mean FROM y2"), format!("y2 time mean: {}", minutes(&[(0, 1.0)])));
    assert_eq!(plant.ask("SELECT mean FROM autogen.y2"), "");
}
