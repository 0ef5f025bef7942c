//! Databases and policies are kept in step, and a store says how it is.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use backend::{Destination, Policy, RemoteStore, Rollup, RollupColumn, Step, WriteError};
use model::FieldValue::Float;
use query::Cell;
use query::store::{Place, SeriesQuery};
use query::{Cancel, Limits, QueryError};

use crate::data::{SECOND, START, list, point};
use crate::subjects::{Subject, wanted};
use crate::trial::{Trial, plan, run_within};

/// What is given to a store that will not answer, and what it may take beyond.
const TIMEOUT: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_secs(2);

pub(crate) fn keeping_in_step_a_second_time_changes_nothing(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let mut wish =
        wanted(&Destination { database: format!("{}_kept", subject.place().database), ..subject.place().clone() });
    let database = &mut wish.databases[0];
    database.policies.push(Policy {
        name: "hourly it's".to_owned(),
        duration: Some(Duration::from_secs(90 * 86_400)),
        shard_duration: Some(Duration::from_secs(86_400)),
        replication: 1,
    });
    let column = RollupColumn { function: "mean".to_owned(), field: "v".to_owned(), alias: "v_mean".to_owned() };
    wish.rollups.push(Rollup {
        name: "v by the hour".to_owned(),
        database: wish.databases[0].name.clone(),
        source: subject.place().policy.clone(),
        target: "hourly it's".to_owned(),
        interval: Duration::from_secs(3600),
        columns: vec![column],
    });
    remote.store.keep_in_step(&wish).unwrap();
    let again = remote.store.keep_in_step(&wish).unwrap();
    assert!(again.iter().all(|step| matches!(step, Step::Impossible(_))), "{again:?}");
    wish.databases[0].policies[1].duration = Some(Duration::from_secs(30 * 86_400));
    remote.store.keep_in_step(&wish).unwrap();
    let again = remote.store.keep_in_step(&wish).unwrap();
    assert!(again.iter().all(|step| matches!(step, Step::Impossible(_))), "{again:?}");
}

pub(crate) fn a_policy_of_its_own_is_written_and_read(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    if !subject.abilities().policies {
        return;
    }
    let trial = Trial::new(subject);
    trial.write(&[point("m,a=x", "v", Float(1.0), START)]);
    let hourly = Destination { policy: "hourly".to_owned(), is_default: false, ..trial.place().clone() };
    let mut wish = wanted(trial.place());
    let policy = Policy { name: "hourly".to_owned(), ..wish.databases[0].policies[0].clone() };
    wish.databases[0].policies.push(policy);
    remote.store.keep_in_step(&wish).unwrap();
    subject.write(&list(&hourly, &[point("m,a=x", "v", Float(2.0), START + SECOND)])).unwrap();
    assert_eq!(trial.column("SELECT v FROM m"), [(START, Cell::Float(1.0))]);
    assert_eq!(trial.column("SELECT v FROM autogen.m"), [(START, Cell::Float(1.0))]);
    assert_eq!(trial.column("SELECT v FROM hourly.m"), [(START + SECOND, Cell::Float(2.0))]);
}

pub(crate) fn the_probe_names_product_and_version(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let probe = remote.store.probe().unwrap();
    let rest = probe.version.strip_prefix(remote.kind.product);
    let is_number = |rest: &str| rest.trim_start().chars().next().is_some_and(|c| c.is_ascii_digit());
    let names_it = rest.is_some_and(|rest| is_number(rest) || (rest.is_empty() && !remote.kind.tells_version));
    assert!(names_it, "{:?} is not {:?} and a number", probe.version, remote.kind.product);
    assert_eq!(remote.store.probe().unwrap().incarnation, probe.incarnation);
}

pub(crate) fn a_store_that_is_not_there_is_away(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = (remote.kind.at)(&remote.url_of(nobody.port()), TIMEOUT);
    is_away(&*store, subject.place());
}

pub(crate) fn a_store_that_does_not_answer_is_away_within_its_timeout(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let server = (remote.kind.server)();
    let store = (remote.kind.at)(&server.url(), TIMEOUT);
    store.keep_in_step(&wanted(subject.place())).unwrap();
    let mut session = store.session();
    let points = list(subject.place(), &[point("m,a=x", "v", Float(1.0), START)]);
    session.write(&points, 0..1).unwrap();
    server.pause();
    is_away(&*store, subject.place());
    let outcome = in_time("write of a session that worked before", || session.write(&points, 0..1));
    assert!(matches!(outcome, Err(WriteError::Away { .. })), "{outcome:?}");
    server.resume();
    std::thread::sleep(Duration::from_millis(100));
    session.write(&points, 0..1).expect("the session goes on when the store does");
    store.probe().unwrap();
}

/// Writing, asking and probing fail in time, and in the right way.
fn is_away(store: &dyn RemoteStore, place: &Destination) {
    let points = list(place, &[point("m,a=x", "v", Float(1.0), START)]);
    let outcome = in_time("write", || store.session().write(&points, 0..1));
    assert!(matches!(outcome, Err(WriteError::Away { .. })), "write: {outcome:?}");
    let outcome = in_time("probe", || store.probe());
    assert!(matches!(outcome, Err(WriteError::Away { .. })), "probe: {outcome:?}");
    let outcome = in_time("keep_in_step", || store.keep_in_step(&wanted(place)));
    assert!(matches!(outcome, Err(WriteError::Away { .. })), "keep_in_step: {outcome:?}");
    let limits = Limits { timeout: TIMEOUT, ..Limits::default() };
    let plan = plan("SELECT v FROM m", &place.database);
    let outcome = in_time("query", || run_within(store, &plan, &limits));
    assert!(matches!(outcome, Err(QueryError::Store(_) | QueryError::Cancelled(_))), "query: {outcome:?}");
    let query = SeriesQuery { measurement: "m".to_owned(), ..SeriesQuery::default() };
    let place = Place { database: place.database.clone(), policy: None };
    let outcome = in_time("latest", || store.latest(&place, query, &Cancel::with_deadline(Instant::now() + TIMEOUT)));
    assert!(matches!(outcome, Err(QueryError::Store(_) | QueryError::Cancelled(_))), "latest: {outcome:?}");
}

#[track_caller]
fn in_time<R>(what: &str, act: impl FnOnce() -> R) -> R {
    let started = Instant::now();
    let outcome = act();
    assert!(started.elapsed() < TIMEOUT + SLACK, "{what} took {:?}", started.elapsed());
    outcome
}

pub(crate) fn a_place_that_does_not_exist_is_said_to_be_missing_or_made(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let nowhere = Destination { database: format!("{}_nowhere", subject.place().database), ..subject.place().clone() };
    let points = list(&nowhere, &[point("m,a=x", "v", Float(1.0), START)]);
    match remote.store.session().write(&points, 0..1) {
        Ok(_) | Err(WriteError::NoPlace { .. }) => {}
        other => panic!("{other:?}"),
    }
    remote.store.keep_in_step(&wanted(&nowhere)).unwrap();
    remote.store.session().write(&points, 0..1).unwrap();
}
