//! Days and months on the clocks of zones, compared with a straightforward computation by a date library: each point belongs to the date
//! that a calendar on the wall shows.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use query::{Cell, Shortcuts, Table};

use crate::support::{Node, memory, task};

/// 2024-01-01T00:00:00Z and 2027-01-01T00:00:00Z.
const START: i64 = 1_704_067_200;
const END: i64 = 1_798_761_600;
/// A value every 47 minutes meets every hour of a day, also those that come twice or not at all.
const STEP: i64 = 47 * 60;

fn value(time: i64) -> f64 {
    ((time / STEP) % 97) as f64
}

/// Number and sum of the values of every date, by the first of the month where `by_month`.
fn by_date(zone: &TimeZone, by_month: bool) -> BTreeMap<Date, (i64, f64)> {
    let mut found = BTreeMap::new();
    for time in (START..END).step_by(STEP as usize) {
        let date = zone.to_datetime(Timestamp::from_second(time).unwrap()).date();
        let key = if by_month { date.first_of_month() } else { date };
        let (count, sum) = found.entry(key).or_insert((0, 0.0));
        *count += 1;
        *sum += value(time);
    }
    found
}

fn dates(table: &Table, zone: &TimeZone) -> BTreeMap<Date, (i64, f64)> {
    let times = table.times.as_ref().unwrap();
    let row = |(index, time): (usize, &model::TimestampNs)| {
        let start = Timestamp::from_nanosecond(i128::from(time.0)).unwrap();
        let (Cell::Integer(count), Cell::Float(sum)) = (&table.cells[0][index], &table.cells[1][index]) else {
            panic!("{table:?}")
        };
        let date = zone.to_datetime(start).date();
        assert_eq!(date.to_zoned(zone.clone()).unwrap().timestamp(), start, "a window starts with its date");
        (date, (*count, *sum))
    };
    times.iter().enumerate().map(row).collect()
}

#[test]
fn days_and_months_of_three_zones_over_three_years_are_those_of_the_calendar() {
    let (fs, dir) = memory();
    let zones = ["Europe/Berlin", "America/New_York", "Asia/Shanghai"];
    let mut tasks = vec![task("hours", "autogen", "hourly", "1h", None)];
    for (number, zone) in zones.iter().enumerate() {
        let mut days = task(&format!("days{number}"), "hourly", "daily", "1d", Some(zone));
        days.fields.iter_mut().for_each(|field| field.alias = format!("day{number}_{}", field.alias));
        let mut months = task(&format!("months{number}"), "hourly", "daily", "1mo", Some(zone));
        months.fields.iter_mut().for_each(|field| field.alias = format!("month{number}_{}", field.alias));
        tasks.extend([days, months]);
    }
    let node = Node::open(&fs, &dir, tasks);
    let mut lines = String::new();
    for time in (START..END).step_by(STEP as usize) {
        writeln!(lines, "m v={} {time}", value(time)).unwrap();
    }
    node.write(&lines);
    node.settle();
    for (number, name) in zones.iter().enumerate() {
        let zone = TimeZone::get(name).unwrap();
        for (what, by_month, tier) in
            [("day", false, format!("days{number}")), ("month", true, format!("months{number}"))]
        {
            let expected = by_date(&zone, by_month);
            assert!(expected.len() >= if by_month { 36 } else { 1096 });
            let fields = format!("SELECT v_{what}{number}_count, v_{what}{number}_sum FROM plant.daily.m");
            let (rows, _) = node.ask(&fields, Shortcuts::NONE);
            assert_eq!(dates(&rows[0], &zone), expected, "{name}: fields of the task by {what}");
            if !by_month {
                let asked = format!("SELECT count(v), sum(v) FROM m GROUP BY time(1d) fill(none) tz('{name}')");
                let (rows, provenance) = node.ask(&asked, Shortcuts::ALL);
                assert_eq!(dates(&rows[0], &zone), expected, "{name}: a question by {what}");
                assert!(provenance.iter().any(|p| p.tier == tier), "{name}: {provenance:?}");
            }
        }
    }
    node.close();
}
