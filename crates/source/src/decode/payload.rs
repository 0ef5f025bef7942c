//! Points in payloads: text (`25.6`, `10001:25.6:1642592400000`), and JSON of every shape in FORMS.md.

use std::borrow::Cow;

use model::FieldValue;

use super::json::{Json, Members, member};
use super::kind::Kind;
use super::output::{Labels, Output, Scalar, quality_word};
use super::tally::Reason;

/// A number of at least ten digits behind a number is its time, not the value of a point with a number for a name.
const EPOCH_DIGITS: usize = 10;

/// What a message turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Points (or what was malformed instead of them).
    Points,
    /// Only the news that something changed.
    Notice,
}

const CHANNEL: [&str; 6] = ["channel_id", "channel", "ch", "model_id", "module_id", "instance_id"];
const KIND: [&str; 2] = ["point_type", "telemetry_type"];
/// Names that also mean other things: they count only when the value is one of the four kinds.
const LOOSE_KIND: [&str; 2] = ["type", "data_type"];
const POINT: [&str; 4] = ["point_id", "point", "output", "id"];
const VALUE: [&str; 3] = ["value", "v", "processed"];
const RAW: [&str; 2] = ["raw_value", "raw"];
const TIME: [&str; 4] = ["timestamp", "time", "ts", "t"];
const QUALITY: [&str; 2] = ["quality", "q"];
const MEMBERS: [&str; 2] = ["points", "outputs"];
const COUNT: [&str; 2] = ["count", "point_count"];

/// Whether an object without a value may be a map of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maps {
    /// It may.
    Allowed,
    /// It is malformed.
    Refused,
}

/// Reads one payload. `labels` is what the name of the channel says; with [`Maps::Allowed`] its point may turn out to be
/// the channel of points named in the payload.
pub(crate) fn decode(text: &str, labels: &Labels<'_>, maps: Maps, out: &mut Output<'_>) -> Content {
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return plain(text, labels, maps, out);
    }
    match Json::parse(text) {
        Some(value) => json(&value, labels, maps, out),
        None => {
            out.tally.reject(Reason::BadJson);
            Content::Points
        }
    }
}

fn plain(text: &str, labels: &Labels<'_>, maps: Maps, out: &mut Output<'_>) -> Content {
    if labels.point.is_some() && !(maps == Maps::Allowed && names_a_point(text)) {
        value_and_time(text, labels, out);
        return Content::Points;
    }
    let Some((name, rest)) = text.split_once(':').filter(|(name, _)| !name.is_empty()) else {
        out.tally.reject(if text.is_empty() { Reason::NoValue } else { Reason::NoPoint });
        return Content::Points;
    };
    if name == "updated" {
        return Content::Notice;
    }
    value_and_time(rest, &named(labels, name), out);
    Content::Points
}

/// True for `name:value`, false for `value` and `value:time`.
fn names_a_point(text: &str) -> bool {
    let Some((first, rest)) = text.split_once(':') else { return false };
    let second = rest.split(':').next().unwrap_or_default();
    let is_time = second.len() >= EPOCH_DIGITS && second.bytes().all(|byte| byte.is_ascii_digit());
    !(is_time && matches!(Scalar::parse(first), Ok(Scalar::Number(_)) | Err(_)))
}

/// The labels of a point that is named in the payload: what was the point by the channel's name is then its channel.
fn named<'l>(labels: &Labels<'l>, name: &'l str) -> Labels<'l> {
    Labels { channel: labels.channel.or(labels.point), point: Some(name), ..*labels }
}

/// `value[:time[:quality[:...]]]`. Text that does not start with a number is a value as a whole.
pub(crate) fn value_and_time(text: &str, labels: &Labels<'_>, out: &mut Output<'_>) {
    let mut parts = text.split(':');
    let Some(value) = out.keep(Scalar::parse(parts.next().unwrap_or_default())) else { return };
    let (Scalar::Number(_), Some(time)) = (value, parts.next()) else {
        if let Some(value) = out.keep(Scalar::parse(text)) {
            out.point(labels, value);
        }
        return;
    };
    let time = out.read_time(out.rules.text(time)).or(labels.time);
    // A third part that is no quality is the operator who gave the command.
    let quality = parts.next().and_then(quality_word).or(labels.quality);
    out.point(&Labels { time, quality, ..*labels }, value);
}

/// Reads a JSON payload.
pub(crate) fn json(value: &Json<'_>, labels: &Labels<'_>, maps: Maps, out: &mut Output<'_>) -> Content {
    match value {
        Json::Object(members) => object(members, labels, maps, out),
        Json::Array(elements) => {
            for element in elements {
                match element {
                    Json::Object(members) => {
                        object(members, labels, Maps::Refused, out);
                    }
                    _ => out.tally.reject(Reason::UnknownShape),
                }
            }
            Content::Points
        }
        _ => {
            out.tally.reject(Reason::UnknownShape);
            Content::Points
        }
    }
}

fn object(members: &Members<'_>, outer: &Labels<'_>, maps: Maps, out: &mut Output<'_>) -> Content {
    if let (Some(Json::Text(name)), Some(Json::Object(fields))) =
        (member(members, &["measurement"]), member(members, &["fields"]))
    {
        free_point(name, fields, members, outer, out);
        return Content::Points;
    }
    let (channel, point) = (identifier(members, &CHANNEL), identifier(members, &POINT));
    let time = member(members, &TIME).map(|time| out.rules.json(time));
    let labels = Labels {
        channel: channel.as_deref().or(outer.channel),
        point: point.as_deref().or(outer.point),
        kind: kind(members).or(outer.kind),
        time: time.and_then(|time| out.read_time(time)).or(outer.time),
        quality: quality(members, out).or(outer.quality),
        raw: raw(members, out).or(outer.raw),
        ..*outer
    };
    if let Some(points) = member(members, &MEMBERS) {
        return several(points, &labels, out);
    }
    match member(members, &VALUE) {
        Some(Json::Object(values)) => map(values, &labels, out),
        Some(value) => single(value, &labels, maps, out),
        None if member(members, &COUNT).is_some() => return Content::Notice,
        None if maps == Maps::Allowed => map(members, &labels, out),
        None => out.tally.reject(Reason::NoValue),
    }
    Content::Points
}

fn identifier<'j>(members: &'j Members<'_>, names: &[&str]) -> Option<Cow<'j, str>> {
    names.iter().find_map(|name| member(members, &[name])?.identifier())
}

fn kind<'j>(members: &'j Members<'_>) -> Option<Kind<'j>> {
    match (member(members, &KIND), member(members, &LOOSE_KIND)) {
        (Some(Json::Text(word)), _) => Some(Kind::new(word)),
        (_, Some(Json::Text(word))) => Kind::known(word),
        _ => None,
    }
}

fn quality(members: &Members<'_>, out: &mut Output<'_>) -> Option<i64> {
    let found = match member(members, &QUALITY)? {
        Json::Int(code) => Some(*code),
        Json::Text(word) => quality_word(word),
        _ => None,
    };
    out.keep(found.ok_or(Reason::BadQuality))
}

fn raw(members: &Members<'_>, out: &mut Output<'_>) -> Option<f64> {
    let number = Scalar::json(member(members, &RAW)?).ok().and_then(Scalar::number);
    out.keep(number.ok_or(Reason::BadRaw))
}

fn single(value: &Json<'_>, labels: &Labels<'_>, maps: Maps, out: &mut Output<'_>) {
    if labels.point.is_none() && maps == Maps::Refused {
        return out.tally.reject(Reason::NoPoint);
    }
    if let Some(value) = out.keep(Scalar::json(value)) {
        out.point(labels, value);
    }
}

/// `points`: an array of objects that each hold what differs from the rest of the message, or a map.
fn several(points: &Json<'_>, labels: &Labels<'_>, out: &mut Output<'_>) -> Content {
    match points {
        Json::Object(values) => map(values, labels, out),
        other => return json(other, labels, Maps::Refused, out),
    }
    Content::Points
}

/// A map of names to values; a value may be an object with a time of its own. Names that describe the message and names
/// beginning with `_` are no points.
fn map(members: &Members<'_>, labels: &Labels<'_>, out: &mut Output<'_>) {
    let mut found = false;
    for (name, value) in members.iter().filter(|(name, _)| is_point_name(name)) {
        found = true;
        let labels = named(labels, name);
        match value {
            Json::Object(inner) if member(inner, &VALUE).is_some() => {
                object(inner, &labels, Maps::Refused, out);
            }
            value => single(value, &labels, Maps::Refused, out),
        }
    }
    if !found {
        out.tally.reject(Reason::NoValue);
    }
}

fn is_point_name(name: &str) -> bool {
    let describes = |names: &[&str]| names.contains(&name);
    !(name.starts_with('_')
        || name.is_empty()
        || name == "unit"
        || describes(&CHANNEL)
        || describes(&KIND)
        || describes(&LOOSE_KIND)
        || describes(&POINT)
        || describes(&TIME)
        || describes(&QUALITY)
        || describes(&RAW))
}

/// A point with a measurement, tags and fields of its own: what `archive:pending` holds.
fn free_point(name: &str, fields: &Members<'_>, whole: &Members<'_>, outer: &Labels<'_>, out: &mut Output<'_>) {
    let time = member(whole, &TIME).map(|time| out.rules.json(time));
    let time = time.and_then(|time| out.read_time(time)).or(outer.time);
    let time = out.time_or_arrival(time);
    out.key.start(name);
    for (tag, value) in sorted_tags(whole) {
        out.tag(tag, Some(&value));
    }
    let mut pushed = false;
    for (field, value) in fields.iter().filter(|(field, _)| !field.is_empty()) {
        let Some(value) = out.keep(Scalar::json(value)) else { continue };
        pushed = true;
        match value {
            Scalar::Number(number) => out.field(field, FieldValue::Float(number), time),
            Scalar::Text(text) => out.field(field, FieldValue::String(text), time),
        }
    }
    if pushed {
        out.tally.points += 1;
    } else {
        out.tally.reject(Reason::NoValue);
    }
}

/// Tags in the order of a canonical key. Of a name given twice the first counts.
fn sorted_tags<'j>(members: &'j Members<'_>) -> Vec<(&'j str, Cow<'j, str>)> {
    let Some(Json::Object(tags)) = member(members, &["tags"]) else { return Vec::new() };
    let text = |value: &'j Json<'_>| match value {
        Json::Float(number) => Some(Cow::Owned(number.to_string())),
        Json::Bool(state) => Some(Cow::Owned(state.to_string())),
        other => other.identifier(),
    };
    let mut tags: Vec<_> = tags.iter().filter_map(|(name, value)| Some((name.as_ref(), text(value)?))).collect();
    tags.retain(|(name, _)| !name.is_empty());
    tags.sort_by(|a, b| a.0.cmp(b.0));
    tags.dedup_by(|b, a| a.0 == b.0);
    tags
}
