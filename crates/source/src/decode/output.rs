//! From what a message says to points: series key, field `value` or `text`, and the optional fields `raw` and `quality`.

use model::key::SeriesKeyBuf;
use model::value::MAX_STRING_LEN;
use model::{FieldValue, TimestampNs};

use super::json::Json;
use super::kind::Kind;
use super::tally::{Reason, Tally};
use super::time::TimeRules;
use crate::sink::{PointRef, Sink};

/// Quality of a value without any doubt; it is not stored.
const GOOD: i64 = 192;
/// A time further ahead of its arrival than this is counted: the clock of the producer is probably wrong.
const FUTURE_LIMIT_NS: i64 = 600 * 1_000_000_000;

/// What is known about a value before its message is read, and what a message may override.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Labels<'a> {
    pub(crate) channel: Option<&'a str>,
    pub(crate) point: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) kind: Option<Kind<'a>>,
    /// Time of the values; their arrival when unknown.
    pub(crate) time: Option<TimestampNs>,
    pub(crate) quality: Option<i64>,
    pub(crate) raw: Option<f64>,
}

/// A value as it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'a> {
    Number(f64),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// Numbers and booleans become numbers; other text stays text.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Reason> {
        let text = text.trim();
        if let Ok(number) = fast_float2::parse::<f64, _>(text) {
            return if number.is_finite() { Ok(Self::Number(number)) } else { Err(Reason::NotFinite) };
        }
        match text {
            "" => Err(Reason::NoValue),
            "true" | "True" | "TRUE" => Ok(Self::Number(1.0)),
            "false" | "False" | "FALSE" => Ok(Self::Number(0.0)),
            _ if text.len() > MAX_STRING_LEN => Err(Reason::TooLong),
            _ => Ok(Self::Text(text)),
        }
    }

    /// The value of a JSON number, boolean or string.
    pub(crate) fn json(value: &'a Json<'_>) -> Result<Self, Reason> {
        match value {
            Json::Int(number) => Ok(Self::Number(*number as f64)),
            Json::Float(number) => Ok(Self::Number(*number)),
            Json::Bool(state) => Ok(Self::Number(f64::from(u8::from(*state)))),
            Json::Text(text) => Self::parse(text),
            Json::Null => Err(Reason::NoValue),
            Json::Array(_) | Json::Object(_) => Err(Reason::UnknownShape),
        }
    }

    /// The number, when it is one.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(_) => None,
        }
    }
}

/// Where the points of one message go.
pub(crate) struct Output<'o> {
    pub(crate) rules: &'o TimeRules,
    pub(crate) arrival: TimestampNs,
    pub(crate) key: &'o mut SeriesKeyBuf,
    pub(crate) tally: &'o mut Tally,
    pub(crate) sink: &'o mut dyn Sink,
}

impl Output<'_> {
    /// Pushes one point. Text goes to the field `text`, so that a word never makes `value` a string field.
    pub(crate) fn point(&mut self, labels: &Labels<'_>, value: Scalar<'_>) {
        self.series(labels);
        let time = self.time_or_arrival(labels.time);
        match value {
            Scalar::Number(number) => self.field("value", FieldValue::Float(number), time),
            Scalar::Text(text) => self.field("text", FieldValue::String(text), time),
        }
        if let Some(raw) = labels.raw {
            self.field("raw", FieldValue::Float(raw), time);
        }
        if let Some(quality) = labels.quality.filter(|quality| *quality != GOOD) {
            self.field("quality", FieldValue::Integer(quality), time);
        }
        self.tally.points += 1;
    }

    fn series(&mut self, labels: &Labels<'_>) {
        self.key.start(labels.kind.map_or("unknown", Kind::measurement));
        self.tag("channel", labels.channel);
        self.tag("point", labels.point);
        self.tag("source", labels.source);
        self.tag("type", labels.kind.map(Kind::tag));
    }

    /// Adds a tag, in the sorted order of names; an empty one is left out.
    pub(crate) fn tag(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.key.tag(name, value);
        }
    }

    /// Pushes one field of the series in `key`.
    pub(crate) fn field(&mut self, field: &str, value: FieldValue<'_>, time: TimestampNs) {
        self.sink.push(PointRef { series: self.key.as_bytes(), field, value, time });
    }

    /// The time of a point; one far in the future is counted, not changed.
    pub(crate) fn time_or_arrival(&mut self, time: Option<TimestampNs>) -> TimestampNs {
        let time = time.unwrap_or(self.arrival);
        if time > self.arrival.saturating_add(FUTURE_LIMIT_NS) {
            self.tally.future += 1;
        }
        time
    }

    /// Reads a time; one that cannot be read is counted and unknown.
    pub(crate) fn read_time(&mut self, time: Option<Option<TimestampNs>>) -> Option<TimestampNs> {
        if time.is_none() {
            self.tally.reject(Reason::BadTime);
        }
        time.flatten()
    }

    /// Counts a failure and yields what succeeded.
    pub(crate) fn keep<T>(&mut self, result: Result<T, Reason>) -> Option<T> {
        result.map_err(|reason| self.tally.reject(reason)).ok()
    }
}

/// OPC quality: 192 good, 64 uncertain, 0 bad, or these words.
pub(crate) fn quality_word(word: &str) -> Option<i64> {
    const WORDS: [(&str, i64); 6] =
        [("good", GOOD), ("calculated", GOOD), ("uncertain", 64), ("bad", 0), ("no_data", 0), ("timeout", 0)];
    let word = word.trim();
    word.parse().ok().or_else(|| WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|&(_, code)| code))
}
