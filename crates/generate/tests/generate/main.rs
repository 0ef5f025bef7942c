//! What a plan promises, seen from outside.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod anomalies;
mod same_bytes;
mod shape;

use std::time::Duration;

use generate::{EmsOptions, NodeOptions, Options, Order, Plan, Subject};
use model::{HumanDuration, TimeRange, TimestampNs};

/// 2025-07-14, a Monday.
const MONDAY: TimestampNs = TimestampNs(1_752_451_200_000_000_000);
const DAY_NS: i64 = 86_400_000_000_000;
const HOUR_NS: i64 = 3_600_000_000_000;

fn range(days: i64) -> TimeRange {
    TimeRange::new(MONDAY, TimestampNs(MONDAY.0 + days * DAY_NS))
}

/// One node of each type, every 15 minutes.
fn nodes(days: i64) -> Options {
    Options::new(Subject::Nodes(NodeOptions { vm: 1, host: 1, ne: 1, tru: 1, hostgroup: 1 }), range(days))
}

/// One channel with every quantity, every 5 minutes.
fn plant(days: i64) -> Options {
    let subject = Subject::Ems(EmsOptions { channels: 1, data_points: 25, ..EmsOptions::default() });
    Options { step: HumanDuration(Duration::from_secs(300)), ..Options::new(subject, range(days)) }
}

fn plan(options: Options) -> Plan {
    Plan::new(options).unwrap()
}

fn lines(plan: &Plan, order: Order) -> String {
    let mut out = Vec::new();
    plan.write_lines(order, 0..plan.len(), &mut out);
    String::from_utf8(out).unwrap()
}
