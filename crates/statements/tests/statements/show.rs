//! SHOW, compared with what InfluxDB 1.6 answers over the same values.

use query::Cancel;
use statements::RequestError;

use crate::support::{Plant, request};

#[test]
fn measurements_are_those_of_all_policies() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("SHOW MEASUREMENTS"), "measurements name: e x; m; m2; n; only2");
    assert_eq!(plant.ask("SHOW MEASUREMENTS LIMIT 2 OFFSET 1"), "measurements name: m; m2");
    assert_eq!(plant.ask("SHOW MEASUREMENTS WITH MEASUREMENT =~ /m/"), "measurements name: m; m2");
    assert_eq!(plant.ask("SHOW MEASUREMENTS WITH MEASUREMENT = nosuch"), "");
}

#[test]
fn conditions_on_measurements_are_about_measurements_not_series() {
    let plant = Plant::with_values();
    let cases = [
        ("ch = 'A' OR k = 'v'", "measurements name: m; m2; only2"),
        ("ch = 'A' AND pt = 'U'", "measurements name: m"),
        ("ch != 'A'", ""),
        ("ch = ''", ""),
        ("nosuch = ''", ""),
        ("ch !~ /B/", "measurements name: m2"),
        ("_name = 'm'", "measurements name: m"),
        ("v = 1", "error: right side of '=' must be a tag value string"),
        ("time > 0", "error: SHOW MEASUREMENTS doesn't support time in WHERE clause"),
    ];
    for (condition, answer) in cases {
        assert_eq!(plant.ask(&format!("SHOW MEASUREMENTS WHERE {condition}")), answer, "{condition}");
    }
}

#[test]
fn series_are_shown_by_their_keys() {
    let plant = Plant::with_values();
    let all = " key: e\\ x,a\\ b=c\\,d; m,ch=A,pt=U; m,ch=B,pt=U; m,ch=C,zz=1; m,ch=D; m2,ch=A; n; only2,k=v";
    let cases = [
        ("", all),
        ("FROM r2.m", " key: m,ch=A,pt=U; m,ch=B,pt=U; m,ch=C,zz=1; m,ch=D"),
        ("FROM m2, m LIMIT 2 OFFSET 3", " key: m,ch=D; m2,ch=A"),
        ("WHERE v = 1", all),
        ("WHERE v = 1 AND ch = 'A'", " key: m,ch=A,pt=U; m2,ch=A"),
        ("WHERE v = 1 OR ch = 'A'", all),
        ("WHERE 'A' = ch", " key: m,ch=A,pt=U; m2,ch=A"),
        ("WHERE \"ch\" = \"A\"", ""),
        ("WHERE nosuch = 'x'", ""),
        ("WHERE nosuch = ''", all),
        ("WHERE (ch = 'A' OR ch = 'B') AND pt = 'U'", " key: m,ch=A,pt=U; m,ch=B,pt=U"),
        ("WHERE ch !~ /[AB]/ AND ch != ''", " key: m,ch=C,zz=1; m,ch=D"),
        ("WHERE _name = 'n'", " key: n"),
        ("WHERE ch > 'A'", "error: invalid tag comparison operator"),
        ("FROM nosuch..m", "error: database not found: nosuch"),
    ];
    for (rest, answer) in cases {
        assert_eq!(plant.ask(&format!("SHOW SERIES {rest}")), answer, "{rest}");
    }
}

#[test]
fn conditions_on_time_are_kept_to_the_length_of_a_shard() {
    let plant = Plant::with_values();
    let week = "SHOW SERIES WHERE time > '2024-03-06T00:00:00Z' AND time < '2024-03-06T01:00:00Z'";
    assert_eq!(plant.ask(week), " key: m,ch=A,pt=U; m,ch=B,pt=U; m2,ch=A; n");
    assert_eq!(plant.ask("SHOW SERIES WHERE time > now()"), "");
    assert_eq!(plant.ask("SHOW TAG KEYS FROM m WHERE time > '2024-03-04'"), "m tagKey: ch; pt; zz");
    assert_eq!(plant.ask("SHOW TAG VALUES FROM m WITH KEY = ch WHERE time < '2024-01-01'"), "m key value: ch D");
}

#[test]
fn tag_keys_are_paged_by_measurement() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("SHOW TAG KEYS"), "e x tagKey: a b\nm tagKey: ch; pt; zz\nm2 tagKey: ch\nonly2 tagKey: k");
    assert_eq!(plant.ask("SHOW TAG KEYS LIMIT 1 OFFSET 1"), "m tagKey: pt");
    assert_eq!(plant.ask("SHOW TAG KEYS WHERE ch = 'C'"), "m tagKey: ch; zz");
}

#[test]
fn tag_values_are_sorted_by_key_and_value() {
    let plant = Plant::with_values();
    let cases = [
        ("WITH KEY = ch", "m key value: ch A; ch B; ch C; ch D\nm2 key value: ch A"),
        ("WITH KEY IN (pt, ch) LIMIT 5", "m key value: ch A; ch B; ch C; ch D; pt U\nm2 key value: ch A"),
        ("WITH KEY = ch OFFSET 2", "m key value: ch C; ch D"),
        ("FROM m WITH KEY != ch", "m key value: pt U; zz 1"),
        ("FROM m WITH KEY !~ /p|z/ WHERE pt = 'U'", "m key value: ch A; ch B"),
        ("FROM m WITH KEY = ch WHERE nosuch = 'x' OR ch = 'A'", "m key value: ch A"),
        ("WITH KEY = ch WHERE value = 'A'", ""),
    ];
    for (rest, answer) in cases {
        assert_eq!(plant.ask(&format!("SHOW TAG VALUES {rest}")), answer, "{rest}");
    }
}

#[test]
fn field_keys_are_those_of_one_policy() {
    let plant = Plant::with_values();
    let kinds = "fieldKey fieldType";
    assert_eq!(plant.ask("SHOW FIELD KEYS FROM m"), format!("m {kinds}: q integer; v float"));
    assert_eq!(
        plant.ask("SHOW FIELD KEYS FROM r2./.*/"),
        format!("m {kinds}: v float; w integer\nonly2 {kinds}: a float")
    );
    assert_eq!(plant.ask("SHOW FIELD KEYS FROM m, n LIMIT 1"), format!("m {kinds}: q integer\nn {kinds}: v string"));
    assert_eq!(plant.ask("SHOW FIELD KEYS FROM nosuch.m"), "error: retention policy not found: nosuch");
}

#[test]
fn cardinalities_are_of_one_policy_when_exact_and_of_all_when_estimated() {
    let plant = Plant::with_values();
    let cases = [
        ("SERIES CARDINALITY", " cardinality estimation: 8"),
        ("MEASUREMENT CARDINALITY", " cardinality estimation: 5"),
        ("SERIES EXACT CARDINALITY", "e x count: 1\nm count: 3\nm2 count: 1\nn count: 1"),
        ("SERIES CARDINALITY FROM r2.m", "m count: 1"),
        ("SERIES EXACT CARDINALITY FROM m GROUP BY ch", "m{ch=A} count: 1\nm{ch=B} count: 1\nm{ch=D} count: 1"),
        ("SERIES CARDINALITY WHERE ch = 'A'", "m count: 1\nm2 count: 1"),
        ("SERIES EXACT CARDINALITY WHERE v = 1", ""),
        ("MEASUREMENT EXACT CARDINALITY", " count: 4"),
        ("MEASUREMENT CARDINALITY WHERE ch = 'A'", " count: 2"),
        ("MEASUREMENT EXACT CARDINALITY FROM nosuch", ""),
        ("TAG KEY CARDINALITY", "e x count: 1\nm count: 2\nm2 count: 1"),
        ("TAG VALUES CARDINALITY WITH KEY IN (ch, pt)", "m count: 4\nm2 count: 1"),
        ("FIELD KEY CARDINALITY WHERE ch = 'A'", "m count: 2\nm2 count: 1"),
        (
            "SERIES CARDINALITY WHERE time > 0",
            "error: SHOW SERIES EXACT CARDINALITY doesn't support time in WHERE clause",
        ),
    ];
    for (rest, answer) in cases {
        assert_eq!(plant.ask(&format!("SHOW {rest}")), answer, "{rest}");
    }
}

#[test]
fn without_a_database_or_with_an_unknown_one_there_is_an_error_where_influxdb_has_one() {
    let plant = Plant::with_values();
    let statements = [
        "SHOW MEASUREMENTS",
        "SHOW SERIES",
        "SHOW TAG KEYS",
        "SHOW TAG VALUES WITH KEY = a",
        "SHOW FIELD KEYS",
        "SHOW RETENTION POLICIES",
        "SHOW SERIES EXACT CARDINALITY",
    ];
    for statement in statements {
        assert_eq!(plant.ask_in(None, statement), "error: database name required", "{statement}");
        let unknown = if statement == "SHOW MEASUREMENTS" { "" } else { "error: database not found: x" };
        assert_eq!(plant.ask_in(Some("x"), statement), unknown, "{statement}");
    }
    assert_eq!(plant.ask_in(Some("x"), "SHOW SERIES CARDINALITY"), " cardinality estimation: 0");
    assert_eq!(plant.ask_in(Some("x"), "SHOW TAG KEYS ON d FROM m2"), "m2 tagKey: ch");
}

#[test]
fn a_database_without_its_default_policy_shows_what_needs_none() {
    let plant = Plant::with_values();
    plant.ask("DROP RETENTION POLICY autogen ON d");
    for statement in ["SHOW SERIES", "SHOW FIELD KEYS", "SHOW SERIES EXACT CARDINALITY"] {
        assert_eq!(plant.ask(statement), "error: retention policy not found: autogen", "{statement}");
    }
    assert_eq!(plant.ask("SHOW MEASUREMENTS"), "measurements name: m; only2");
    assert_eq!(plant.ask("SHOW TAG VALUES WITH KEY = ch"), "m key value: ch C");
}

#[test]
fn running_statements_are_listed_and_can_be_stopped() {
    let plant = Plant::with_values();
    let shown = plant.ask("SHOW QUERIES");
    assert!(shown.contains("qid query database duration status: ") && shown.contains("SHOW QUERIES d "), "{shown}");
    assert!(shown.ends_with(" running"), "{shown}");
    assert_eq!(plant.ask("KILL QUERY 999"), "error: no such query id: 999");
}

#[test]
fn shards_are_partitions_and_keep_their_numbers() {
    let plant = Plant::with_values();
    let shown = plant.ask("SHOW SHARDS");
    assert!(shown.contains("d r2"), "{shown}");
    assert!(shown.contains("2024-03-10T00:00:00Z 2024-03-11T00:00:00Z 2024-03-11T00:00:00Z"), "{shown}");
    assert_eq!(plant.ask("SHOW SHARD GROUPS").matches("autogen").count(), 2);
    plant.engine.flush().unwrap();
    assert_eq!(plant.ask("SHOW SHARDS"), shown);
}

#[test]
fn figures_are_shown_by_module() {
    let plant = Plant::with_values();
    assert!(plant.ask("SHOW STATS").contains("database{database=d} numMeasurements numSeries: 5 8"));
    assert!(plant.ask("SHOW STATS FOR 'engine'").starts_with("engine memoryBytes"));
    assert_eq!(plant.ask("SHOW STATS FOR 'nosuch'"), "");
    assert!(plant.ask("SHOW DIAGNOSTICS").contains("system PID currentTime"));
}

#[test]
fn statements_run_until_one_fails() {
    let plant = Plant::with_values();
    let answer = plant.ask("SHOW TAG KEYS FROM m2; SHOW FIELD KEYS ON x; SHOW DATABASES");
    assert_eq!(answer, "m2 tagKey: ch\n--\nerror: database not found: x");
}

#[test]
fn a_text_that_cannot_be_read_executes_nothing() {
    let plant = Plant::with_values();
    assert!(plant.ask("DROP MEASUREMENT m; SHOW NOSUCH").starts_with("refused: error parsing query: found NOSUCH"));
    assert!(plant.ask("SHOW MEASUREMENTS").contains("m;"));
}

#[test]
fn parameters_stand_for_values_in_the_text() {
    let plant = Plant::with_values();
    let cancel = Cancel::new();
    let text = "SHOW TAG VALUES FROM m WITH KEY = ch WHERE pt = $pt AND ch =~ $ch";
    let asked = |parameters| plant.run(&statements::Request { parameters, ..request(text, &cancel) });
    assert_eq!(asked(Some(r#"{"pt": "U", "ch": {"regex": "B|C"}}"#)).unwrap(), "m key value: ch B");
    assert!(matches!(asked(Some("[1]")), Err(RequestError::Parameters(_))));
    assert!(matches!(asked(Some(r#"{"pt": [1]}"#)), Err(RequestError::Parameters(_))));
    assert!(matches!(asked(None), Err(RequestError::Syntax(_))));
}

#[test]
fn a_cancelled_request_runs_nothing() {
    let plant = Plant::with_values();
    let cancel = Cancel::new();
    cancel.cancel();
    let answer = plant.run(&request("DROP DATABASE d", &cancel)).unwrap();
    assert!(answer.starts_with("error: the query was cancelled"), "{answer}");
    assert!(plant.ask("SHOW DATABASES").contains('d'));
}
