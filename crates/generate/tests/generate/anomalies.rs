//! Labels say what is wrong with the values, no more and no less.

use std::collections::HashMap;

use generate::{Anomaly, AnomalyKind, AnomalyOptions, Options, Order, Plan};
use model::TimestampNs;

use crate::{nodes, plan, plant};

/// Values by series and time.
type Values = HashMap<(String, TimestampNs), f64>;

fn values(plan: &Plan) -> Values {
    let samples = plan.samples(Order::ByTime, 0..plan.len());
    samples.map(|sample| ((sample.series.key().to_owned(), sample.time), sample.value)).collect()
}

fn with(options: &Options, probability: f64, level_shifts: f64) -> Plan {
    plan(Options { anomalies: AnomalyOptions { probability, level_shifts }, ..options.clone() })
}

/// Times of the points of a label.
fn times(plan: &Plan, anomaly: &Anomaly) -> Vec<TimestampNs> {
    let inside = |time: &TimestampNs| anomaly.start <= *time && *time < anomaly.end;
    (0..plan.ticks()).map(|tick| plan.time(tick)).filter(inside).collect()
}

#[test]
fn what_is_labelled_deviates_by_its_factor_and_nothing_else_deviates() {
    for options in [nodes(10), plant(2)] {
        let (wrong, right) = (with(&options, 0.05, 0.05), with(&options, 0.0, 0.0));
        let (mut wrong_values, right_values) = (values(&wrong), values(&right));
        let quantities: HashMap<_, _> = wrong.series().iter().map(|s| (s.key().to_owned(), s.quantity())).collect();
        for anomaly in wrong.anomalies(0..u64::MAX) {
            let quantity = quantities[&anomaly.series];
            for time in times(&wrong, &anomaly) {
                let place = (anomaly.series.clone(), time);
                let (was, is) = (right_values[&place], wrong_values.remove(&place).unwrap());
                let expected = anomaly.factor.map_or(1.0 - was, |factor| was * factor);
                // The value was rounded before and after it was multiplied.
                let rounding = (0.5 + 0.5 * anomaly.factor.unwrap_or(1.0)) / quantity.precision + 1e-9;
                let expected = expected.clamp(quantity.min, quantity.max);
                assert!((is - expected).abs() <= rounding, "{anomaly:?}: {was} became {is}");
                assert_ne!(is, was, "{anomaly:?} cannot be seen");
            }
        }
        assert!(!wrong_values.is_empty());
        for (place, value) in wrong_values {
            assert_eq!(value, right_values[&place], "{place:?} is not labelled");
        }
    }
}

#[test]
fn as_many_points_are_wrong_as_was_asked_for() {
    let default = AnomalyOptions::default();
    assert_eq!((default.probability, default.level_shifts), (0.05, 0.0));
    for asked in [0.01, 0.05, 0.2] {
        let options = nodes(120);
        let plan = with(&options, asked, 0.0);
        let lasting: usize = plan.anomalies(0..u64::MAX).map(|anomaly| len(&plan, &anomaly)).sum();
        let share = lasting as f64 / plan.len() as f64;
        assert!((share - asked).abs() < 0.1 * asked, "{share} instead of {asked}");
    }
}

fn len(plan: &Plan, anomaly: &Anomaly) -> usize {
    let step = plan.time(1).0 - plan.time(0).0;
    ((anomaly.end.0 - anomaly.start.0 + step - 1) / step) as usize
}

#[test]
fn every_kind_and_factor_happens_and_lasts_as_long_as_it_should() {
    let mut lengths: HashMap<AnomalyKind, Vec<usize>> = HashMap::new();
    let mut factors: Vec<i64> = Vec::new();
    for options in [nodes(60), plant(20)] {
        let plan = with(&options, 0.1, 0.1);
        for anomaly in plan.anomalies(1_000..2_000) {
            factors.extend(anomaly.factor.map(|factor| (factor * 100.0).round() as i64));
            lengths.entry(anomaly.kind).or_default().push(len(&plan, &anomaly));
        }
    }
    factors.sort_unstable();
    factors.dedup();
    assert_eq!(factors, [25, 40, 67, 150, 250, 400]);
    for (kind, longest) in
        [(AnomalyKind::Spike, 7), (AnomalyKind::Drop, 7), (AnomalyKind::Flip, 7), (AnomalyKind::LevelShift, 127)]
    {
        assert!(lengths[&kind].iter().all(|len| *len <= longest), "{kind:?}");
        assert!(lengths[&kind].iter().any(|len| *len > longest / 2), "{kind:?}");
    }
}

#[test]
fn labels_of_parts_are_those_of_the_whole_cut_at_the_parts() {
    let plan = with(&nodes(4), 0.1, 0.1);
    let points = |anomalies: Vec<Anomaly>| {
        let mut points: Vec<_> = anomalies
            .iter()
            .flat_map(|anomaly| {
                times(&plan, anomaly).into_iter().map(|time| (anomaly.series.clone(), time, anomaly.kind))
            })
            .collect();
        points.sort();
        points
    };
    let whole = points(plan.anomalies(0..u64::MAX).collect());
    let cut = [0..100, 100..101, 101..384].into_iter().flat_map(|ticks| plan.anomalies(ticks));
    assert_eq!(points(cut.collect()), whole);
    assert_eq!(plan.anomalies(384..u64::MAX).count(), 0);
}

#[test]
fn people_make_no_mistakes() {
    let plan = with(&plant(20), 0.3, 0.3);
    let commanded = |anomaly: &Anomaly| ["control", "adjustment"].iter().any(|kind| anomaly.series.starts_with(kind));
    assert!(!plan.anomalies(0..u64::MAX).any(|anomaly| commanded(&anomaly)));
    let signals: Vec<_> = plan.anomalies(0..u64::MAX).filter(|anomaly| anomaly.series.starts_with("signal")).collect();
    assert!(!signals.is_empty() && signals.iter().all(|anomaly| anomaly.kind == AnomalyKind::Flip));
}
