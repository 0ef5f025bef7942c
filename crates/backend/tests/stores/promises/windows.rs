//! Aggregates, compared cell by cell with what the embedded engine computes.

use model::FieldValue::{Float, Integer};

use crate::data::{HOUR, MINUTE, Random, SECOND, START, plant, point};
use crate::subjects::Subject;
use crate::trial::Trial;

/// Functions of numbers.
const FUNCTIONS: [&str; 13] = [
    "count({})",
    "mean({})",
    "sum({})",
    "min({})",
    "max({})",
    "first({})",
    "last({})",
    "spread({})",
    "stddev({})",
    "median({})",
    "percentile({}, 90)",
    "percentile({}, 12.5)",
    "count(distinct({}))",
];

/// The half hour that the plant's points are in, and some minutes without any.
fn half_hour() -> String {
    format!("time >= {} AND time < {}", START - 3 * MINUTE, START + 33 * MINUTE)
}

fn of_plant(subject: &dyn Subject) -> Trial<'_> {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    trial
}

/// Every function over both numeric fields.
fn each_call(mut check: impl FnMut(String)) {
    for function in FUNCTIONS {
        ["power", "state"].iter().for_each(|field| check(function.replace("{}", field)));
    }
}

pub(crate) fn aggregates_over_windows(subject: &dyn Subject) {
    let trial = of_plant(subject);
    each_call(|call| {
        for width in ["1m", "5m", "7s", "1h"] {
            trial.alike(&format!("SELECT {call} FROM m WHERE {} GROUP BY time({width})", half_hour()));
        }
    });
}

pub(crate) fn aggregates_over_windows_by_tag(subject: &dyn Subject) {
    let trial = of_plant(subject);
    each_call(|call| {
        trial.alike(&format!("SELECT {call} FROM m WHERE {} GROUP BY time(2m), device", half_hour()));
        trial.alike(&format!(
            "SELECT {call} FROM m WHERE site != '' AND {} GROUP BY time(2m), site ORDER BY time DESC LIMIT 4",
            half_hour()
        ));
    });
}

pub(crate) fn gaps_are_filled(subject: &dyn Subject) {
    let trial = of_plant(subject);
    for call in ["count(power)", "mean(power)", "sum(state)", "first(power)", "percentile(state, 50)", "stddev(power)"]
    {
        for fill in ["null", "none", "previous", "linear", "0", "-1.5", "100"] {
            trial.alike(&format!("SELECT {call} FROM m WHERE {} GROUP BY time(1m) fill({fill})", half_hour()));
            let by_device = format!("WHERE {} GROUP BY time(1m), device fill({fill}) ORDER BY time DESC", half_hour());
            trial.alike(&format!("SELECT {call} FROM m {by_device}"));
        }
    }
}

pub(crate) fn aggregates_over_a_whole_range(subject: &dyn Subject) {
    let trial = of_plant(subject);
    each_call(|call| {
        // Alone it tells a time, which is that of any of the points with the value.
        let call = if call.starts_with("percentile") { format!("{call}, count(state)") } else { call };
        trial.alike(&format!("SELECT {call} FROM m"));
        trial.alike(&format!("SELECT {call} FROM m WHERE {}", half_hour()));
        trial.alike(&format!("SELECT {call} FROM m WHERE {} GROUP BY device", half_hour()));
        trial.alike(&format!("SELECT {call} FROM m WHERE time >= {} GROUP BY site", START + 15 * MINUTE));
    });
}

pub(crate) fn windows_of_a_time_zone(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    // Around the change to summer time of 2024-03-31, in Berlin at 01:00Z; a point each 50 minutes.
    let change = 1_711_846_800 * SECOND;
    let points: Vec<_> = (-120..120)
        .map(|n| point("m,device=1", "power", Float((n * n % 37) as f64), change + n * 50 * MINUTE))
        .collect();
    trial.write(&points);
    let range = format!("time >= {} AND time < {}", change - 96 * HOUR, change + 96 * HOUR);
    for zone in ["Europe/Berlin", "Asia/Shanghai", "America/New_York", "Asia/Kolkata"] {
        for window in ["1d", "6h", "1h", "1w"] {
            for call in ["count(power)", "mean(power)", "last(power)"] {
                let question = format!("SELECT {call} FROM m WHERE {range} GROUP BY time({window}) tz('{zone}')");
                trial.alike(&question);
                trial.alike_in_strict_dialect(&question);
            }
        }
        // Windows of calendar units are hissrv's own.
        trial.alike(&format!("SELECT sum(power) FROM m WHERE {range} GROUP BY time('1mo') tz('{zone}')"));
    }
}

pub(crate) fn windows_with_an_offset(subject: &dyn Subject) {
    let trial = of_plant(subject);
    for window in ["5m, 1m", "5m, -1m", "10m, 25m", "1m, 30s"] {
        for call in ["count(power)", "mean(power)", "max(state)"] {
            trial.alike(&format!("SELECT {call} FROM m WHERE {} GROUP BY time({window})", half_hour()));
        }
    }
}

pub(crate) fn aggregates_of_what_is_no_number(subject: &dyn Subject) {
    let trial = of_plant(subject);
    for call in [
        "count(note)",
        "first(note)",
        "last(note)",
        "mode(note)",
        "count(distinct(note))",
        "count(\"on\")",
        "first(\"on\")",
        "last(\"on\")",
        "min(\"on\")",
        "max(\"on\")",
        "mode(\"on\")",
    ] {
        trial.same(&format!("SELECT {call} FROM m WHERE {} GROUP BY time(5m), device", half_hour()));
        trial.same(&format!("SELECT {call} FROM m WHERE {} GROUP BY device", half_hour()));
    }
}

pub(crate) fn several_functions_at_once(subject: &dyn Subject) {
    let trial = of_plant(subject);
    for columns in [
        "mean(power), count(state), max(state), min(power)",
        "first(power), last(power), first(state)",
        "mean(power) + max(state) AS x, count(power)",
        "mean(*)",
        "count(*)",
        "max(power) - min(power) AS range, spread(power)",
        "percentile(power, 5), percentile(power, 50), percentile(power, 95)",
    ] {
        for tail in ["GROUP BY time(5m)", "GROUP BY time(5m), device fill(none)", "GROUP BY device", ""] {
            trial.alike(&format!("SELECT {columns} FROM m WHERE {} {tail}", half_hour()));
        }
    }
}

pub(crate) fn functions_over_sequences(subject: &dyn Subject) {
    let trial = of_plant(subject);
    for call in [
        "derivative(mean(power), 1s)",
        "non_negative_derivative(mean(power))",
        "difference(max(state))",
        "cumulative_sum(sum(power))",
        "moving_average(mean(power), 3)",
        "elapsed(last(power), 1s)",
    ] {
        for tail in ["GROUP BY time(1m)", "GROUP BY time(1m), device fill(0)", "GROUP BY time(2m) fill(previous)"] {
            trial.alike(&format!("SELECT {call} FROM m WHERE {} {tail}", half_hour()));
        }
    }
    for call in ["derivative(power)", "difference(state)", "cumulative_sum(power)", "integral(power)"] {
        trial.alike(&format!("SELECT {call} FROM m WHERE {} GROUP BY device", half_hour()));
    }
}

pub(crate) fn choices_of_points(subject: &dyn Subject) {
    let trial = of_plant(subject);
    for choice in
        ["top(power, 3)", "bottom(power, 3)", "top(power, device, 2)", "max(power), state", "last(state), device"]
    {
        trial.alike(&format!("SELECT {choice} FROM m WHERE {}", half_hour()));
        trial.alike(&format!("SELECT {choice} FROM m WHERE {} GROUP BY time(10m)", half_hour()));
    }
    trial.alike(&format!("SELECT distinct(note) FROM m WHERE {} AND device = '1' GROUP BY time(10m)", half_hour()));
}

pub(crate) fn queries_over_queries(subject: &dyn Subject) {
    let trial = of_plant(subject);
    let range = half_hour();
    for question in [
        format!("SELECT max(mean) FROM (SELECT mean(power) FROM m WHERE {range} GROUP BY time(1m), device)"),
        format!(
            "SELECT sum(last) FROM (SELECT last(power) FROM m WHERE {range} GROUP BY time(1m), device) WHERE {range} GROUP BY time(5m)"
        ),
        format!("SELECT x FROM (SELECT power * 2 AS x FROM m WHERE {range}) WHERE x > 100"),
        format!("SELECT mean(power) FROM (SELECT power, state FROM m WHERE {range}) WHERE state > 0 GROUP BY device"),
    ] {
        trial.alike(&question);
    }
}

/// More rows than fit into one request or page, and windows at their edges.
pub(crate) fn an_aggregate_of_a_long_series(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let mut random = Random(3);
    for part in 0..4 {
        let points: Vec<_> = (part * 7500..(part + 1) * 7500)
            .map(|n| point("m,device=1", "v", Integer(random.below(1000)), START + n * SECOND / 4))
            .collect();
        trial.write(&points);
    }
    let range = format!("time >= {START} AND time < {}", START + 3 * HOUR);
    for call in ["count(v)", "mean(v)", "first(v)", "last(v)", "percentile(v, 99), max(v)", "stddev(v)"] {
        trial.alike(&format!("SELECT {call} FROM m WHERE {range}"));
        trial.alike(&format!("SELECT {call} FROM m WHERE {range} GROUP BY time(1s)"));
        trial.alike(&format!("SELECT {call} FROM m WHERE {range} GROUP BY time(1h)"));
    }
    trial.same_rows("SELECT v FROM m", 30_000);
    trial.same_rows("SELECT v FROM m LIMIT 10 OFFSET 29995", 5);
}
