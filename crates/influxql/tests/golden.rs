//! Texts and how they are printed; texts that are wrong and what is said of them. The expectations are those of InfluxDB 1.6.7.

use influxql::{Limits, Params, parse};

fn read(text: &str) -> Result<String, String> {
    match parse(text, &Params::new(), &Limits::default()) {
        Ok(statements) => Ok(statements.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        Err(error) => Err(error.to_string().replacen("error parsing query: ", "", 1)),
    }
}

#[test]
fn statements_are_printed_in_normal_form() {
    for (text, printed) in [
        (
            "select mean(value) from db.rp.m where a='b' group by time(60s,5s), host fill(0) order by time desc limit 1",
            "SELECT mean(value) FROM db.rp.m WHERE a = 'b' GROUP BY time(1m, 5s), host fill(0) ORDER BY time DESC LIMIT 1",
        ),
        ("select MEAN(\"v\") as \"a b\", \"select\" from m", "SELECT mean(v) AS \"a b\", \"select\" FROM m"),
        ("select v * 3.50 + 2.0 - -3 from m", "SELECT v * 3.500 + 2.000 - -3 FROM m"),
        ("select v*0.00001 from m", "SELECT v * 0.00001 FROM m"),
        ("select -v, +v, a/-v, -(v) from m", "SELECT -1 * v, 1 * v, a / -v, -1 * (v) FROM m"),
        ("select v::Float, *::tag, /a\\/b/ from m", "SELECT v::float, *::tag, /a\\/b/ FROM m"),
        ("select distinct v from m", "SELECT DISTINCT v FROM m"),
        ("select count(distinct(v)) from m", "SELECT count(distinct(v)) FROM m"),
        (
            "select v from m where time > now() - 1h30m and a <> 'it\\'s'",
            "SELECT v FROM m WHERE time > now() - 90m AND a != 'it\\'s'",
        ),
        (
            "select v from m order by asc slimit 2 soffset 3 tz('UTC')",
            "SELECT v FROM m ORDER BY ASC SLIMIT 2 SOFFSET 3 TZ('UTC')",
        ),
        (
            "select v into db..:MEASUREMENT from /x/, (select v from m)",
            "SELECT v INTO db..:MEASUREMENT FROM /x/, (SELECT v FROM m)",
        ),
        ("explain analyze select v from m", "EXPLAIN ANALYZE SELECT v FROM m"),
        (
            "show measurements on d with measurement = /x/ limit 2",
            "SHOW MEASUREMENTS ON d WITH MEASUREMENT =~ /x/ LIMIT 2",
        ),
        (
            "show tag values on d from a, rp.b with key in (x, \"y z\") where h = 'a'",
            "SHOW TAG VALUES ON d FROM a, rp.b WITH KEY IN (x, \"y z\") WHERE h = 'a'",
        ),
        ("show series exact cardinality from m group by h", "SHOW SERIES EXACT CARDINALITY FROM m GROUP BY h"),
        ("show grants for bob; show shard groups", "SHOW GRANTS FOR bob; SHOW SHARD GROUPS"),
        ("create database d with duration 24h name x", "CREATE DATABASE d WITH DURATION 1d NAME x"),
        (
            "create retention policy p on d duration inf replication 1 shard duration 1h default",
            "CREATE RETENTION POLICY p ON d DURATION 0s REPLICATION 1 SHARD DURATION 1h DEFAULT",
        ),
        (
            "alter retention policy default on d default replication 2",
            "ALTER RETENTION POLICY \"default\" ON d REPLICATION 2 DEFAULT",
        ),
        (
            "create continuous query a on x resample every 60m begin select mean(v) into y from m group by time(90m) end",
            "CREATE CONTINUOUS QUERY a ON x RESAMPLE EVERY 1h BEGIN SELECT mean(v) INTO y FROM m GROUP BY time(90m) END",
        ),
        (
            "create subscription s on d.p destinations any 'http://a', 'b'",
            "CREATE SUBSCRIPTION s ON d.p DESTINATIONS ANY 'http://a', 'b'",
        ),
        (
            "create user u with password 'secret' with all privileges",
            "CREATE USER u WITH PASSWORD [REDACTED] WITH ALL PRIVILEGES",
        ),
        ("set password for u = 'secret'", "SET PASSWORD FOR u = [REDACTED]"),
        ("grant all to u; revoke read on d from u", "GRANT ALL PRIVILEGES TO u; REVOKE READ ON d FROM u"),
        (
            "delete from /m/ where time < 5; drop series where a = 'b'",
            "DELETE FROM /m/ WHERE time < 5; DROP SERIES WHERE a = 'b'",
        ),
        ("kill query 4 on \"h:1\"", "KILL QUERY 4 ON \"h:1\""),
        ("select a\"b\" from measurement\"m\"", "SELECT b FROM m"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(printed), "{text}");
    }
}

#[test]
fn wrong_texts_get_the_messages_of_the_real_server() {
    for (text, message) in [
        ("SELECT", "found EOF, expected identifier, string, number, bool at line 1, char 8"),
        ("SELECT v\nFROM measurement", "found MEASUREMENT, expected identifier at line 2, char 6"),
        ("SELECT 1e3 FROM m", "invalid duration"),
        ("SELECT v FROM m WHERE a =~ 'x'", "found x, expected regex at line 1, char 27"),
        ("SELECT v FROM m WHERE a =~ /b", "bad regex:  at line 1, char 27"),
        ("SELECT v FROM m WHERE a =~ /[/", "error parsing regexp: missing closing ]: `[` at line 1, char 27"),
        ("SELECT v FROM m WHERE a = 'x\\q'", "found \\q, expected identifier, string, number, bool at line 1, char 30"),
        ("SELECT \"v FROM \"m\"", "found BADSTRING, expected FROM at line 1, char 17"),
        ("SELECT v FROM m WHERE a in ('x')", "found IN, expected ; at line 1, char 25"),
        (
            "SELECT a = 1 FROM m",
            "invalid operator = in SELECT clause at line 1, char 8; operator is intended for WHERE clause",
        ),
        ("SELECT v FROM m LIMIT -1", "found -, expected integer at line 1, char 23"),
        ("SELECT v FROM m SLIMIT 2 LIMIT 2", "found LIMIT, expected ; at line 1, char 26"),
        ("SELECT v FROM m ORDER BY v", "only ORDER BY time supported at this time"),
        ("SELECT v FROM m fill()", "fill requires an argument, e.g.: 0, null, none, previous, linear"),
        ("SELECT v FROM m tz(UTC)", "expected string argument in tz()"),
        ("SELECT v FROM a.b.c.d", "too many segments in \"a\".\"b\".\"c\".d at line 1, char 1"),
        ("SELECT v FROM m,", "found EOF, expected identifier at line 1, char 18"),
        ("SELECT -18446744073709551615 FROM m", "constant -18446744073709551615 underflows int64"),
        ("SHOW TAG VALUES", "found EOF, expected WITH at line 1, char 17"),
        ("DELETE", "found EOF, expected FROM, WHERE at line 1, char 8"),
        ("DELETE FROM rp.m", "retention policy not supported at line 1, char 1"),
        ("DELETE FROM db..m", "database not supported at line 1, char 1"),
        (
            "KILL QUERY 99999999999999999999",
            "strconv.ParseUint: parsing \"99999999999999999999\": value out of range at line 1, char 12",
        ),
        ("ALTER RETENTION POLICY a ON x DEFAULT DEFAULT", "found duplicate DEFAULT option at line 1, char 39"),
        (
            "create retention policy a on b duration 1h replication 0",
            "invalid value 0: must be 1 <= n <= 2147483647 at line 1, char 56",
        ),
        (
            "create continuous query a7 on x begin select mean(v) into y from d end",
            "found d, expected GROUP BY time(...) at line 1, char 66",
        ),
        (
            "create continuous query a9 on x begin select mean(v) from d group by time(1m) end",
            "found FROM, expected INTO at line 1, char 54",
        ),
        (
            "create continuous query a on x resample for 5m begin select mean(v) into y from d group by time(10m) end",
            "FOR duration must be >= GROUP BY time duration: must be a minimum of 10m, got 5m",
        ),
    ] {
        assert_eq!(read(text), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn what_is_only_wrong_when_it_is_run_is_no_error_here() {
    for text in [
        "SELECT nosuch(v) FROM m",
        "SELECT mean(v), v FROM m",
        "SELECT mean() FROM m",
        "SELECT 5 FROM m",
        "SELECT v FROM m WHERE v",
        "CREATE DATABASE \"a/b\"",
    ] {
        assert!(read(text).is_ok(), "{text}");
    }
}
