//! A query, and what it is said as after it became a plan, get the same answer of a real server.

use std::io::Read as _;

use proptest::sample::select;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::super::Ask as _;
use super::super::render::{self, Scene};
use super::asker::Server;
use super::plans::plant;
use super::reference::{DATABASE, POLICY, plan_of};

/// Queries that are compared.
const QUERIES: usize = 400;

const RANGE: &str = "time >= 1710028800000000000 AND time < 1710030600000000000";

const COLUMNS: [&str; 32] = [
    "v",
    "*",
    "v, i, host",
    "*::field",
    "/^[vi]$/",
    "v::integer, i::float",
    "v * 2 - i % 3, abs(v) / 7 AS x",
    "(v + i) * (i - 2) AS a, v + i * i - 2 AS b, v - (i - 2) AS c",
    "mean(v)",
    "count(*)",
    "mean(v), max(i) AS m, last(note)",
    "max(v), i, room",
    "first(v), note",
    "percentile(v, 75)",
    "max(v) - min(v), mean(v) * count(i)",
    "round(mean(v)), pow(spread(i), 2)",
    "count(distinct(i))",
    "median(/v|i/), stddev(i)",
    "top(v, 3)",
    "bottom(v, host, 2), i",
    "derivative(v, 1m)",
    "derivative(mean(v)), difference(max(i))",
    "non_negative_difference(last(i))",
    "moving_average(mean(v), 2)",
    "cumulative_sum(sum(i))",
    "elapsed(v, 1s)",
    "elapsed(first(v), 1m)",
    "holt_winters(mean(v), 3, 2)",
    "holt_winters_with_fit(first(v), 2, 0)",
    "moving_average(derivative(mean(v)), 2)",
    "time AS at, sum(v)",
    "min(live), mode(note), count(live)",
];

const CONDITIONS: [&str; 12] = [
    "",
    "",
    "",
    "host = 'a' AND ",
    "(host = 'a' OR room = '2') AND ",
    "host =~ /^[ab]$/ AND room != '' AND ",
    "v > i * 10 AND ",
    "(v > 0 OR i > 3 AND host != 'c') AND ",
    "note = 'run' AND live = true AND ",
    "(NOTHING = '' OR v < 0) AND ",
    "i::integer >= -2 AND host::tag !~ /b/ AND ",
    "time >= '2024-03-10T00:04:00.5Z' AND ",
];

const GROUPS: [&str; 9] = [
    "",
    "",
    " GROUP BY host",
    " GROUP BY *",
    " GROUP BY time(5m)",
    " GROUP BY time(5m)",
    " GROUP BY time(7m, 90s), room",
    " GROUP BY time(3m), /o/",
    " GROUP BY time(12h), nosuch, host",
];

const TAILS: [&str; 12] = [
    "",
    "",
    " fill(none)",
    " fill(previous)",
    " fill(linear)",
    " fill(3)",
    " fill(-0.5) LIMIT 4",
    " ORDER BY time DESC",
    " ORDER BY time DESC LIMIT 3 OFFSET 1",
    " LIMIT 5",
    " SLIMIT 1 SOFFSET 1",
    " tz('Europe/Berlin')",
];

const OUTER: [&str; 6] = ["*", "sum(x)", "max(x) - min(x)", "x * 2", "difference(max(x))", "count(x), mean(x)"];
const INNER: [&str; 5] = ["v AS x", "mean(v) AS x", "max(i) AS x", "v + i AS x", "derivative(v, 1m) AS x"];

fn query() -> impl Strategy<Value = String> {
    let part = |texts: &'static [&'static str]| select(texts);
    let flat = (part(&COLUMNS), part(&CONDITIONS), part(&GROUPS), part(&TAILS));
    let flat = flat.prop_map(|(columns, condition, groups, tail)| {
        format!("SELECT {columns} FROM m WHERE {condition}{RANGE}{groups}{tail}")
    });
    let nested = (part(&OUTER), part(&INNER), part(&CONDITIONS), part(&GROUPS), part(&GROUPS), part(&TAILS));
    let nested = nested.prop_map(|(outer, inner, condition, inner_groups, groups, tail)| {
        let inner = format!("SELECT {inner} FROM m WHERE {condition}{RANGE}{inner_groups}");
        format!("SELECT {outer} FROM ({inner}) WHERE {RANGE}{groups}{tail}")
    });
    proptest::prop_oneof![3 => flat, 1 => nested]
}

fn answer(server: &Server, text: &str) -> String {
    let mut answer = String::new();
    server.ask(DATABASE, None, text).unwrap().read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_query_and_its_words_have_one_answer() {
    let server = Server::start(DATABASE);
    server.write(DATABASE, POLICY, &plant().lines());
    let mut runner = TestRunner::deterministic();
    let (mut compared, mut with_rows) = (0, 0);
    let queries = query();
    while compared < QUERIES {
        let text = queries.new_tree(&mut runner).unwrap().current();
        let Ok(plan) = plan_of(&text) else { continue };
        let question = render::question(&plan, &Scene { into: false, kinds: &[] }).unwrap();
        let (expected, found) = (answer(&server, &text), answer(&server, &question.text));
        // Messages show expressions, whose parentheses may differ.
        let both_fail = [&found, &expected].into_iter().all(|answer| answer.contains("\"error\":"));
        assert!(both_fail || found == expected, "{text}\nbecame {}\n{expected}\n{found}", question.text);
        compared += 1;
        with_rows += usize::from(expected.contains("values"));
    }
    assert!(with_rows > QUERIES / 2, "{with_rows} have rows");
}
