//! Times, to the grain of the store.

use backend::{Point, WriteError};
use model::FieldValue::Float;
use query::Cell;

use crate::data::{SECOND, START, list, point};
use crate::subjects::Subject;
use crate::trial::Trial;

/// Around 1970, in the past, in the future, at the limits.
const FAR_AWAY: [i64; 13] = [
    i64::MIN + 2,
    -9_000_000_000 * SECOND,
    -2_208_988_800 * SECOND,
    -SECOND - 1,
    -1,
    0,
    1,
    SECOND + 1,
    946_684_800 * SECOND,
    4_102_444_800 * SECOND,
    9_000_000_000 * SECOND,
    9_223_372_036 * SECOND,
    i64::MAX - 1,
];

pub(crate) fn times_are_kept_to_the_grain(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let grain = subject.abilities().grain_ns;
    let points: Vec<_> = (0..50).map(|n| point("m,a=x", "v", Float(n as f64), START + n * grain)).collect();
    trial.write(&points);
    let expected: Vec<_> = (0..50).map(|n| (START + n * grain, Cell::Float(n as f64))).collect();
    assert_eq!(trial.column("SELECT v FROM m"), expected);
}

pub(crate) fn times_finer_than_the_grain_are_cut_to_it(subject: &dyn Subject) {
    let grain = subject.abilities().grain_ns;
    if grain == 1 {
        return;
    }
    let trial = Trial::new(subject);
    let mut times = vec![START + grain - 1, START + 5 * grain + grain / 2];
    // Of those that fall together the later one written stays.
    times.extend(subject.abilities().overwrites.then_some(START + 1));
    times.extend(if subject.abilities().times.contains(&-grain) { vec![-1, -grain - 1] } else { Vec::new() });
    let points: Vec<Point<'_>> =
        times.iter().map(|time| point("m,a=x", "v", Float((time % 97) as f64), *time)).collect();
    subject.write(&list(trial.place(), &points)).unwrap();
    let mut expected: Vec<(i64, Cell)> = Vec::new();
    for time in times {
        let cut = time.div_euclid(grain) * grain;
        expected.retain(|row| row.0 != cut);
        expected.push((cut, Cell::Float((time % 97) as f64)));
    }
    expected.sort_by_key(|row| row.0);
    assert_eq!(trial.column("SELECT v FROM m"), expected);
}

pub(crate) fn times_before_1970_and_far_away_come_back(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let abilities = subject.abilities();
    let taken: Vec<i64> = FAR_AWAY
        .iter()
        .map(|time| time.div_euclid(abilities.grain_ns).saturating_mul(abilities.grain_ns))
        .filter(|time| abilities.times.contains(time))
        .collect();
    let points: Vec<_> = (0..).zip(&taken).map(|(n, time)| point("m,a=x", "v", Float(f64::from(n)), *time)).collect();
    trial.write(&points);
    let mut found: Vec<i64> = trial.column("SELECT v FROM m").iter().map(|row| row.0).collect();
    found.sort_unstable();
    let mut expected = taken.clone();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(found, expected);
    trial.same("SELECT v FROM m");
    trial.same("SELECT v FROM m WHERE time >= '2000-01-01T00:00:00Z'");
    trial.same("SELECT v FROM m WHERE time < '2000-01-01T00:00:00Z'");
    trial.same("SELECT count(v), first(v), last(v) FROM m");
}

/// Not lost without a word: counted as left out, or refused.
pub(crate) fn a_time_the_store_does_not_take_is_told(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let times = subject.abilities().times;
    for time in FAR_AWAY.iter().filter(|time| !times.contains(time)) {
        let points = [point("m,a=x", "v", Float(1.0), *time), point("m,a=x", "v", Float(2.0), START)];
        match subject.write(&list(trial.place(), &points)) {
            Ok(written) => assert_eq!(written.filtered, 1, "time {time}"),
            Err(WriteError::Points { .. }) => {}
            Err(error) => panic!("time {time}: {error:?}"),
        }
        subject.write(&list(trial.place(), &points[1..])).unwrap();
        assert_eq!(trial.column("SELECT v FROM m"), [(START, Cell::Float(2.0))], "time {time}");
    }
}
