//! The same options give the same bytes: today and later, as a whole and in parts, in one order and in the other.

use generate::{NodeOptions, Options, Order, Plan, Subject};
use model::{HumanDuration, TimeRange, TimestampNs};
use proptest::prelude::*;
use std::time::Duration;

use crate::{DAY_NS, lines, nodes, plan, plant, range};

/// These lines never change, on no machine and in no version: change them only with a line in the changelog.
#[test]
fn seed_1_gives_these_lines() {
    let node_lines = lines(&plan(nodes(1)), Order::ByTime);
    let expected = include_str!("nodes.lines");
    assert_eq!(node_lines.lines().take(57).collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
    let plant_lines = lines(&plan(plant(1)), Order::ByTime);
    let expected = include_str!("plant.lines");
    assert_eq!(plant_lines.lines().skip(4_000).take(50).collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
}

/// All bytes of 30 days, as a number: FNV-1a.
#[test]
fn seed_1_gives_these_30_days() {
    let hash = |options: Options| {
        lines(&plan(options), Order::BySeries)
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    let mut shifted = nodes(30);
    shifted.anomalies.level_shifts = 0.05;
    shifted.jitter = HumanDuration(Duration::from_secs(60));
    assert_eq!((hash(shifted), hash(plant(2))), (7_201_512_696_299_622_094, 9_017_145_947_789_636_672));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    for options in [nodes(2), plant(1)] {
        let with_seed = |seed| lines(&plan(Options { seed, ..options.clone() }), Order::ByTime);
        assert_eq!(with_seed(7), with_seed(7));
        let (one, other) = (with_seed(7), with_seed(8));
        let differing = one.lines().zip(other.lines()).filter(|(a, b)| a != b).count();
        // Signals, commands and set-points are mostly the same, whatever the seed.
        assert!(differing * 10 > one.lines().count() * 6, "{differing} lines differ");
    }
}

#[test]
fn both_orders_have_the_same_points() {
    for options in [nodes(1), plant(1)] {
        let plan = plan(options);
        let (by_time, by_series) = (lines(&plan, Order::ByTime), lines(&plan, Order::BySeries));
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        assert_ne!(by_time, by_series);
        assert_eq!(sorted(&by_time), sorted(&by_series));
        let times: Vec<_> = plan.samples(Order::ByTime, 0..plan.len()).map(|sample| sample.time).collect();
        assert!(times.is_sorted());
    }
}

#[test]
fn a_plan_of_other_times_has_the_same_points_where_both_have_some() {
    let whole = lines(&plan(nodes(4)), Order::ByTime);
    let mut later = nodes(4);
    later.range.start = TimestampNs(later.range.start.0 + 2 * DAY_NS);
    let later = lines(&plan(later), Order::ByTime);
    assert!(whole.ends_with(&later) && !later.is_empty());
}

#[test]
fn more_nodes_do_not_change_those_that_were_there() {
    let few = lines(&plan(nodes(1)), Order::ByTime);
    let many = Options { subject: Subject::Nodes(NodeOptions::share_out(40)), ..nodes(1) };
    let many = lines(&plan(many), Order::ByTime);
    let many: std::collections::HashSet<_> = many.lines().collect();
    assert!(few.lines().all(|line| many.contains(line)));
}

#[test]
fn positions_outside_have_no_points() {
    let plan = plan(nodes(1));
    let written = |positions| {
        let mut out = Vec::new();
        plan.write_lines(Order::ByTime, positions, &mut out);
        out.len()
    };
    #[expect(clippy::reversed_empty_ranges, reason = "a caller may compute one")]
    let reversed = 9..3;
    assert_eq!([written(plan.len()..u64::MAX), written(u64::MAX..u64::MAX), written(reversed)], [0, 0, 0]);
    assert_eq!(plan.samples(Order::BySeries, 5..u64::MAX).size_hint().0 as u64, plan.len() - 5);
    assert_eq!((plan.part(3, 3), plan.part(0, 0)), (0..0, 0..0));
}

#[test]
fn the_positions_of_ticks_are_those_of_all_series() {
    let plan = plan(nodes(1));
    let positions = plan.positions_of_ticks(2..4);
    let times: Vec<_> = plan.samples(Order::ByTime, positions).map(|sample| sample.time).collect();
    assert_eq!(times.len(), 2 * plan.series().len());
    assert!(times.iter().all(|time| (plan.time(2)..plan.time(4)).contains(time)));
    assert_eq!(plan.positions_of_ticks(0..u64::MAX), 0..plan.len());
}

fn parts(plan: &Plan, order: Order, count: u64) -> String {
    let mut out = Vec::new();
    (0..count).for_each(|part| plan.write_lines(order, plan.part(part, count), &mut out));
    String::from_utf8(out).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_gives_the_same_bytes(seed: u64, count in 1u64..40, by_series: bool, jitter_ms in 0u64..5_000, shifts in 0.0..0.3) {
        let mut options = Options { seed, jitter: HumanDuration(Duration::from_millis(jitter_ms)), ..nodes(1) };
        options.anomalies.level_shifts = shifts;
        let plan = plan(options);
        let order = if by_series { Order::BySeries } else { Order::ByTime };
        prop_assert_eq!(parts(&plan, order, count), lines(&plan, order));
    }

    #[test]
    fn any_times_and_steps_make_points_inside_the_range(start: i32, len in 1i64..100_000, step_ms in 1u64..90_000_000, jitter_ms in 0u64..1_000) {
        let mut options = nodes(1);
        options.range.start = TimestampNs(i64::from(start) * 1_000_000_007);
        options.range.end = TimestampNs(options.range.start.0 + len * 10_000_000_000);
        options.step = HumanDuration(Duration::from_millis(step_ms));
        options.jitter = HumanDuration(Duration::from_millis(jitter_ms.min(step_ms - 1)));
        let inside = options.range;
        let plan = plan(options);
        let series = plan.series().len() as u64;
        let last = plan.positions_of_ticks(plan.ticks() - 1..plan.ticks());
        for sample in plan.samples(Order::ByTime, 0..series).chain(plan.samples(Order::ByTime, last)) {
            prop_assert!(inside.contains(sample.time));
        }
        prop_assert!(plan.time(plan.ticks()) >= inside.end);
        for anomaly in plan.anomalies(0..200) {
            prop_assert!(inside.start <= anomaly.start && anomaly.start < anomaly.end && anomaly.end <= inside.end);
        }
    }
}

#[test]
fn thirty_days_are_as_many_points_as_expected() {
    let plan = plan(Options::new(Subject::Nodes(NodeOptions::share_out(1_000)), range(30)));
    assert_eq!((plan.ticks(), plan.len()), (2_880, 2_880 * (950 * 4 + 50 * 3)));
    assert_eq!(plan.nodes().count(), 1_000);
}

#[test]
fn all_of_time_is_a_plan_too() {
    let plan = plan(Options { range: TimeRange::ALL, ..nodes(1) });
    let last = plan.len() - 19;
    let times = |positions| plan.samples(Order::ByTime, positions).map(|sample| sample.time).collect::<Vec<_>>();
    assert_eq!(times(0..1), [TimestampNs::MIN]);
    assert!(times(last..u64::MAX).iter().all(|time| *time == plan.time(plan.ticks() - 1) && *time < TimestampNs::MAX));
    assert_eq!(plan.samples(Order::BySeries, last..u64::MAX).count(), 19);
    assert!(plan.anomalies(plan.ticks() - 500..u64::MAX).all(|anomaly| anomaly.start < anomaly.end));
}
