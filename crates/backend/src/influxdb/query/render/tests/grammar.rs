//! Random queries of a small grammar. Not all of them make sense.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn name() -> impl Strategy<Value = String> {
    let plain = select(&["v", "i", "v", "i", "host", "room"][..]);
    let odd = &["time", "a b", "select", "'", "\"", "\\", "x\"; DROP DATABASE plant--", "µ/ü"][..];
    prop_oneof![12 => plain.prop_map(quoted), 1 => select(odd).prop_map(quoted)]
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn field() -> impl Strategy<Value = String> {
    let casts = &["::field", "::tag", "::float", "::integer", "::string", "::boolean", "::unsigned"][..];
    let cast = prop_oneof![9 => Just(""), 1 => select(casts)];
    (name(), cast).prop_map(|(name, cast)| format!("{name}{cast}"))
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (-9..99_i32).prop_map(|v| v.to_string()),
        1 => any::<i32>().prop_map(|v| v.to_string()),
        1 => any::<i64>().prop_map(|v| v.to_string()),
        1 => (-1e3..1e3f64).prop_map(|v| format!("{v:.6}")),
        1 => select(&["1.5", "-0.25", "100000000000000000000000.5", "0.000000000001"][..]).prop_map(str::to_owned),
    ]
}

fn open() -> impl Strategy<Value = String> {
    select(&["*", "/v|i/", "/a\\/b/", "*::field"][..]).prop_map(str::to_owned)
}

fn aggregate() -> impl Strategy<Value = String> {
    let simple =
        select(&["count", "sum", "mean", "median", "mode", "stddev", "spread", "min", "max", "first", "last"][..]);
    let of = prop_oneof![6 => field(), 1 => open()];
    prop_oneof![
        6 => (simple, of).prop_map(|(function, of)| format!("{function}({of})")),
        1 => (field(), literal()).prop_map(|(of, p)| format!("percentile({of}, {p})")),
        1 => field().prop_map(|of| format!("count(distinct({of}))")),
        1 => field().prop_map(|of| format!("integral({of}, 90s)")),
        1 => (field(), 1..9).prop_map(|(of, n)| format!("sample({of}, {n})")),
    ]
}

fn transform() -> impl Strategy<Value = String> {
    let call = select(
        &[
            "derivative(_)",
            "derivative(_, 10s)",
            "non_negative_derivative(_)",
            "difference(_)",
            "non_negative_difference(_)",
            "cumulative_sum(_)",
            "moving_average(_, 3)",
            "elapsed(_)",
            "elapsed(_, 1m)",
            "holt_winters(_, 3, 4)",
            "holt_winters_with_fit(_, 3, 0)",
            "moving_average(derivative(_), 2)",
        ][..],
    );
    (call, prop_oneof![aggregate(), field()]).prop_map(|(call, of)| call.replace('_', &of))
}

fn arithmetic(of: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => of, 1 => literal()];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let op = select(&["+", "-", "*", "/", "%", "&", "|", "^"][..]);
        let binary = (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})"));
        let loose =
            (inner.clone(), select(&["+", "*", "-"][..]), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}"));
        let math = (select(&["abs", "round", "sqrt", "ln"][..]), inner.clone()).prop_map(|(f, a)| format!("{f}({a})"));
        let pow = (inner.clone(), inner).prop_map(|(a, b)| format!("pow({a}, {b})"));
        prop_oneof![binary, loose, math, pow]
    })
}

fn columns() -> impl Strategy<Value = String> {
    let named = |columns: Vec<(String, bool)>| {
        let named = |(i, (column, named)): (usize, (String, bool))| match named {
            true => format!("{column} AS \"c {i}\""),
            false => column,
        };
        columns.into_iter().enumerate().map(named).collect::<Vec<_>>().join(", ")
    };
    let raw = prop_oneof![2 => arithmetic(field()), 1 => open(), 1 => Just("*::tag".to_owned())];
    let computed = prop_oneof![2 => aggregate(), 1 => transform(), 1 => arithmetic(aggregate())];
    prop_oneof![
        vec((raw, any::<bool>()), 1..4).prop_map(named),
        vec((computed, any::<bool>()), 1..4).prop_map(named),
        (select(&["top", "bottom"][..]), field(), name(), 1..5)
            .prop_map(|(f, of, key, n)| format!("{f}({of}, {key}, {n}), host")),
        field().prop_map(|of| format!("distinct({of})")),
        (select(&["max", "first"][..]), field(), field()).prop_map(|(f, a, b)| format!("{f}({a}), {b}, time AS at")),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let compare = select(&["=", "!=", "<", "<=", ">", ">=", "<>"][..]);
    let text = select(&["a", "", "it''s", "'; DROP DATABASE plant; --", "2024-03-10", "ä\\ö", "\n"][..]);
    let text = text.prop_map(|t| format!("'{}'", t.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")));
    let right =
        prop_oneof![literal(), text, arithmetic(field()), select(&["true", "false"][..]).prop_map(str::to_owned)];
    let time = select(
        &[
            "time >= 1710028800000000000",
            "time > now() - 1h",
            "time < '2024-03-11'",
            "'2024-03-09T00:00:00Z' <= time",
            "time <= -5",
            "time = 7",
        ][..],
    );
    let leaf = prop_oneof![
        4 => (arithmetic(field()), compare, right).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (field(), select(&["=~", "!~"][..])).prop_map(|(a, op)| format!("{a} {op} /^a\\/b|\"'\\./")),
        2 => time.prop_map(str::to_owned),
        1 => select(&["true", "false", "1 = 1"][..]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), select(&["AND", "OR"][..]), inner, any::<bool>()).prop_map(|(a, op, b, in_parentheses)| {
            if in_parentheses { format!("({a} {op} {b})") } else { format!("{a} {op} {b}") }
        })
    })
}

fn group_by() -> impl Strategy<Value = String> {
    let window =
        select(&["time(1m)", "time(90m, 20m)", "time(1d)", "time(1w, -4d)", "time(7s, now())", "time(36h, 0s)"][..]);
    let window = proptest::option::of(window.prop_map(str::to_owned));
    let tags = vec(prop_oneof![3 => name(), 1 => select(&["*", "/o/"][..]).prop_map(str::to_owned)], 0..3);
    (window, tags).prop_map(|(window, tags)| {
        let dimensions: Vec<String> = window.into_iter().chain(tags).collect();
        if dimensions.is_empty() { String::new() } else { format!(" GROUP BY {}", dimensions.join(", ")) }
    })
}

fn tail() -> impl Strategy<Value = String> {
    let clause = |texts: &'static [&'static str]| select(texts).prop_map(str::to_owned);
    (
        clause(&["", "", " fill(none)", " fill(previous)", " fill(linear)", " fill(0)", " fill(-2.5)", " fill(null)"]),
        clause(&["", "", " ORDER BY time DESC", " ORDER BY time ASC"]),
        clause(&["", " LIMIT 5", " LIMIT 5 OFFSET 3", " OFFSET 2"]),
        clause(&["", "", " SLIMIT 2", " SLIMIT 1 SOFFSET 4"]),
        clause(&["", "", " tz('Europe/Berlin')"]),
    )
        .prop_map(|(fill, order, limit, series, zone)| format!("{fill}{order}{limit}{series}{zone}"))
}

fn source() -> impl Strategy<Value = String> {
    let place = select(&["", "", "", "other..", "month.", "other.month."][..]);
    prop_oneof![
        4 => (place, name()).prop_map(|(place, name)| format!("{place}{name}")),
        1 => select(&["/^m[12]\\/x/", "m, n", "m, plant..n"][..]).prop_map(str::to_owned),
    ]
}

/// A query, with subqueries in it or not.
pub(super) fn query() -> impl Strategy<Value = String> {
    let flat = query_over(source().boxed());
    flat.prop_recursive(2, 4, 2, |inner| {
        let one = inner.clone().prop_map(|inner| format!("({inner})"));
        let two = (inner.clone(), inner).prop_map(|(a, b)| format!("({a}), ({b})"));
        query_over(prop_oneof![3 => one, 1 => two].boxed())
    })
}

fn query_over(source: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let condition = proptest::option::weighted(0.6, condition());
    (columns(), source, condition, group_by(), tail())
        .prop_map(|(columns, source, condition, group_by, tail)| {
            let condition = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
            format!("SELECT {columns} FROM {source}{condition}{group_by}{tail}")
        })
        .boxed()
}
