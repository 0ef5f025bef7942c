//! Alarms and other events: points of the measurement `events` with the tags `level`, `source` and `type`.

use std::borrow::Cow;

use model::FieldValue;
use model::value::MAX_STRING_LEN;

use super::json::{Json, Members, member};
use super::output::{Labels, Output, Scalar};
use super::tally::Reason;

/// Fields kept as text, with the names of the members they come from.
const TEXTS: [(&str, &[&str]); 3] =
    [("alarm_id", &["alarm_id", "id"]), ("message", &["message", "data"]), ("status", &["status"])];
/// Fields kept as numbers, named as their members.
const NUMBERS: [&str; 2] = ["threshold", "value"];

/// Reads one event. `labels.source` and `labels.kind` are what the channel's name says.
pub(crate) fn decode(text: &str, labels: &Labels<'_>, out: &mut Output<'_>) {
    match Json::parse(text) {
        Some(Json::Object(members)) => event(&members, labels, out),
        Some(_) => out.tally.reject(Reason::UnknownShape),
        None => out.tally.reject(Reason::BadJson),
    }
}

fn event(members: &Members<'_>, labels: &Labels<'_>, out: &mut Output<'_>) {
    let text = |name: &str| member(members, &[name]).and_then(Json::identifier);
    let time = member(members, &["timestamp", "time", "ts"]).map(|time| out.rules.json(time));
    let time = time.and_then(|time| out.read_time(time));
    let time = out.time_or_arrival(time);
    let (level, source, kind) = (text("level"), text("source"), text("type"));
    out.key.start("events");
    out.tag("level", level.as_deref());
    out.tag("source", source.as_deref().or(labels.source));
    out.tag("type", kind.as_deref().or(labels.kind.map(|kind| kind.tag())));
    let mut pushed = false;
    for (field, names) in TEXTS {
        let Some(text) = member(members, names).and_then(plain_text) else { continue };
        if text.len() > MAX_STRING_LEN {
            out.tally.reject(Reason::TooLong);
            continue;
        }
        out.field(field, FieldValue::String(&text), time);
        pushed = true;
    }
    for field in NUMBERS {
        let number = member(members, &[field]).map(|value| Scalar::json(value).ok().and_then(Scalar::number));
        let Some(number) = number.flatten() else { continue };
        out.field(field, FieldValue::Float(number), time);
        pushed = true;
    }
    if pushed {
        out.tally.points += 1;
    } else {
        out.tally.reject(Reason::NoValue);
    }
}

fn plain_text<'j>(value: &'j Json<'_>) -> Option<Cow<'j, str>> {
    match value {
        Json::Float(number) => Some(Cow::Owned(number.to_string())),
        Json::Bool(state) => Some(Cow::Owned(state.to_string())),
        other => other.identifier(),
    }
}
