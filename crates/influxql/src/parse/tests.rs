//! Trees of some texts, and the bounds.

use super::*;
use crate::ast::{BinaryOp, Expr, Fill, Measurement, MeasurementName, Select, Source};
use crate::params::Value;

fn read(text: &str) -> Result<Vec<Statement>, ParseError> {
    parse(text, &Params::new(), &Limits::default())
}

fn select(text: &str) -> Select {
    match read(text).unwrap().remove(0) {
        Statement::Select(select) => *select,
        other => panic!("not a SELECT: {other:?}"),
    }
}

fn field(text: &str) -> Expr {
    select(&format!("SELECT {text} FROM m")).fields.remove(0).expr
}

fn name(name: &str) -> Expr {
    Expr::Reference { name: name.to_owned(), cast: None }
}

fn binary(left: Expr, op: BinaryOp, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

#[test]
fn products_bind_tighter_than_sums_and_equals_bind_to_the_left() {
    let product = binary(name("b"), BinaryOp::Mul, name("c"));
    let sum = binary(name("a"), BinaryOp::Add, product);
    assert_eq!(field("a + b * c - d"), binary(sum, BinaryOp::Sub, name("d")));
}

#[test]
fn conditions_bind_or_then_and_then_comparison() {
    let equal = |left: &str, value| binary(name(left), BinaryOp::Eq, Expr::Integer(value));
    let both = binary(equal("b", 2), BinaryOp::And, equal("c", 3));
    let expected = binary(equal("a", 1), BinaryOp::Or, both);
    assert_eq!(select("SELECT v FROM m WHERE a = 1 OR b = 2 AND c = 3").condition, Some(expected));
}

#[test]
fn a_minus_changes_literals_and_multiplies_the_rest() {
    assert_eq!(field("-5"), Expr::Integer(-5));
    assert_eq!(field("-9223372036854775808"), Expr::Integer(i64::MIN));
    assert_eq!(field("9223372036854775808"), Expr::Unsigned(1 << 63));
    assert_eq!(field("- a"), binary(Expr::Integer(-1), BinaryOp::Mul, name("a")));
    let product = binary(Expr::Integer(-1), BinaryOp::Mul, name("b"));
    assert_eq!(field("a / -b"), binary(name("a"), BinaryOp::Div, product));
}

#[test]
fn measurements_are_taken_apart_at_their_dots() {
    let source = |text: &str| select(&format!("SELECT v FROM {text}")).sources.remove(0);
    let measurement = |database: Option<&str>, policy: Option<&str>, name| {
        let (database, policy) = (database.map(str::to_owned), policy.map(str::to_owned));
        Source::Measurement(Measurement { database, policy, name })
    };
    let m = || MeasurementName::Name("m".to_owned());
    assert_eq!(source("m"), measurement(None, None, m()));
    assert_eq!(source("rp.m"), measurement(None, Some("rp"), m()));
    assert_eq!(source("db.rp.m"), measurement(Some("db"), Some("rp"), m()));
    assert_eq!(source("db..m"), measurement(Some("db"), None, m()));
    assert_eq!(source("db.rp./a\\/b/"), measurement(Some("db"), Some("rp"), MeasurementName::Pattern("a/b".into())));
    assert_eq!(source("db../x/"), measurement(Some("db"), None, MeasurementName::Pattern("x".into())));
}

#[test]
fn a_whole_number_in_fill_is_an_integer_however_it_is_written() {
    let fill = |text: &str| select(&format!("SELECT v FROM m fill({text})")).fill;
    assert_eq!(fill("3.0"), Fill::Integer(3));
    assert_eq!(fill("-2.5"), Fill::Float(-2.5));
    assert_eq!(fill("previous"), Fill::Previous);
}

#[test]
fn empty_statements_and_comments_are_nothing() {
    assert_eq!(read("").unwrap(), []);
    assert_eq!(read(" ;; -- all\n /* of it */ ;").unwrap(), []);
    assert_eq!(read("SHOW DATABASES;;SHOW USERS;").unwrap().len(), 2);
}

#[test]
fn a_parameter_is_one_token_and_cannot_change_the_statement() {
    let text = "SELECT v FROM $m WHERE a = $\"b c\" AND t =~ $r AND time > now() - $d LIMIT $n";
    let params = Params::from([
        ("m".to_owned(), Value::Identifier("x; DROP DATABASE y".to_owned())),
        ("b c".to_owned(), Value::String("' OR 1 = 1".to_owned())),
        ("r".to_owned(), Value::Regex("a/b".to_owned())),
        ("d".to_owned(), Value::Duration("90m".to_owned())),
        ("n".to_owned(), Value::Integer(5)),
    ]);
    let statements = parse(text, &params, &Limits::default()).unwrap();
    let expected = "SELECT v FROM \"x; DROP DATABASE y\" \
                    WHERE a = '\\' OR 1 = 1' AND t =~ /a\\/b/ AND time > now() - 90m LIMIT 5";
    assert_eq!(statements[0].to_string(), expected);
}

#[test]
fn a_parameter_of_the_wrong_kind_or_without_value_is_an_error() {
    let error = |value: Value, text: &str| {
        let params = Params::from([("p".to_owned(), value)]);
        parse(text, &params, &Limits::default()).unwrap_err().to_string()
    };
    assert_eq!(
        error(Value::Integer(-1), "SELECT v FROM m LIMIT $p"),
        "error parsing query: LIMIT must be >= 0 at line 1, char 23"
    );
    assert_eq!(
        error(Value::Float(f64::NAN), "SELECT v FROM m WHERE a = $p"),
        "error parsing query: unable to parse number at line 1, char 27"
    );
    assert_eq!(
        error(Value::Boolean(true), "SELECT v FROM m WHERE a = $q"),
        "error parsing query: missing parameter: q"
    );
}

#[test]
fn a_time_zone_that_does_not_exist_is_an_error() {
    let limits = Limits { time_zone_exists: |name| name == "UTC", ..Limits::default() };
    assert!(parse("SELECT v FROM m tz('UTC')", &Params::new(), &limits).is_ok());
    let error = parse("SELECT v FROM m tz('Mars')", &Params::new(), &limits).unwrap_err();
    assert_eq!(error.to_string(), "error parsing query: unable to find time zone Mars");
}

#[test]
fn nesting_is_bounded() {
    let nested = |open: &str, inner: &str, close: &str, levels| {
        format!("SELECT v FROM m WHERE a = {}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    for (open, close) in [("(", ")"), ("-(", ")"), ("f(", ")"), ("distinct(", ")")] {
        assert!(read(&nested(open, "1", close, 200)).is_ok(), "{open}");
        let error = read(&nested(open, "1", close, 201)).unwrap_err();
        assert_eq!(error, Reason::TooDeep(200).anywhere(), "{open}");
        assert_eq!(read(&nested(open, "", "", 80_000)).unwrap_err(), Reason::TooDeep(200).anywhere(), "{open}");
    }
    let deep = format!("{}SELECT v FROM m{}", "SELECT v FROM (".repeat(200), ")".repeat(200));
    assert_eq!(read(&deep).unwrap()[0].to_string(), deep);
    assert_eq!(read(&"SELECT v FROM (".repeat(60_000)).unwrap_err(), Reason::TooDeep(200).anywhere());
}

#[test]
fn a_long_chain_is_refused_and_the_longest_allowed_can_be_walked() {
    let chain = |operands: usize| format!("SELECT v FROM m WHERE {}", vec!["a"; operands].join(" + "));
    assert_eq!(read(&chain(10_000)).unwrap_err(), Reason::TooManyOperators(2000).anywhere());
    let statements = read(&chain(2001)).unwrap();
    assert_eq!(statements[0].to_string(), chain(2001));
    assert_eq!(statements.clone(), statements);
    assert!(!format!("{statements:?}").is_empty());
}

#[test]
fn the_operators_of_parentheses_count_too() {
    let part = format!("({})", vec!["a"; 1000].join(" + "));
    let text = |parts: usize| format!("SELECT v FROM m WHERE {}", vec![part.as_str(); parts].join(" + "));
    assert!(read(&text(2)).is_ok());
    assert!(read(&text(3)).is_err());
}

#[test]
fn a_text_beyond_its_length_is_refused() {
    let text = " ".repeat((1 << 20) + 1);
    assert_eq!(read(&text).unwrap_err(), Reason::TextTooLong(1 << 20).anywhere());
}
