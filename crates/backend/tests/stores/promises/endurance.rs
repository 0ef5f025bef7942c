//! Stores that are killed, and sessions that write at once.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use backend::{Destination, PointList, Session, WriteError};
use model::FieldValue::{Float, Integer};
use query::Cell;

use crate::data::{MILLISECOND, SECOND, START, list, point};
use crate::subjects::{Subject, wanted};
use crate::trial::{Trial, plan, run};

/// Longest time until a store that was killed is back for a session.
const BACK_MAX: Duration = Duration::from_secs(20);
const THREADS: i64 = 4;
const ROUNDS: i64 = 5;

pub(crate) fn what_is_durable_survives_a_killed_server(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let mut server = (remote.kind.server)();
    let store = (remote.kind.at)(&server.url(), Duration::from_secs(10));
    store.keep_in_step(&wanted(subject.place())).unwrap();
    let mut session = store.session();
    let place = subject.place();
    session.write(&list(place, &[point("m,a=x", "v", Float(1.0), START)]), 0..1).unwrap();
    let before = store.probe().unwrap();
    std::thread::sleep(store.durable_after());
    server.kill();
    let later = list(place, &[point("m,a=x", "v", Float(2.0), START + SECOND)]);
    let outcome = session.write(&later, 0..1);
    assert!(matches!(outcome, Err(WriteError::Away { .. })), "{outcome:?}");
    server.start_again();
    write_until_taken(&mut *session, &later);
    (remote.kind.make_visible)(&server);
    let answer = run(&*store, &plan("SELECT v FROM m", &place.database)).unwrap();
    assert_eq!(answer.series[0].columns[0].cells, [Cell::Float(1.0), Cell::Float(2.0)]);
    let after = store.probe().unwrap();
    assert_eq!(after.version, before.version);
    let tells_restart = after.incarnation.is_none() || after.incarnation != before.incarnation;
    assert!(tells_restart, "the incarnation is still {:?}", after.incarnation);
}

/// Writes as a writer does: again, as long as that may help.
fn write_until_taken(session: &mut dyn Session, points: &PointList) {
    let deadline = Instant::now() + BACK_MAX;
    let all = 0..backend::Points::len(points);
    while let Err(error) = session.write(points, all.clone()) {
        assert!(error.is_retryable() && Instant::now() < deadline, "{error:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// New series, new fields and values of the same series and times, from all sides.
pub(crate) fn sessions_write_at_once(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let trial = Trial::new(subject);
    let barrier = Barrier::new(THREADS as usize);
    let (store, place) = (remote.store, subject.place());
    let write = &|thread: i64| {
        let mut session = store.session();
        barrier.wait();
        for round in 0..ROUNDS {
            write_until_taken(&mut *session, &batch_of(place, thread, round));
        }
    };
    std::thread::scope(|scope| (0..THREADS).for_each(|thread| drop(scope.spawn(move || write(thread)))));
    remote.make_visible();
    for round in 0..ROUNDS {
        let counted = trial.column(&format!("SELECT count(shared{round}) FROM m"));
        assert_eq!(counted, [(0, Cell::Integer(20 * THREADS))], "round {round}");
        for thread in 0..THREADS {
            let counted = trial.column(&format!("SELECT count(own{thread}_{round}) FROM m"));
            assert_eq!(counted, [(0, Cell::Integer(20))], "thread {thread}, round {round}");
        }
    }
}

fn batch_of(place: &Destination, thread: i64, round: i64) -> PointList {
    let mut points = PointList::new(place.clone());
    for step in 0..20 {
        // Each thread goes through the series in an order of its own.
        let number = (step * 7 + thread * 5) % 20;
        let series = format!("m,device={round}_{number}");
        let time = START + number * SECOND;
        points.push(point(&series, &format!("own{thread}_{round}"), Integer(number), time));
        points.push(point(&series, &format!("shared{round}"), Integer(number), time + thread * MILLISECOND));
        points.push(point(&series, "same", Integer(number), time));
    }
    points
}
