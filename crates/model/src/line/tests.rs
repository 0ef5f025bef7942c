//! The line parser and printer by example; `tests/line_protocol.rs` compares them with another parser.

use super::*;
use crate::{FieldValue, TimestampNs, key};
use LineErrorKind as Kind;
use proptest::prelude::*;

/// Everything of a line, by value.
#[derive(Debug, PartialEq)]
struct Owned {
    number: u64,
    series: String,
    fields: Vec<(String, Value<'static>)>,
    time: Option<i64>,
}

fn owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Float(v) => Value::Float(*v),
        Value::Integer(v) => Value::Integer(*v),
        Value::Unsigned(v) => Value::Unsigned(*v),
        Value::Boolean(v) => Value::Boolean(*v),
        Value::String(v) => Value::String(v.to_string().into()),
    }
}

fn parse(text: &[u8]) -> Vec<Result<Owned, LineError>> {
    let mut parser = LineParser::new(text);
    let mut lines = Vec::new();
    while let Some(line) = parser.next_line() {
        lines.push(line.map(|line| Owned {
            number: line.number,
            series: String::from_utf8_lossy(line.series).into_owned(),
            fields: line.fields.iter().map(|f| (f.key.to_string(), owned(&f.value))).collect(),
            time: line.time,
        }));
    }
    lines
}

fn parse_one(text: &str) -> Owned {
    let mut lines = parse(text.as_bytes());
    assert_eq!(lines.len(), 1, "{text}");
    lines.remove(0).unwrap()
}

/// The value of the only field of `m v=...`.
fn value(text: &str) -> Result<Value<'static>, Kind> {
    let mut lines = parse(format!("m v={text} 7").as_bytes());
    let line = lines.remove(0).map_err(|e| e.kind)?;
    assert_eq!(line.time, Some(7), "{text}");
    Ok(line.fields[0].1.clone())
}

fn error(text: &str) -> (Kind, u64) {
    match parse(text.as_bytes()).as_slice() {
        [Err(error)] => (error.kind, error.column),
        other => panic!("{text}: {other:?}"),
    }
}

fn string(text: &str) -> Value<'static> {
    Value::String(text.to_owned().into())
}

#[test]
fn a_whole_line_is_read() {
    let line = parse_one("measurement,channel=1001,point=10001,type=m value=25.123456 1795132800000000000\n");
    assert_eq!(line.series, "measurement,channel=1001,point=10001,type=m");
    assert_eq!(line.fields, [("value".into(), Value::Float(25.123456))]);
    assert_eq!((line.number, line.time), (1, Some(1_795_132_800_000_000_000)));
}

#[test]
fn every_spelling_of_a_float_is_read() {
    let cases = [
        ("1", 1.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("-1.5e+3", -1500.0),
        ("1.0E4", 1e4),
        ("1e-7", 1e-7),
        ("00012.5", 12.5),
        ("0.1234567890123456789", 0.123_456_789_012_345_68),
        ("123456789012345678", 123_456_789_012_345_680.0),
        ("100000000000000000000", 1e20),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("1.7976931348623157e308", f64::MAX),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), Ok(Value::Float(expected)), "{text}");
    }
    let Ok(Value::Float(zero)) = value("-0") else { panic!("no float") };
    assert!(zero == 0.0 && zero.is_sign_negative());
}

#[test]
fn integers_reach_to_the_limits_of_their_types() {
    assert_eq!(value("9223372036854775807i"), Ok(Value::Integer(i64::MAX)));
    assert_eq!(value("-9223372036854775808i"), Ok(Value::Integer(i64::MIN)));
    assert_eq!(value("-0i"), Ok(Value::Integer(0)));
    assert_eq!(value("18446744073709551615u"), Ok(Value::Unsigned(u64::MAX)));
    for text in ["9223372036854775808i", "-9223372036854775809i", "18446744073709551616u", "99999999999999999999999i"] {
        assert_eq!(value(text), Err(Kind::IntegerOutOfRange), "{text}");
    }
}

#[test]
fn what_only_looks_like_a_number_is_refused() {
    for text in [
        "-", "1ii", "-e-e-e", "42+3", "1.1.1", "-Inf", "1e", "1e+", "1e1.5", ".", "-.", "1_000", "0x1F", "-1u", "1.5i",
        "--1", "9i1",
    ] {
        assert_eq!(value(text), Err(Kind::InvalidNumber), "{text}");
    }
    for text in ["1.8e308", "-1e400"] {
        assert_eq!(value(text), Err(Kind::FloatOutOfRange), "{text}");
    }
}

#[test]
fn booleans_have_ten_spellings() {
    for (text, expected) in ["t", "T", "true", "True", "TRUE"]
        .map(|t| (t, true))
        .into_iter()
        .chain(["f", "F", "false", "False", "FALSE"].map(|t| (t, false)))
    {
        assert_eq!(value(text), Ok(Value::Boolean(expected)), "{text}");
    }
    for text in ["tRUE", "TrUe", "truex", "i", "NaN", "nan", "inf", "abc", "'abc'", "+1", "\t1"] {
        assert_eq!(value(text), Err(Kind::InvalidBoolean), "{text}");
    }
}

#[test]
fn strings_know_two_escapes_and_hold_anything_else() {
    assert_eq!(value(r#""""#), Ok(string("")));
    assert_eq!(value(r#""say \"hi\"""#), Ok(string("say \"hi\"")));
    assert_eq!(value(r#""a\\b""#), Ok(string("a\\b")));
    assert_eq!(value(r#""C:\temp, a=b\,c""#), Ok(string("C:\\temp, a=b\\,c")));
    assert_eq!(value(r#""test\\\"""#), Ok(string("test\\\"")));
    assert_eq!(value("\"two\nlines # no comment\""), Ok(string("two\nlines # no comment")));
    assert_eq!(value("\"wè温度🔋\""), Ok(string("wè温度🔋")));
    assert_eq!(value("\"abc"), Err(Kind::UnbalancedQuotes));
    assert_eq!(value(r#""abc"x"#), Err(Kind::TextAfterString));
}

#[test]
fn several_fields_are_read_in_order_also_when_one_stands_twice() {
    let line = parse_one("m a=1,b=2i,a=\"x,y z\",c=t");
    let expected =
        [("a", Value::Float(1.0)), ("b", Value::Integer(2)), ("a", string("x,y z")), ("c", Value::Boolean(true))];
    assert_eq!(line.fields, expected.map(|(key, value)| (key.to_owned(), value)));
    assert_eq!(line.time, None);
}

#[test]
fn field_keys_are_unescaped() {
    assert_eq!(parse_one(r"m a\ b\,c\=d=1").fields[0].0, "a b,c=d");
    assert_eq!(parse_one(r"m \a=1").fields[0].0, r"\a");
    assert_eq!(parse_one("m \"a=1").fields[0].0, "\"a");
    // A backslash escapes what follows it also behind another one, as in tags.
    assert_eq!(parse_one(r"m a\\=b=1").fields[0].0, r"a\=b");
    assert_eq!(error(r"m a\\=1"), (Kind::InvalidFieldFormat, 8));
}

#[test]
fn a_field_called_time_is_passed_over() {
    assert_eq!(parse_one("m time=1,v=2 1").fields, [("v".to_owned(), Value::Float(2.0))]);
    assert_eq!(error("m time=1 1").0, Kind::OnlyTimeField);
}

#[test]
fn the_series_key_ends_at_the_first_space_not_escaped() {
    assert_eq!(parse_one(r"a\ b,c\,d=e\ f v=1").series, r"a\ b,c\,d=e\ f");
    assert_eq!(parse_one("cpu,a=b\\\nc v=1 1").series, "cpu,a=b\\\nc");
    assert_eq!(parse_one("\"cpu\",host=\"a v=1").series, "\"cpu\",host=\"a");
    // The backslash takes the space along, so `1` is where a field should be.
    assert_eq!(error(r"cpu,a=b\ v=1 1").0, Kind::InvalidFieldFormat);
}

#[test]
fn blanks_blank_lines_and_comments_are_passed_over() {
    let text = "\n  \n# a=\"comment\n\t# indented\n  m v=1   1  \n\nm \t v=2\n#end";
    let lines: Vec<_> = parse(text.as_bytes()).into_iter().map(|line| line.unwrap()).collect();
    assert_eq!(lines.iter().map(|l| (l.number, l.time)).collect::<Vec<_>>(), [(5, Some(1)), (7, None)]);
    assert!(parse(b"").is_empty() && parse(b"# only").is_empty());
}

#[test]
fn line_numbers_count_line_breaks_inside_strings() {
    let lines = parse(b"m s=\"a\nb\" 1\nm v=1 2\nm v= 3\nm v=4 4");
    assert_eq!(lines[1].as_ref().unwrap().number, 3);
    let error = lines[2].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unable to parse 'm v= 3': missing field value: expected a number, a boolean or a quoted string after `=` (line 4, column 5)"
    );
    assert_eq!(lines[3].as_ref().unwrap().number, 5);
}

#[test]
fn the_text_of_a_bad_line_is_never_taken_for_another_line() {
    let lines = parse(b"m v=x,s=\"a\nm v=1 1\n\" 1\nm v=2 2");
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].as_ref().unwrap_err().kind, Kind::InvalidBoolean);
    assert_eq!(lines[1].as_ref().unwrap().time, Some(2));
}

#[test]
fn wrong_lines_are_refused_where_they_are_wrong() {
    let cases = [
        ("cpu", Kind::MissingFields, 4),
        ("cpu ", Kind::MissingFields, 5),
        ("cpu,host=a\n", Kind::MissingFields, 11),
        (",a=b v=1", Kind::MissingMeasurement, 1),
        ("  ,", Kind::MissingMeasurement, 3),
        ("m =1", Kind::MissingFieldKey, 3),
        ("m v=1,=2 1", Kind::MissingFieldKey, 7),
        ("m v=1i,b 1", Kind::InvalidFieldFormat, 9),
        ("m v=1,,w=2 1", Kind::InvalidFieldFormat, 7),
        ("m v=1, w=2 1", Kind::InvalidFieldFormat, 7),
        ("m v= 1 1", Kind::MissingFieldValue, 5),
        ("m v=,w=1", Kind::MissingFieldValue, 5),
        ("m v=1 i 1", Kind::BadTimestamp, 7),
        ("m v=1 1 2", Kind::TextAfterTime, 9),
        ("m v=1 1 # x", Kind::TextAfterTime, 9),
        ("m\tv=1\t1", Kind::MissingFields, 8),
        ("m v=1\t1", Kind::InvalidNumber, 6),
        ("m v=1 1\r", Kind::CarriageReturn, 8),
        ("m v=1\r\n", Kind::CarriageReturn, 6),
        ("m v=t\r\n", Kind::CarriageReturn, 6),
        ("m v=\"\"\r\n", Kind::CarriageReturn, 7),
        ("m v=1 \r\n", Kind::CarriageReturn, 7),
    ];
    for (text, kind, column) in cases {
        assert_eq!(error(text), (kind, column), "{text:?}");
    }
}

#[test]
fn times_are_integers_inside_influxdbs_range() {
    for (text, time) in [
        ("-1", -1),
        ("0", 0),
        ("0001", 1),
        ("9223372036854775806", i64::MAX - 1),
        ("-9223372036854775806", i64::MIN + 2),
    ] {
        assert_eq!(parse_one(&format!("m v=1 {text}")).time, Some(time));
    }
    for text in [
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775807",
        "-9223372036854775808",
        "-92233720368547758078",
    ] {
        assert_eq!(error(&format!("m v=1 {text}")).0, Kind::TimeOutOfRange, "{text}");
    }
    for text in ["-", "-/", "1e9", "+1", "1i", "\"1\"", "0\\", "1.0"] {
        assert_eq!(error(&format!("m v=1 {text}")).0, Kind::BadTimestamp, "{text}");
    }
}

#[test]
fn text_that_is_no_utf8_is_refused() {
    for text in [b"m \xff=1".as_slice(), b"m s=\"\xff\"", b"m s=\"\\\\\xff\""] {
        assert_eq!(parse(text)[0].as_ref().unwrap_err().kind, Kind::NotUtf8);
    }
}

#[test]
fn a_line_is_bounded_in_its_fields_and_its_key() {
    let many = format!("m {}v=1", "v=1,".repeat(MAX_FIELDS));
    assert_eq!(error(&many).0, Kind::TooManyFields);
    assert!(parse(&many.as_bytes()[..2 + 4 * MAX_FIELDS - 1])[0].is_ok());
    let long = "k".repeat(key::MAX_KEY_LEN - 5);
    assert!(parse(format!("m {long}=1").as_bytes())[0].is_ok());
    assert_eq!(error(&format!("mm {long}=1")).0, Kind::KeyTooLong);
}

#[test]
fn the_message_holds_only_the_start_of_a_long_line() {
    let lines = parse(format!("m v=x{}", "y".repeat(1000)).as_bytes());
    assert_eq!(lines[0].as_ref().unwrap_err().text.len(), 163);
}

fn print(series: &str, fields: &[(&str, FieldValue<'_>)], time: i64) -> String {
    let mut out = Vec::new();
    print_line(&mut out, series.as_bytes(), fields.iter().copied(), TimestampNs(time));
    String::from_utf8(out).unwrap()
}

#[test]
fn points_are_printed_as_influxdb_prints_them() {
    let fields = [
        ("a b", FieldValue::Float(1.0)),
        ("c", FieldValue::Float(-0.25)),
        ("d", FieldValue::Integer(-3)),
        ("e", FieldValue::Unsigned(u64::MAX)),
        ("f", FieldValue::Boolean(true)),
        ("g", FieldValue::String("x \"y\" \\z")),
    ];
    let expected = "m,t=1 a\\ b=1,c=-0.25,d=-3i,e=18446744073709551615u,f=true,g=\"x \\\"y\\\" \\\\z\" -5\n";
    assert_eq!(print("m,t=1", &fields, -5), expected);
}

#[test]
fn floats_without_a_spelling_are_left_out() {
    let fields = [("a", FieldValue::Float(f64::NAN)), ("b", FieldValue::Float(2.5))];
    assert_eq!(print("m", &fields, 1), "m b=2.5 1\n");
    assert_eq!(print("m", &fields[..1], 1), "");
}

fn any_value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |v| v.is_finite()).prop_map(Value::Float),
        any::<i32>().prop_map(|v| Value::Float(f64::from(v) / 100.0)),
        any::<i64>().prop_map(Value::Integer),
        any::<u64>().prop_map(Value::Unsigned),
        any::<bool>().prop_map(Value::Boolean),
        "[a,= \"\\\\\n\r\té]{0,12}".prop_map(|v| Value::String(v.into())),
    ]
}

fn any_name() -> impl Strategy<Value = String> {
    // Anything but what has no spelling: line breaks, blanks at the start, a backslash at the end.
    "[a,=\"\\\\é][a, =\"\\\\é#]{0,5}[a,= é]".prop_filter("not the time column", |name| name != "time")
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        measurement in any_name(),
        tags in prop::collection::btree_map(any_name(), any_name(), 0..4),
        fields in prop::collection::vec((any_name(), any_value()), 1..5),
        time in i64::MIN + 2..i64::MAX,
    ) {
        let mut series = key::SeriesKeyBuf::default();
        series.start(&measurement);
        tags.iter().for_each(|(k, v)| series.tag(k, v));
        let mut text = Vec::new();
        for _ in 0..2 {
            let fields = fields.iter().map(|(k, v)| (k.as_str(), v.as_field_value()));
            print_line(&mut text, series.as_bytes(), fields, TimestampNs(time));
        }
        let lines = parse(&text);
        prop_assert_eq!(lines.len(), 2);
        for line in lines {
            let line = line.unwrap();
            let mut canonical = Vec::new();
            key::canonicalize(line.series.as_bytes(), &mut canonical).unwrap();
            prop_assert_eq!(canonical.as_slice(), series.as_bytes());
            prop_assert_eq!(&line.fields, &fields);
            prop_assert_eq!(line.time, Some(time));
        }
    }

    #[test]
    fn a_parser_reaches_the_end_of_any_text(text in prop::collection::vec(prop::sample::select(b"m v=1,\"\\\n\r\t#it-.e\xc3".to_vec()), 0..60)) {
        let lines = parse(&text).len();
        prop_assert!(lines <= text.iter().filter(|&&b| b == b'\n').count() + 1);
    }
}
