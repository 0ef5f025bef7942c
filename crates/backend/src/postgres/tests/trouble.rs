//! Servers that crash, hang and refuse.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Instant;

use model::FieldValue::Integer;

use super::*;
use crate::Health;

fn short(server: &Server) -> PostgresConfig {
    PostgresConfig { timeout: HumanDuration(Duration::from_secs(2)), ..config(server) }
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    let mut server = rig::postgres();
    let (store, to) = (Postgres::new(&short(&server)).unwrap(), to("crash"));
    for round in 0..3 {
        let acknowledged: Vec<AtomicI64> = (0..3).map(|_| AtomicI64::new(-1)).collect();
        let crashed = AtomicBool::new(false);
        thread::scope(|scope| {
            for (number, acknowledged) in acknowledged.iter().enumerate() {
                let (store, to, crashed) = (&store, &to, &crashed);
                scope.spawn(move || {
                    let mut session = store.session();
                    let series: Vec<String> =
                        (0..50).map(|n| format!("m{},r={round},s={number},n={n}", n % 2)).collect();
                    for batch in 0.. {
                        let list: Vec<_> =
                            series.iter().map(|series| point(series, "v", Integer(batch), batch * 1_000_000)).collect();
                        match write(&mut *session, to, &list) {
                            Ok(()) => acknowledged.store(batch, Ordering::Relaxed),
                            Err(error) => {
                                assert!(error.is_retryable(), "{error:?}");
                                assert!(crashed.load(Ordering::Relaxed), "{error:?}");
                                return;
                            }
                        }
                    }
                });
            }
            while acknowledged.iter().any(|batches| batches.load(Ordering::Relaxed) < 5) {
                thread::sleep(Duration::from_millis(20));
            }
            crashed.store(true, Ordering::Relaxed);
            server.kill();
        });
        server.start_again();
        let mut client = client(&server);
        for (number, acknowledged) in acknowledged.iter().enumerate() {
            let last = acknowledged.load(Ordering::Relaxed);
            let sql = format!(
                "SELECT count(*) = {} FROM (SELECT * FROM crash.m0 UNION ALL SELECT * FROM crash.m1) m JOIN crash.series s ON s.id = m.series
                 WHERE tags @> '{{\"r\": \"{round}\", \"s\": \"{number}\"}}' AND v <= {last}",
                (last + 1) * 50
            );
            assert_eq!(rows(&mut client, &sql), ["(t)"], "session {number}, batch {last}");
        }
    }
}

#[test]
fn a_session_goes_on_by_itself_after_a_restart_and_the_incarnation_tells() {
    let mut server = rig::postgres();
    let (store, to) = (Postgres::new(&short(&server)).unwrap(), to("again"));
    let mut session = store.session();
    write(&mut *session, &to, &[point("m", "v", Integer(1), 0)]).unwrap();
    let before = store.probe().unwrap();
    assert!(before.version.starts_with("PostgreSQL 1"), "{}", before.version);
    assert_eq!((before.advice.as_slice(), before.incarnation.is_some()), (&[][..], true));
    assert_eq!(store.probe().unwrap(), before);
    server.kill();
    let error = write(&mut *session, &to, &[point("m", "v", Integer(2), 0)]).unwrap_err();
    assert!(matches!(&error, WriteError::Away { message } if message.contains("127.0.0.1")), "{error:?}");
    assert!(matches!(store.probe(), Err(WriteError::Away { .. })));
    server.start_again();
    write(&mut *session, &to, &[point("m", "v", Integer(3), 0)]).unwrap();
    assert_ne!(store.probe().unwrap().incarnation, before.incarnation);
    assert_eq!(rows(&mut client(&server), "SELECT v FROM again.m"), ["(3)"]);
}

#[test]
fn a_silent_server_is_left_in_time() {
    let server = rig::postgres();
    let (store, to) = (Postgres::new(&short(&server)).unwrap(), to("silent"));
    let mut session = store.session();
    write(&mut *session, &to, &[point("m", "v", Integer(1), 0)]).unwrap();
    server.pause();
    for _ in 0..2 {
        let begin = Instant::now();
        let error = write(&mut *session, &to, &[point("m", "v", Integer(2), 0)]).unwrap_err();
        assert!(matches!(&error, WriteError::Away { message } if message.contains("within 2s")), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    }
    server.resume();
    write(&mut *session, &to, &[point("m", "v", Integer(3), 1_000)]).unwrap();
    assert_eq!(rows(&mut client(&server), "SELECT max(v) FROM silent.m"), ["(3)"]);
}

#[test]
fn wrong_logins_and_databases_say_what_to_do() {
    let server = server();
    let mut admin = client(server);
    for sql in ["CREATE ROLE nobody LOGIN", "CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC"] {
        admin.batch_execute(sql).unwrap();
    }
    let with = |user: &str, database: &str| {
        let url = format!("postgres://{user}@127.0.0.1:{}/{database}?sslmode=disable", server.port());
        let store = Postgres::new(&PostgresConfig { url: url.as_str().into(), ..config(server) }).unwrap();
        write(&mut *store.session(), &to("denied"), &[point("m", "v", Integer(1), 0)]).unwrap_err()
    };
    for (user, database, advice) in [
        ("nobody", "hissrv", "GRANT CREATE"),
        ("nobody", "closed", "GRANT"),
        ("nosuch", "hissrv", "check username and password"),
        ("hissrv", "nosuch", "CREATE DATABASE"),
    ] {
        let error = with(user, database);
        assert!(matches!(&error, WriteError::Denied { message } if message.contains(advice)), "{error:?}");
    }
    let url = format!("postgres://hissrv@127.0.0.1:{}/hissrv?sslmode=require", server.port());
    let store = Postgres::new(&PostgresConfig { url: url.as_str().into(), ..config(server) }).unwrap();
    let error = store.probe().unwrap_err();
    assert!(matches!(&error, WriteError::Denied { message } if message.contains("sslmode")), "{error:?}");
}

#[test]
fn a_table_that_somebody_holds_makes_a_writer_wait_and_then_try_later() {
    let (store, to) = (Postgres::new(&short(server())).unwrap(), to("held"));
    let mut session = store.session();
    write(&mut *session, &to, &[point("m", "v", Integer(1), 0)]).unwrap();
    let mut other = client(server());
    let mut held = other.transaction().unwrap();
    held.batch_execute("SELECT * FROM held.m").unwrap();
    // A reader holds up neither rows nor partitions, but a new column.
    write(&mut *session, &to, &[point("m", "v", Integer(2), 86_400_000_000_000 * 40)]).unwrap();
    let error = write(&mut *session, &to, &[point("m", "w", Integer(3), 0)]).unwrap_err();
    assert!(matches!(error, WriteError::Busy { .. }), "{error:?}");
    held.commit().unwrap();
    write(&mut *session, &to, &[point("m", "w", Integer(3), 0)]).unwrap();
}
