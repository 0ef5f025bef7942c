//! `model::line` reads what InfluxDB 1.x reads: compared with InfluxData's Rust parser on generated and on damaged
//! lines.

mod compare;

use compare::{TEXT_DIFFERENCES, check, ours, theirs};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    "[a-z\"é'#](\\\\[,= ]|[a-z0-9_\"'é/#-]){0,6}"
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(|v| format!("{v}")),
        3 => any::<i32>().prop_map(|v| format!("{}", f64::from(v) / 1000.0)),
        1 => "-?[0-9]{1,25}(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?",
        2 => any::<i64>().prop_map(|v| format!("{v}i")),
        1 => any::<u64>().prop_map(|v| format!("{v}u")),
        1 => "-?[0-9]{18,20}[iu]",
        1 => prop::sample::select(vec!["t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"]).prop_map(str::to_owned),
        2 => "\"([a-z ,=#\né]|\\\\\"|\\\\[a-z])*\"",
    ]
}

fn line() -> impl Strategy<Value = String> {
    let tags = prop::collection::vec((name(), name()), 0..4);
    let fields = prop::collection::vec((name(), value()), 1..4);
    let time = prop::option::of(prop_oneof!["-?[0-9]{1,20}", any::<i64>().prop_map(|t| t.to_string())]);
    (name(), tags, fields, time, " {1,2}").prop_map(|(measurement, tags, fields, time, gap)| {
        let tags: String = tags.iter().map(|(k, v)| format!(",{k}={v}")).collect();
        let fields: Vec<_> = fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let time = time.map(|t| format!("{gap}{t}")).unwrap_or_default();
        format!("{measurement}{tags}{gap}{}{time}", fields.join(","))
    })
}

/// A change to a text: at a place (in per mille), some bytes are replaced by another text.
fn damage() -> impl Strategy<Value = (usize, usize, String)> {
    (0..1000usize, 0..3usize, "[ ,=\"\\\\\n\r#.ieutE+-]{0,2}|[0-9a-z]")
}

fn apply((place, remove, insert): &(usize, usize, String), text: &str) -> String {
    let start = text.chars().count() * place / 1000;
    let (before, after) = (text.chars().take(start), text.chars().skip(start + remove));
    before.chain(insert.chars()).chain(after).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_read_as_the_other_parser_reads_them(lines in prop::collection::vec(line(), 1..4)) {
        check(&lines.join("\n"));
    }

    #[test]
    fn damaged_lines_are_read_or_refused_as_by_the_other_parser(
        lines in prop::collection::vec(line(), 1..4),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        check(&damages.iter().fold(lines.join("\n"), |text, damage| apply(damage, &text)));
    }

    #[test]
    fn short_texts_of_special_characters_are_read_alike(text in "[mv=,\"\\\\ \n\r#1.ite-]{0,24}") {
        check(&text);
    }
}

/// One text for every difference: who takes it, and what is read from it.
#[test]
fn every_known_difference_is_one() {
    let (both, only_ours, only_theirs, neither) = ((true, true), (true, false), (false, true), (false, false));
    let cases = [
        (r"m,a=b\\c v=1", both, "two backslashes stay two"),
        ("\tm v=1", both, "blanks before a line may be tabs"),
        ("m \tv=1", only_ours, "blanks before the fields may be tabs"),
        ("m\tx v=1", only_ours, "a tab is no separator"),
        ("m v=.5", only_ours, "no digits before the point"),
        ("m v=1.", only_ours, "no digits behind the point"),
        ("m v=1  ", only_ours, "spaces at the end, without a time"),
        ("m v=1e999", only_theirs, "a float beyond the largest is infinite in the crate"),
        ("m a,b=1", only_theirs, "a comma in a field key"),
        ("m,a=b=c v=1", only_theirs, "an equals sign in a tag value"),
        ("m,a,b=c v=1", only_theirs, "a comma in a tag key"),
        ("m,a=1,a=1 v=1", only_theirs, "a tag that stands twice"),
        ("m,time=1 v=1", only_theirs, "a tag called time"),
        ("m time=1", only_theirs, "a field called time, and no other"),
        ("m v=1 9223372036854775807", only_theirs, "a time kept for InfluxDB itself"),
        ("m v=1 1\r\n", neither, "lines end in LF alone"),
        ("m v=\"a\"x", neither, "InfluxDB 1.x reads this as `a\"`; text is not changed silently here"),
    ];
    let takes =
        |text: &str| (ours(text)[0].is_ok(), influxdb_line_protocol::parse_lines(text).all(|line| line.is_ok()));
    for (text, expected, reason) in cases {
        assert_eq!(takes(text), expected, "{reason}: {text:?}");
    }
}

#[test]
fn every_difference_by_text_has_a_text_that_is_read_differently() {
    let texts = [r"m,a=b\\c v=1", "m \tv=1", "m v=.5", "# a b=\"\nm v=1\nm v=2", " m=\"x v=1\nm v=2"];
    for ((reason, applies), text) in TEXT_DIFFERENCES.iter().zip(texts) {
        assert!(applies(text), "{reason}: {text:?}");
        assert_ne!(ours(text), theirs(text), "{reason}: {text:?}");
    }
}
