//! SELECT, INTO and EXPLAIN.

use model::TimestampNs;

use crate::support::{Plant, set_clock};

#[test]
fn queries_read_the_default_policy_or_the_one_named() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("SELECT v FROM m"), "m time v: 1710028800000000000 1; 1710028860000000000 2");
    assert_eq!(plant.ask("SELECT v FROM r2.m"), "m time v: 1710028800000000000 1");
    assert_eq!(plant.ask("SELECT v FROM nosuch"), "");
    assert_eq!(plant.ask("SELECT v FROM x..m"), "error: database not found: x");
    assert_eq!(plant.ask("SELECT v FROM norp.m"), "error: retention policy not found: norp");
    assert_eq!(plant.ask_in(None, "SELECT v FROM m"), "error: database name required");
}

#[test]
fn an_altered_policy_counts_from_the_next_query_on() {
    let plant = Plant::with_values();
    set_clock(TimestampNs(1_710_028_800_000_000_000 + 3_600_000_000_001));
    let both = "m time v: 1710028800000000000 1; 1710028860000000000 2";
    assert_eq!(plant.ask("SELECT v FROM m"), both);
    plant.ask("ALTER RETENTION POLICY autogen ON d DURATION 1h SHARD DURATION 1h");
    assert_eq!(plant.ask("SELECT v FROM m"), "m time v: 1710028860000000000 2");
    assert!(plant.ask("EXPLAIN SELECT v FROM m").contains("NUMBER OF POINTS: 1"));
    assert_eq!(plant.ask("SELECT v FROM r2.m"), "m time v: 1710028800000000000 1");
    plant.ask("ALTER RETENTION POLICY autogen ON d DURATION INF");
    assert_eq!(plant.ask("SELECT v FROM m"), both);
}

#[test]
fn rows_are_written_with_the_tags_grouped_by() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("SELECT v, ch INTO m9 FROM m"), "result time written: 0 2");
    assert_eq!(plant.ask("SHOW FIELD KEYS FROM m9"), "m9 fieldKey fieldType: ch string; v float");
    assert_eq!(plant.ask("SHOW SERIES FROM m9"), " key: m9");
    assert_eq!(plant.ask("SELECT v, q INTO r2.m8 FROM m GROUP BY *"), "result time written: 0 3");
    assert_eq!(plant.ask("SHOW SERIES FROM m8"), " key: m8,ch=A,pt=U; m8,ch=B,pt=U; m8,ch=D");
    assert_eq!(plant.ask("SELECT q FROM r2.m8"), "m8 time q: 1510028860000000000 7; 1710028800000000000 1");
}

#[test]
fn all_measurements_are_copied_under_their_own_names() {
    let plant = Plant::with_values();
    plant.ask("CREATE DATABASE copy");
    assert_eq!(plant.ask("SELECT * INTO copy.autogen.:MEASUREMENT FROM /.*/ GROUP BY *"), "result time written: 0 6");
    let keys = " key: e\\ x,a\\ b=c\\,d; m,ch=A,pt=U; m,ch=B,pt=U; m,ch=D; m2,ch=A; n";
    assert_eq!(plant.ask_in(Some("copy"), "SHOW SERIES"), keys);
    assert_eq!(plant.ask_in(Some("copy"), "SELECT v FROM n"), "n time v: 1710028860000000000 x");
}

#[test]
fn a_target_must_exist_and_take_the_types() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("SELECT v INTO nodb..x FROM m"), "error: database not found: nodb");
    assert_eq!(plant.ask("SELECT v INTO norp.x FROM m"), "error: retention policy not found: norp");
    let conflict = plant.ask("SELECT v INTO n FROM m");
    assert!(conflict.contains("partial write: field type conflict") && conflict.ends_with("dropped=2"), "{conflict}");
    assert_eq!(plant.ask("SELECT v INTO x FROM nosuch"), "result time written: 0 0");
}

#[test]
fn a_plan_tells_what_would_be_read_and_analyze_what_was() {
    let plant = Plant::with_values();
    let plan = plant.ask("EXPLAIN SELECT v FROM m");
    assert!(plan.starts_with(" QUERY PLAN: EXPRESSION: v;"), "{plan}");
    assert!(plan.contains("NUMBER OF SERIES: 3;"), "{plan}");
    let done = plant.ask("EXPLAIN ANALYZE SELECT v INTO x FROM m GROUP BY ch");
    assert!(done.contains("SERIES ANSWERED: 2; ROWS ANSWERED: 2; CACHE: bypass"), "{done}");
    assert_eq!(plant.ask("SHOW SERIES FROM x"), "");
    assert_eq!(plant.ask_in(None, "EXPLAIN SELECT v FROM m"), "error: database name required");
}
