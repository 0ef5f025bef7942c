//! Compares `model::line` with the `influxdb-line-protocol` crate, InfluxData's own parser in Rust. Shared by the tests
//! and the fuzz target `line_protocol`. Where the two differ, InfluxDB 1.x decides, and the difference is listed here
//! with its reason.

use influxdb_line_protocol::{Error, FieldValue as Theirs, ParsedLine, parse_lines};
use model::FieldValue;
use model::key::{KeyError, SeriesKey, canonicalize};
use model::line::{Line, LineErrorKind, LineParser};

/// A point by value; floats by their bits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) measurement: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) fields: Vec<(String, Value)>,
    pub(crate) time: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Float(u64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(String),
}

/// A line that is refused, and whether the other parser may well take it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) known: Option<&'static str>,
}

pub(crate) type Lines = Vec<Result<Point, Refusal>>;

/// Why texts are read differently, and which.
pub(crate) type TextDifference = (&'static str, fn(&str) -> bool);

/// Texts that the two parsers read differently by design.
pub(crate) const TEXT_DIFFERENCES: [TextDifference; 5] = [
    ("two backslashes in a name are two of them in InfluxDB 1.x, one in the crate", |text| text.contains(r"\\")),
    ("InfluxDB 1.x takes tabs and NULs for blanks only before series and field keys", |text| {
        text.contains(['\t', '\0'])
    }),
    ("InfluxDB 1.x takes floats without digits on one side of the point", has_bare_point),
    ("a quote or backslash in a comment cannot swallow the lines after it", |text| {
        text.lines().any(|line| line.trim_start().starts_with('#') && line.contains(['"', '\\']))
    }),
    ("blanks before a line do not make quotes in its series key swallow the lines after it", |text| {
        text.contains('"') && text.lines().any(|line| line.starts_with(' '))
    }),
];

fn has_bare_point(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    text.match_indices('.').any(|(at, _)| !is_digit(at.checked_sub(1)) || !is_digit(Some(at + 1)))
}

/// Why the crate may take a line that is refused for this reason.
fn known_line_error(kind: LineErrorKind) -> Option<&'static str> {
    match kind {
        LineErrorKind::InvalidFieldFormat => Some("InfluxDB 1.x refuses commas in field keys"),
        LineErrorKind::KeyTooLong | LineErrorKind::TooManyFields => Some("the crate has no limits"),
        _ => None,
    }
}

/// Why the crate may take a series key that is refused for this reason.
fn known_key_error(error: &KeyError) -> Option<&'static str> {
    match error {
        KeyError::InvalidTagFormat(_) => Some("InfluxDB 1.x refuses equals signs in tag values"),
        KeyError::MissingTagValue(_) | KeyError::MissingTagKey => Some("InfluxDB 1.x refuses commas in tag keys"),
        KeyError::DuplicateTag(_) => {
            Some("InfluxDB 1.x refuses a tag that stands twice; the crate leaves it to its caller")
        }
        KeyError::TimeTag => Some("InfluxDB 1.x refuses a tag called like the time column"),
        KeyError::TooLong(_) => Some("the crate has no limits"),
        _ => None,
    }
}

/// Why a line that the crate refuses is taken all the same.
fn known_refusal(error: &Error) -> Option<&'static str> {
    match error {
        Error::CannotParseEntireLine { trailing_content } if trailing_content.trim_matches(' ').is_empty() => {
            Some("InfluxDB 1.x takes spaces at the end of a line without a time")
        }
        _ => None,
    }
}

/// Fails unless both parsers read `text` alike, or differ for a listed reason.
pub(crate) fn check(text: &str) {
    let ours = ours(text);
    if TEXT_DIFFERENCES.iter().any(|(_, applies)| applies(text)) {
        return;
    }
    let theirs = theirs(text);
    assert_eq!(ours.len(), theirs.len(), "lines of {text:?}: {ours:?} {theirs:?}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let is_alike = match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            (Err(_), Err(_)) => true,
            (Err(refusal), Ok(_)) | (Ok(_), Err(refusal)) => refusal.known.is_some(),
        };
        assert!(is_alike, "{text:?}: ours {ours:?}, theirs {theirs:?}");
    }
}

/// What `model::line` and `model::key` make of `text`.
pub(crate) fn ours(text: &str) -> Lines {
    let mut parser = LineParser::new(text.as_bytes());
    let mut lines = Vec::new();
    while let Some(line) = parser.next_line() {
        lines.push(match line {
            Ok(line) => our_point(&line),
            Err(error) => Err(Refusal { message: error.to_string(), known: known_line_error(error.kind) }),
        });
    }
    lines
}

fn our_point(line: &Line<'_, '_>) -> Result<Point, Refusal> {
    let refusal = |error: KeyError| Refusal { message: error.to_string(), known: known_key_error(&error) };
    let mut canonical = Vec::new();
    canonicalize(line.series, &mut canonical).map_err(refusal)?;
    let key = SeriesKey::parse(&canonical).map_err(refusal)?;
    Ok(Point {
        measurement: key.measurement().into_owned(),
        tags: key.tags().map(|(k, v)| (k.into_owned(), v.into_owned())).collect(),
        fields: line.fields.iter().map(|f| (f.key.to_string(), our_value(f.value.as_field_value()))).collect(),
        time: line.time,
    })
}

fn our_value(value: FieldValue<'_>) -> Value {
    match value {
        FieldValue::Float(v) => Value::Float(v.to_bits()),
        FieldValue::Integer(v) => Value::Integer(v),
        FieldValue::Unsigned(v) => Value::Unsigned(v),
        FieldValue::Boolean(v) => Value::Boolean(v),
        FieldValue::String(v) => Value::String(v.to_owned()),
    }
}

/// What the crate makes of `text`, with the rules of InfluxDB 1.x that it leaves to its callers.
pub(crate) fn theirs(text: &str) -> Lines {
    let refusal = |error: Error| Refusal { known: known_refusal(&error), message: error.to_string() };
    parse_lines(text).map(|line| line.map_err(refusal).and_then(|line| their_point(&line))).collect()
}

fn their_point(line: &ParsedLine<'_>) -> Result<Point, Refusal> {
    let refuse = |message: &str| Err(Refusal { message: message.to_owned(), known: None });
    let is_infinite = |value: &Theirs<'_>| matches!(value, Theirs::F64(v) if v.is_infinite());
    if line.field_set.iter().any(|(_, value)| is_infinite(value)) {
        return refuse("float out of range");
    }
    if matches!(line.timestamp, Some(i64::MAX | ..=-9_223_372_036_854_775_807)) {
        return refuse("time out of range");
    }
    let fields: Vec<_> = line.field_set.iter().filter(|(key, _)| key.as_str() != "time").collect();
    if fields.is_empty() {
        return refuse("no field but time");
    }
    let tags = line.series.tag_set.iter().flatten();
    let mut tags: Vec<_> = tags.map(|(k, v)| (k.to_string(), v.to_string())).collect();
    tags.sort();
    Ok(Point {
        // The crate leaves the backslash of an escaped equals sign in a measurement, InfluxDB 1.x does not.
        measurement: line.series.measurement.as_str().replace("\\=", "="),
        tags,
        fields: fields.iter().map(|(key, value)| (key.to_string(), their_value(value))).collect(),
        time: line.timestamp,
    })
}

fn their_value(value: &Theirs<'_>) -> Value {
    match value {
        Theirs::F64(v) => Value::Float(v.to_bits()),
        Theirs::I64(v) => Value::Integer(*v),
        Theirs::U64(v) => Value::Unsigned(*v),
        Theirs::Boolean(v) => Value::Boolean(*v),
        Theirs::String(v) => Value::String(v.to_string()),
    }
}
