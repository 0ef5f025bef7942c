//! Queries in InfluxQL, compared with the embedded engine's answers.

use super::reference::{Pair, Points, SECOND, START, Value, plan};

/// Half an hour of three machines, with gaps; one of them without a room.
pub(super) fn plant() -> Points {
    let mut points = Points::default();
    let mut state = 7_u64;
    let mut random = |below: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as i64) % below
    };
    let machines: [&[(&str, &str)]; 3] =
        [&[("host", "a"), ("room", "1")], &[("host", "b"), ("room", "2")], &[("host", "c")]];
    for (number, tags) in (0..).zip(machines) {
        for step in 0..60 {
            // All times are different, so that the order of rows is certain.
            let time = START + step * 30 * SECOND + number * 250_000_000;
            if (20..32).contains(&step) || random(6) == 0 {
                continue;
            }
            points.add("m", tags, "v", Value::Float(random(4000) as f64 / 8.0 - 200.0), time);
            points.add("m", tags, "i", Value::Integer(random(9) - 3), time);
            if step % 3 == 0 {
                points.add("m", tags, "live", Value::Boolean(random(2) == 0), time);
                points.add(
                    "m",
                    tags,
                    "note",
                    Value::Text(["run", "it's \"ok\"", "µ\\n"][random(3) as usize].to_owned()),
                    time,
                );
            }
            if number == 1 && step % 7 == 0 {
                points.add("n", &[("host", "b")], "v", Value::Float(step as f64), time + 1);
                points.add("n", &[("host", "b")], "w", Value::Integer(step), time + 1);
            }
        }
    }
    points
}

const RANGE: &str = "time >= '2024-03-10T00:00:00Z' AND time < '2024-03-10T00:30:00Z'";

/// What InfluxQL says itself; `RANGE` is the range.
const SAID: [&str; 96] = [
    "SELECT v FROM m",
    "SELECT v, i, host FROM m WHERE RANGE",
    "SELECT * FROM m",
    "SELECT *::field FROM m GROUP BY *",
    "SELECT * FROM m GROUP BY room",
    "SELECT *, *::tag FROM m GROUP BY host ORDER BY time DESC LIMIT 3",
    "SELECT /^[vi]$/ FROM m WHERE room = '2'",
    "SELECT v, live, note FROM m WHERE host = 'a' LIMIT 4 OFFSET 2",
    "SELECT v FROM m ORDER BY time DESC LIMIT 5",
    "SELECT v FROM m GROUP BY host ORDER BY time DESC LIMIT 2 OFFSET 1",
    "SELECT v FROM m GROUP BY host SLIMIT 1 SOFFSET 1",
    "SELECT v FROM m, n",
    "SELECT v, w FROM /^[mn]$/ GROUP BY host",
    "SELECT v FROM plant.autogen.m, plant..n WHERE RANGE",
    "SELECT nosuch, v FROM m LIMIT 2",
    "SELECT nosuch FROM m",
    "SELECT v FROM nosuch",
    "SELECT host FROM m",
    "SELECT time AS at, v AS \"a b\" FROM m LIMIT 1",
    "SELECT v * 2 + i, v / i, i % 3, i & 3, abs(v), pow(v, 2), round(v) FROM m",
    "SELECT -v, v - -1.5, i * -2 FROM m LIMIT 3",
    "SELECT v::integer, i::float, note::float, live::boolean FROM m",
    "SELECT v FROM m WHERE v > 100 OR (i = 2 AND host != 'a')",
    "SELECT v FROM m WHERE note = 'run' OR note =~ /ok/",
    "SELECT v FROM m WHERE note = 'it\\'s \"ok\"'",
    "SELECT v FROM m WHERE live = true AND room = ''",
    "SELECT v FROM m WHERE host =~ /^[ab]$/ AND room !~ /2/",
    "SELECT v FROM m WHERE v > i * 10",
    "SELECT v FROM m WHERE nosuch = '' LIMIT 2",
    "SELECT v FROM m WHERE nosuch = 'x'",
    "SELECT v FROM m WHERE false",
    "SELECT v FROM m WHERE time > now() - 40m AND time <= '2024-03-10T00:25:00.25Z'",
    "SELECT i FROM m GROUP BY host fill(0)",
    "SELECT live, i FROM m WHERE room = '1' fill(previous)",
    "SELECT count(v), sum(v), mean(v), min(v), max(v), spread(v), stddev(v), median(v), first(v), last(v) FROM m WHERE RANGE",
    "SELECT count(i), sum(i), mean(i), min(i), max(i), spread(i), stddev(i), median(i), first(i), last(i) FROM m GROUP BY *",
    "SELECT count(note), first(note), last(note), count(live), first(live), max(live), min(live) FROM m WHERE RANGE GROUP BY room",
    "SELECT mode(i), mode(note) FROM m GROUP BY host",
    "SELECT percentile(v, 90) FROM m",
    "SELECT percentile(v, 33.3), percentile(i, 50) FROM m WHERE RANGE GROUP BY time(5m)",
    "SELECT max(v) FROM m WHERE RANGE",
    "SELECT first(v), i, host FROM m WHERE RANGE",
    "SELECT max(v), host FROM m WHERE RANGE GROUP BY time(10m)",
    "SELECT mean(*) FROM m",
    "SELECT count(/./) FROM m WHERE RANGE GROUP BY time(10m)",
    "SELECT max(*) FROM m GROUP BY host",
    "SELECT mean(v) FROM m WHERE RANGE GROUP BY time(5m)",
    "SELECT mean(v), count(i) FROM m WHERE RANGE GROUP BY time(1m), host fill(none)",
    "SELECT mean(v), count(i), last(note) FROM m WHERE RANGE GROUP BY time(1m), room fill(previous)",
    "SELECT mean(v), sum(i) FROM m WHERE RANGE GROUP BY time(1m), * fill(linear)",
    "SELECT mean(v), sum(i), count(v) FROM m WHERE RANGE GROUP BY time(2m), host fill(7)",
    "SELECT mean(v), sum(i) FROM m WHERE RANGE GROUP BY time(2m) fill(-2.5)",
    "SELECT mean(v) FROM m WHERE RANGE GROUP BY time(7m, 3m), host ORDER BY time DESC",
    "SELECT mean(v), max(i) FROM m WHERE RANGE GROUP BY time(7m, -90s) LIMIT 3 OFFSET 1",
    "SELECT mean(v) FROM m WHERE RANGE GROUP BY time(1m) fill(previous) ORDER BY time DESC LIMIT 7",
    "SELECT mean(v) FROM m GROUP BY time(10m)",
    "SELECT mean(v) FROM m WHERE time > now() - 50m GROUP BY time(10m), host",
    "SELECT mean(v) FROM m WHERE RANGE GROUP BY time(10m), nosuch",
    "SELECT mean(v) FROM m WHERE RANGE GROUP BY time(10m), /o/",
    "SELECT count(v) FROM m WHERE RANGE GROUP BY time(1d) tz('Europe/Berlin')",
    "SELECT mean(v) FROM m WHERE RANGE GROUP BY time(6m) tz('Asia/Shanghai')",
    "SELECT v FROM m LIMIT 2 tz('America/New_York')",
    "SELECT count(distinct(i)) FROM m WHERE RANGE GROUP BY time(10m)",
    "SELECT count(distinct(note)), mean(v) FROM m",
    "SELECT top(v, 3) FROM m",
    "SELECT bottom(v, host, 2), i FROM m WHERE RANGE",
    "SELECT top(i, 2) FROM m WHERE host = 'a' AND RANGE GROUP BY time(10m)",
    "SELECT derivative(v) FROM m WHERE host = 'a'",
    "SELECT derivative(mean(v), 1m) FROM m WHERE RANGE GROUP BY time(5m)",
    "SELECT non_negative_derivative(mean(v)) FROM m WHERE time >= '2024-03-10T00:10:00Z' AND time < now() GROUP BY time(5m), host",
    "SELECT difference(v) FROM (SELECT v FROM m WHERE host = 'a')",
    "SELECT difference(i) FROM m GROUP BY host",
    "SELECT non_negative_difference(last(i)) FROM m WHERE RANGE GROUP BY time(5m), room",
    "SELECT cumulative_sum(i), cumulative_sum(v) FROM m WHERE room = '2'",
    "SELECT moving_average(v, 3) FROM m GROUP BY host LIMIT 5",
    "SELECT moving_average(mean(v), 2) FROM m WHERE RANGE GROUP BY time(4m) ORDER BY time DESC",
    "SELECT elapsed(v, 1s) FROM m WHERE host = 'c'",
    "SELECT elapsed(v) FROM m WHERE host = 'c' LIMIT 3",
    "SELECT integral(v, 1m) FROM m WHERE host = 'a' AND RANGE",
    "SELECT max(v) - min(v), mean(v) * 2 FROM m WHERE RANGE GROUP BY time(10m)",
    "SELECT abs(mean(v)), pow(max(i), 2) FROM m GROUP BY host",
    "SELECT round(mean(i)) + 0.5 FROM m",
    "SELECT mean(m) FROM (SELECT max(v) AS m FROM m WHERE RANGE GROUP BY time(5m), host) WHERE RANGE GROUP BY time(15m)",
    "SELECT sum(c) FROM (SELECT count(v) AS c FROM m GROUP BY host)",
    "SELECT max(mean) FROM (SELECT mean(v) FROM m WHERE RANGE GROUP BY time(1m)) WHERE RANGE GROUP BY time(10m), host",
    "SELECT difference(max(mean)) FROM (SELECT mean(v) FROM m GROUP BY time(1m)) WHERE time >= '2024-03-10T00:10:00Z' AND time < now() GROUP BY time(5m)",
    "SELECT mean FROM (SELECT mean(v) FROM m WHERE RANGE GROUP BY time(10m)) WHERE mean > 0",
    "SELECT mean(v) FROM (SELECT v FROM m WHERE i > 0) WHERE RANGE GROUP BY time(10m), host fill(none)",
    "SELECT sum(a) - sum(b) FROM (SELECT sum(v) AS a FROM m GROUP BY host), (SELECT sum(v) AS b FROM n GROUP BY host) GROUP BY host",
    "SELECT x + 1 FROM (SELECT max(v) AS x, host FROM m WHERE RANGE GROUP BY time(10m))",
    "SELECT count(v) FROM m WHERE time >= '2024-03-10T00:30:00Z' AND time < '2024-03-10T00:30:00Z'",
    "SELECT sum(i) FROM m WHERE i > 100",
    "SELECT last(*) FROM m GROUP BY host",
    "SELECT v FROM m WHERE host = 'a' AND host = 'b'",
    "SELECT sum(v) FROM m WHERE time >= 0",
    "SELECT mean(v) FROM m WHERE time < '2024-03-10T00:05:00Z' GROUP BY time(1m), host",
];

/// What it has no words for.
const COMPUTED: [&str; 9] = [
    "SELECT time_weighted_mean(v) FROM m WHERE RANGE GROUP BY time(10m), host",
    "SELECT time_weighted_mean(v), count(i) FROM m WHERE RANGE AND host != 'a'",
    "SELECT percentile_approx(v, 50) FROM m WHERE RANGE",
    "SELECT count(v), max(i) FROM m WHERE RANGE GROUP BY time('1mo'), *",
    "SELECT mean(v) FROM m WHERE RANGE AND (i > 0 OR live = true) GROUP BY time('1y')",
    "SELECT count(note) FROM /^[mn]$/ WHERE RANGE GROUP BY time('1mo') tz('Europe/Berlin')",
    "SELECT sum(x) FROM (SELECT max(v) AS x FROM m WHERE RANGE GROUP BY time('1mo'), host)",
    "SELECT mean(v) FROM m WHERE time < '2024-03-10T00:05:00Z' GROUP BY time(1m, 7s), room",
    "SELECT time_weighted_mean(v) FROM nosuch",
];

#[test]
fn answers_are_those_of_the_embedded_engine() {
    let pair = Pair::new(&plant());
    let plans = SAID.iter().chain(&COMPUTED).map(|text| {
        let text = text.replace("RANGE", RANGE);
        (plan(&text), text)
    });
    pair.compare_all(plans, Pair::answers);
}

#[test]
fn what_can_be_said_is_asked_once_and_types_are_remembered() {
    let pair = Pair::new(&plant());
    let plan = plan("SELECT mean(v) FROM m GROUP BY host");
    let asked = |times: usize| {
        (0..times).for_each(|_| drop(pair.answers(&plan)));
        pair.server.asked.lock().unwrap().drain(..).collect::<Vec<_>>()
    };
    assert_eq!(asked(1), ["SHOW FIELD KEYS FROM m", "SELECT mean(v) FROM m GROUP BY host"]);
    assert_eq!(asked(2), ["SELECT mean(v) FROM m GROUP BY host"; 2]);
}
