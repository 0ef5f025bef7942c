//! What is deleted and dropped is gone at once, and nothing else is.

use crate::support::Plant;

#[test]
fn values_are_deleted_by_tag_and_time_in_all_policies() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("DELETE FROM m WHERE ch =~ /[AC]/ AND time <= '2024-03-10T00:00:00Z'"), "");
    assert_eq!(plant.ask("SHOW SERIES FROM m"), " key: m,ch=B,pt=U; m,ch=D");
    assert_eq!(plant.ask("SELECT v, ch FROM m"), "m time v ch: 1710028860000000000 2 B");
}

#[test]
fn a_series_with_values_left_stays() {
    let plant = Plant::with_values();
    plant.write("autogen", "m,ch=A,pt=U v=5 1710028900000000000");
    plant.ask("DELETE FROM m WHERE ch = 'A' AND time < '2024-03-10T00:01:00Z'");
    assert_eq!(plant.ask("SHOW SERIES FROM m WHERE ch = 'A'"), " key: m,ch=A,pt=U");
    assert_eq!(plant.ask("SELECT v FROM m WHERE ch = 'A'"), "m time v: 1710028900000000000 5");
}

#[test]
fn types_outlive_a_deletion_but_not_a_dropped_measurement() {
    let plant = Plant::with_values();
    plant.ask("DELETE FROM m");
    assert_eq!(plant.ask("SHOW MEASUREMENTS"), "measurements name: e x; m2; n; only2");
    plant.write("autogen", "m v=3 1710028860000000000");
    assert_eq!(plant.ask("SHOW FIELD KEYS FROM m"), "m fieldKey fieldType: q integer; v float");
    plant.ask("DROP MEASUREMENT m; DROP MEASUREMENT nosuch");
    plant.write("autogen", "m v=\"now a text\" 1710028860000000000");
    assert_eq!(plant.ask("SHOW FIELD KEYS FROM m"), "m fieldKey fieldType: v string");
}

#[test]
fn everything_before_a_time_is_deleted_without_from() {
    let plant = Plant::with_values();
    plant.ask("DELETE WHERE time < '2024-01-01'");
    assert_eq!(plant.ask("SHOW SERIES"), " key: m,ch=A,pt=U; m,ch=B,pt=U; m,ch=C,zz=1; m2,ch=A; n; only2,k=v");
}

#[test]
fn fields_are_no_condition_for_a_deletion() {
    let plant = Plant::with_values();
    let refused = "error: fields not supported in WHERE clause during deletion";
    for statement in ["DELETE FROM m WHERE v = 1", "DELETE WHERE v = 1 OR ch = 'A'", "DROP SERIES FROM m WHERE x = 5"] {
        assert_eq!(plant.ask(statement), refused, "{statement}");
    }
    assert_eq!(plant.ask("DELETE FROM m WHERE nosuch = 'x'"), "");
    assert_eq!(
        plant.ask("DROP SERIES FROM m WHERE time > now() - 1d"),
        "error: DROP SERIES doesn't support time in WHERE clause"
    );
    assert_eq!(
        plant.ask("DELETE FROM m WHERE time > 'abc'"),
        "error: invalid operation: time and *influxql.StringLiteral are not compatible"
    );
    assert_eq!(plant.ask("SHOW SERIES CARDINALITY"), " cardinality estimation: 8");
}

#[test]
fn series_are_dropped_by_name_and_tag() {
    let plant = Plant::with_values();
    plant.ask("DROP SERIES FROM /^m/ WHERE ch = 'A'; DROP SERIES FROM nosuch");
    assert_eq!(plant.ask("SHOW SERIES FROM /^m/"), " key: m,ch=B,pt=U; m,ch=C,zz=1; m,ch=D");
    assert_eq!(plant.ask("SELECT q FROM m"), "m time q: 1510028860000000000 7");
}

#[test]
fn a_database_is_needed() {
    let plant = Plant::with_values();
    for statement in ["DELETE FROM m", "DROP MEASUREMENT m", "DROP SERIES FROM m"] {
        assert_eq!(plant.ask_in(None, statement), "error: database not found: ", "{statement}");
        assert_eq!(plant.ask_in(Some("x"), statement), "error: database not found: x", "{statement}");
    }
}

#[test]
fn a_dropped_shard_loses_its_values_and_no_others() {
    let plant = Plant::with_values();
    plant.engine.flush().unwrap();
    let shown = plant.ask("SHOW SHARD GROUPS");
    let oldest = shown.split_once(": ").unwrap().1.split(' ').next().unwrap().to_owned();
    assert_eq!(plant.ask(&format!("DROP SHARD {oldest}; DROP SHARD 99")), "--");
    assert_eq!(plant.ask("SHOW SERIES FROM m"), " key: m,ch=A,pt=U; m,ch=B,pt=U; m,ch=C,zz=1");
    assert_eq!(plant.ask("SELECT count(v) FROM m"), "m time count: 0 2");
}
