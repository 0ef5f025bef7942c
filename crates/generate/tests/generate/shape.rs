//! Values look like those of the field: busy hours, working days, ranges, units, noise of the size asked for.

use generate::quantity::{Quantity, Shape, Volatility};
use generate::{AnomalyOptions, NodeType, Options, Order, Plan, Sample, UtcOffset};
use model::HumanDuration;
use model::line::LineParser;
use std::time::Duration;

use crate::{DAY_NS, HOUR_NS, MONDAY, lines, nodes, plan, plant};

fn calm(options: Options) -> Plan {
    plan(Options { anomalies: AnomalyOptions::NONE, ..options })
}

fn samples<'p>(plan: &'p Plan, wanted: impl Fn(&Quantity) -> bool + 'p) -> Vec<Sample<'p>> {
    plan.samples(Order::BySeries, 0..plan.len()).filter(|sample| wanted(sample.series.quantity())).collect()
}

fn hour(sample: &Sample<'_>) -> i64 {
    (sample.time.0 - MONDAY.0).rem_euclid(DAY_NS) / HOUR_NS
}

fn weekday(sample: &Sample<'_>) -> i64 {
    (sample.time.0 - MONDAY.0).div_euclid(DAY_NS) % 7
}

/// Mean of values as shares of the base of their quantity.
fn mean(samples: &[Sample<'_>], wanted: impl Fn(&Sample<'_>) -> bool) -> f64 {
    let values: Vec<_> = samples.iter().filter(|s| wanted(s)).map(|s| s.value / s.series.quantity().base).collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn busy_hours_are_higher_than_nights_and_working_days_than_weekends() {
    for options in [nodes(14), plant(14)] {
        let plan = plan(options);
        for quantity in plan.series().iter().map(|series| series.quantity()).filter(|quantity| quantity.swing > 0.15) {
            if quantity.shape != Shape::Load {
                continue;
            }
            let samples = samples(&plan, |other| other == quantity);
            let (busy, night) = (mean(&samples, |s| (9..17).contains(&hour(s))), mean(&samples, |s| hour(s) < 6));
            let working = mean(&samples, |s| weekday(s) < 5 && (9..17).contains(&hour(s)));
            let weekend = mean(&samples, |s| weekday(s) >= 5 && (9..17).contains(&hour(s)));
            assert!(busy > night * 1.05, "{}: {busy} by day, {night} at night", quantity.name);
            assert!(working > weekend * 1.02, "{}: {working}, at weekends {weekend}", quantity.name);
        }
    }
}

#[test]
fn busy_hours_are_those_of_local_time() {
    let utc_offset = UtcOffset::from_minutes(-480).unwrap();
    let plan = calm(Options { utc_offset, ..nodes(5) });
    let samples = samples(&plan, |quantity| quantity.name == "cpu_usage");
    assert!(mean(&samples, |s| (17..24).contains(&hour(s))) > mean(&samples, |s| (9..15).contains(&hour(s))) * 1.3);
}

#[test]
fn batteries_are_full_in_the_afternoon_and_afternoons_are_warm() {
    let plan = calm(plant(2));
    let charge = samples(&plan, |quantity| quantity.name == "soc");
    assert!(mean(&charge, |s| hour(s) == 16) > 2.5 * mean(&charge, |s| hour(s) == 8));
    let warmth = samples(&plan, |quantity| quantity.name == "temperature");
    assert!(mean(&warmth, |s| hour(s) == 15) > 1.3 * mean(&warmth, |s| hour(s) == 3));
}

#[test]
fn commands_and_set_points_follow_the_working_day() {
    let plan = calm(plant(7));
    let commands = samples(&plan, |quantity| quantity.name == "run_command");
    assert!(
        commands.iter().all(|s| s.value == f64::from(u8::from(weekday(s) < 5 && (8..18).contains(&hour(s))))
            || matches!(hour(s), 8 | 18))
    );
    let set_points = samples(&plan, |quantity| quantity.name == "power_setpoint");
    assert!(set_points.iter().all(|sample| sample.value % 10.0 == 0.0));
    assert!(mean(&set_points, |s| hour(s) == 12) > mean(&set_points, |s| hour(s) == 0));
}

#[test]
fn states_are_1_while_nothing_is_wrong() {
    let plan = calm(plant(1));
    assert!(samples(&plan, |quantity| quantity.name.ends_with("_state")).iter().all(|sample| sample.value == 1.0));
}

#[test]
fn ranges_are_kept_whatever_goes_wrong() {
    for options in [nodes(30), plant(4)] {
        let plan = plan(Options { anomalies: AnomalyOptions { probability: 0.3, level_shifts: 0.3 }, ..options });
        for Sample { series, value, .. } in plan.samples(Order::ByTime, 0..plan.len()) {
            let quantity = series.quantity();
            assert!((quantity.min..=quantity.max).contains(&value), "{}: {value}", quantity.name);
        }
    }
}

/// At night the shape is flat, so that what is left is noise.
#[test]
fn noise_is_of_the_size_of_its_class() {
    let plan = calm(nodes(60));
    for kind in NodeType::ALL {
        for quantity in kind.metrics() {
            let night = samples(&plan, |other| other == quantity);
            let values: Vec<_> = night.iter().filter(|s| hour(s) < 6).map(|s| s.value).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let bound = quantity.volatility.share() * quantity.base * (1.0 + quantity.spread) + 0.01;
            let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
            assert!(values.iter().all(|value| (value - mean).abs() < bound * 1.1), "{}: leaves {bound}", quantity.name);
            let share = deviation / quantity.base / quantity.volatility.share();
            assert!((0.2..0.45).contains(&share), "{}: {share} of the volatility", quantity.name);
        }
    }
    assert_eq!([Volatility::Low, Volatility::Medium, Volatility::High].map(Volatility::share), [0.05, 0.15, 0.30]);
}

#[test]
fn jitter_makes_points_late_and_keeps_their_order() {
    let jitter = HumanDuration(Duration::from_secs(899));
    let (exact, late) = (plan(nodes(3)), plan(Options { jitter, ..nodes(3) }));
    let all = |plan: &Plan| plan.samples(Order::BySeries, 0..plan.len()).map(|s| (s.time, s.value)).collect::<Vec<_>>();
    let (exact, late) = (all(&exact), all(&late));
    let delays: Vec<_> = exact.iter().zip(&late).map(|(a, b)| b.0.0 - a.0.0).collect();
    assert!(delays.iter().all(|delay| (0..=899_000_000_000).contains(delay) && delay % 1_000_000 == 0));
    assert!(delays.iter().any(|delay| *delay > 850_000_000_000) && delays.iter().any(|delay| *delay < 50_000_000_000));
    assert!(late.windows(2).all(|pair| pair[0].0 < pair[1].0 || pair[1].0.0 < MONDAY.0 + HOUR_NS));
    assert!(exact.iter().zip(&late).all(|(a, b)| a.1 == b.1));
}

#[test]
fn lines_are_line_protocol_with_the_fields_of_their_kind() {
    for (options, fields) in [(nodes(1), 2), (plant(1), 1)] {
        let plan = plan(options);
        let text = lines(&plan, Order::ByTime);
        let mut parser = LineParser::new(text.as_bytes());
        let mut count = 0;
        while let Some(line) = parser.next_line() {
            assert_eq!(line.unwrap().fields.len(), fields);
            count += 1;
        }
        assert_eq!(count, plan.len());
    }
}
