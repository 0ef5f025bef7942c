//! What is in the tables after writing.

use std::sync::Barrier;
use std::thread;

use model::FieldValue::{Boolean, Float, Integer, String as Text, Unsigned};

use super::*;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

#[test]
fn points_become_rows_that_a_view_shows_with_their_tags() {
    let (store, to) = (store(), to("shown"));
    let mut session = store.session();
    let series = "measurement,channel=1001,point=10001,type=m";
    write(
        &mut *session,
        &to,
        &[point(series, "value", Float(25.5), 1_000), point(series, "quality", Integer(64), 1_000)],
    )
    .unwrap();
    write(&mut *session, &to, &[point("measurement,channel=1002,unit=kW", "value", Float(-1.0), 2_999)]).unwrap();
    let mut client = client(server());
    assert_eq!(
        rows(
            &mut client,
            "SELECT extract(epoch FROM time) * 1000000, channel, point, type, unit, value, quality FROM shown.measurement_view ORDER BY time"
        ),
        ["(1.000000,1001,10001,m,,25.5,64)", "(2.000000,1002,,,kW,-1,)"]
    );
    assert_eq!(
        rows(&mut client, "SELECT measurement, key, tags FROM shown.series WHERE tags @> '{\"channel\": \"1001\"}'"),
        [
            r#"(measurement,"measurement,channel=1001,point=10001,type=m","{""type"": ""m"", ""point"": ""10001"", ""channel"": ""1001""}")"#
        ]
    );
}

#[test]
fn every_type_comes_back_as_it_was() {
    let (store, to) = (store(), to("types"));
    let values = [
        [Float(f64::MIN_POSITIVE), Integer(i64::MIN), Unsigned(u64::MAX), Boolean(true), Text("µ'\\\n\"")],
        [Float(f64::MAX), Integer(i64::MAX), Unsigned(0), Boolean(false), Text("")],
        [Float(-0.1), Integer(0), Unsigned(10_000), Boolean(true), Text("x")],
        [Float(0.0), Integer(-1), Unsigned(123_400_000_000_005), Boolean(true), Text("遥测")],
    ];
    let mut session = store.session();
    // The first time copied, the second time merged.
    for shift in [0, 0, 10] {
        let mut list = Vec::new();
        for (time, row) in values.iter().enumerate() {
            for (field, value) in ["f", "i", "u", "b", "s"].iter().zip(row) {
                list.push(point("t", field, *value, (time as i64 + shift) * SECOND));
            }
        }
        write(&mut *session, &to, &list).unwrap();
    }
    let expected = [
        format!("({},-9223372036854775808,18446744073709551615,t,\"µ'\\\\\n\"\"\")", "2.2250738585072014e-308"),
        "(1.7976931348623157e+308,9223372036854775807,0,f,\"\")".to_owned(),
        "(-0.1,0,10000,t,x)".to_owned(),
        "(0,-1,123400000000005,t,遥测)".to_owned(),
    ];
    let mut client = client(server());
    let found = rows(&mut client, "SELECT f, i, u, b, s FROM types.t ORDER BY time");
    assert_eq!(found, [expected.clone(), expected].concat());
}

#[test]
fn a_later_value_wins_and_other_fields_stay() {
    let (store, to) = (store(), to("merged"));
    let mut session = store.session();
    let p = |field, value, time| point("m,a=1", field, Float(value), time);
    write(&mut *session, &to, &[p("x", 1.0, 0), p("x", 2.0, 0), p("y", 3.0, 0)]).unwrap();
    write(&mut *session, &to, &[p("x", 4.0, 0), p("z", 5.0, 0), p("x", 6.0, 1_000)]).unwrap();
    write(&mut *session, &to, &[p("y", 7.0, 1_500)]).unwrap();
    let mut client = client(server());
    assert_eq!(rows(&mut client, "SELECT x, y, z FROM merged.m ORDER BY time"), ["(4,3,5)", "(6,7,)"]);
}

#[test]
fn times_before_1970_and_far_away_have_their_partitions() {
    let (store, to) = (store(), to("far"));
    let mut session = store.session();
    let times = [i64::MIN, -DAY - 1, -1, 0, 5 * DAY, i64::MAX - 1];
    let list: Vec<_> = times.iter().map(|&time| point("m", "v", Integer(time), time)).collect();
    write(&mut *session, &to, &list).unwrap();
    let mut client = client(server());
    let sql = "SELECT floor(extract(epoch FROM time) * 1000000), v FROM far.m ORDER BY time";
    let expected: Vec<_> =
        times.iter().map(|time| format!("({},{time})", time.div_euclid(1000).max(i64::MIN / 1000))).collect();
    assert_eq!(rows(&mut client, sql), expected);
    let count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'far.m'::regclass";
    assert_eq!(rows(&mut client, count), ["(6)"]);
}

#[test]
fn a_thousand_days_in_one_batch_make_fewer_partitions() {
    let (store, to) = (store(), to("years"));
    let mut session = store.session();
    let list: Vec<_> = (0..700).map(|day| point("m", "v", Integer(day), day * DAY)).collect();
    // Some hundred partitions take their time; what is not ready in time is made by the next attempt.
    while let Err(error) = write(&mut *session, &to, &list) {
        assert!(error.is_retryable(), "{error}");
    }
    let mut client = client(server());
    assert_eq!(rows(&mut client, "SELECT count(*), sum(v) FROM years.m"), ["(700,244650)"]);
    let parts = rows(&mut client, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'years.m'::regclass");
    assert_eq!(parts, ["(520)"]);
}

#[test]
fn names_of_every_kind_are_stored_and_none_is_executed() {
    let (store, to) = (store(), to("x\"; DROP SCHEMA public; --'$1"));
    let mut session = store.session();
    let long = "é".repeat(300);
    let names = [
        "series",
        "time",
        "ctid",
        "xmin",
        "hissrv_names",
        "m_view",
        "pg_class",
        "a\"b'c;--",
        "$1",
        "%s",
        "遥测 1",
        "\u{7f}",
        &long,
    ];
    for name in names {
        let escaped = name.replace(' ', "\\ ");
        let series = format!("{escaped},{escaped}x={escaped}");
        let fields = names.map(|field| point(&series, field, Float(1.5), 0));
        write(&mut *session, &to, &fields).unwrap();
    }
    let mut client = client(server());
    let schema = "\"x\"\"; DROP SCHEMA public; --'$1\"";
    let expected: Vec<_> = names.iter().map(|_| "(13)".to_owned()).collect();
    let fields = format!("SELECT count(*) FROM {schema}.hissrv_names WHERE kind = 'field' GROUP BY measurement");
    assert_eq!(rows(&mut client, &fields), expected);
    let tables = format!("SELECT stored FROM {schema}.hissrv_names WHERE kind = 'measurement'");
    for row in client.query(&tables, &[]).unwrap() {
        let table: String = row.get(0);
        let sql = format!("SELECT * FROM {schema}.\"{}\"", table.replace('"', "\"\""));
        let found = client.query(&sql, &[]).unwrap();
        assert_eq!((found.len(), found[0].len()), (1, 15), "{table}");
    }
    let shown = format!("SELECT count(*) FROM {schema}.hissrv_names WHERE shown IS NULL AND kind <> 'measurement'");
    assert_eq!(rows(&mut client, &shown), ["(0)"]);
    let again: Vec<_> = names.iter().map(|field| point("series", field, Float(2.5), 0)).collect();
    write(&mut *session, &to, &again).unwrap();
}

#[test]
fn a_point_that_cannot_be_stored_is_named() {
    let (store, to) = (store(), to("refused"));
    let mut session = store.session();
    let mut refused = |of: Point<'_>, words: &[&str]| {
        let Err(WriteError::Points { message, .. }) = write(&mut *session, &to, &[of]) else {
            panic!("{} was taken", of.field)
        };
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    };
    refused(point("m,a=1", "v", Text("a\0b"), 0), &["NUL", "\"v\"", "m,a=1"]);
    refused(point("m,a=\0", "v", Float(1.0), 0), &["NUL", "series"]);
    refused(point("m", "v\0", Float(1.0), 0), &["NUL", "name"]);
    // Too large for an index, and too irregular to become smaller.
    let mut state = 1u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'A' + (state >> 58) as u8)
    };
    let long: String = (0..20_000).map(|_| letter()).filter(|letter| letter.is_alphanumeric()).collect();
    refused(point(&format!("m,a={long}"), "v", Float(1.0), 0), &["index row"]);
    let mut session = store.session();
    write(&mut *session, &to, &[point("m", "v", Float(1.0), 0)]).unwrap();
    for batch in
        [vec![point("m", "v", Integer(1), 0)], vec![point("m", "w", Integer(1), 0), point("m", "w", Float(1.0), 1)]]
    {
        let Err(WriteError::Points { message, .. }) = write(&mut *session, &to, &batch) else { panic!("taken") };
        assert!(message.contains("integer") && message.contains("float") && message.contains("`m`"), "{message}");
    }
}

#[test]
fn policies_have_schemas_of_their_own_and_keep_them() {
    let store = store();
    let mut session = store.session();
    let policy =
        |name: &str, is_default| Destination { database: "pol".to_owned(), policy: name.to_owned(), is_default };
    let one = |value| [point("m", "v", Integer(value), value * 1_000)];
    write(&mut *session, &policy("autogen", true), &one(1)).unwrap();
    write(&mut *session, &policy("hourly", false), &one(2)).unwrap();
    // The default one changes.
    for store in [store, super::store()] {
        let mut session = store.session();
        write(&mut *session, &policy("autogen", false), &one(3)).unwrap();
        write(&mut *session, &policy("hourly", true), &one(4)).unwrap();
    }
    let mut client = client(server());
    assert_eq!(rows(&mut client, "SELECT v FROM pol.m ORDER BY v"), ["(1)", "(3)"]);
    assert_eq!(rows(&mut client, "SELECT v FROM \"pol/hourly\".m ORDER BY v"), ["(2)", "(4)"]);
}

#[test]
fn sessions_that_make_the_same_things_at_the_same_time_do_not_stop_each_other() {
    let (store, to) = (store(), to("parallel"));
    let sessions = 6;
    let start = Barrier::new(sessions);
    thread::scope(|scope| {
        for session in 0..sessions as i64 {
            let (store, to, start) = (&store, &to, &start);
            scope.spawn(move || {
                let mut writer = store.session();
                start.wait();
                for round in 0..12 {
                    let mut list = Vec::new();
                    let texts: Vec<String> = (0..40).map(|n| format!("m{},n={n},r={round}", n % 3)).collect();
                    let field = format!("f{}", (round + session) % 7);
                    for (n, series) in texts.iter().enumerate() {
                        list.push(point(series, &field, Integer(session), (round / 3) * DAY + n as i64 * 1_000));
                        list.push(point(series, "all", Integer(round), (round / 3) * DAY + n as i64 * 1_000));
                    }
                    if session % 2 == 1 {
                        list.reverse();
                    }
                    write(&mut *writer, to, &list).unwrap();
                }
            });
        }
    });
    let mut client = client(server());
    for table in ["m0", "m1", "m2"] {
        let series = if table == "m0" { 14 } else { 13 };
        let sql = format!("SELECT count(*), count(\"all\"), sum((f0 IS NOT NULL)::int + (f1 IS NOT NULL)::int + (f2 IS NOT NULL)::int + (f3 IS NOT NULL)::int
            + (f4 IS NOT NULL)::int + (f5 IS NOT NULL)::int + (f6 IS NOT NULL)::int) FROM parallel.{table}");
        assert_eq!(rows(&mut client, &sql), [format!("({0},{0},{1})", series * 12, series * 12 * 6)]);
    }
    assert_eq!(rows(&mut client, "SELECT count(*), max(id) >= 480 FROM parallel.series"), ["(480,t)"]);
}

#[test]
fn what_somebody_has_dropped_is_made_anew() {
    let (store, to) = (store(), to("dropped"));
    let mut session = store.session();
    let one =
        |value| [point("m,a=1", "v", Integer(value), value * DAY), point("m,a=1", "w", Integer(value), value * DAY)];
    let mut client = client(server());
    for (value, sql) in [
        (1, "ALTER TABLE dropped.m DROP COLUMN v CASCADE"),
        (2, "DROP TABLE dropped.m CASCADE"),
        (3, "DROP SCHEMA dropped CASCADE"),
        (
            4,
            "DO $$ BEGIN EXECUTE (SELECT 'DROP TABLE ' || string_agg(inhrelid::regclass::text, ', ') FROM pg_inherits WHERE inhparent = 'dropped.m'::regclass); END $$",
        ),
    ] {
        write(&mut *session, &to, &one(value)).unwrap();
        client.batch_execute(sql).unwrap();
        write(&mut *session, &to, &one(value)).unwrap();
        let found = rows(
            &mut client,
            &format!(
                "SELECT v FROM dropped.m JOIN dropped.series s ON s.id = series WHERE v = {value} AND key = 'm,a=1'"
            ),
        );
        assert_eq!(found, [format!("({value})")], "{sql}");
    }
}
