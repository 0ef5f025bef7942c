//! The forms of keys: hashes, strings, lists and streams.

use super::words::Words;
use super::{Format, Message, STREAM_KEY, messages};
use crate::ems::PointType;

/// Appends what is written to keys; nothing for a form of Pub/Sub.
pub(super) fn render(format: Format, words: &Words<'_>, out: &mut Vec<Message>) {
    comsrv(format, words, out);
    models(format, words, out);
    names(format, words, out);
    out.extend(string(format, words).map(|(key, value)| Message::Set { key, value }));
    out.extend(entry(format, words));
}

fn field(key: &str, field: &str, value: impl ToString) -> Message {
    Message::HashSet { key: key.to_owned(), field: field.to_owned(), value: value.to_string() }
}

/// The hash of a channel and its siblings. The value is written last: a reader that sees it sees its time, too.
fn comsrv(format: Format, words: &Words<'_>, out: &mut Vec<Message>) {
    let Words { channel, point, letter, capital, value, .. } = words;
    let key = format!("comsrv:{channel}:{capital}");
    match format {
        Format::HashComsrv => out.push(field(&key, point, value)),
        Format::HashComsrvTs => {
            out.push(field(&format!("{key}:ts"), point, words.millis()));
            out.push(field(&key, point, value));
        }
        Format::HashComsrvRaw => {
            out.push(field(&format!("{key}:raw"), point, words.raw()));
            out.push(field(&format!("{key}:ts"), point, words.millis()));
            out.push(field(&key, point, value));
        }
        Format::HashComsrvLower => {
            out.push(field(&format!("comsrv:{channel}:{letter}"), point, format!("{value:.6}")));
        }
        _ => {}
    }
}

fn models(format: Format, words: &Words<'_>, out: &mut Vec<Message>) {
    let Words { channel, point, value, .. } = words;
    match format {
        Format::HashInst => out.push(field(&instance(words), point, value)),
        Format::HashInstTime => {
            out.push(field(&instance(words), "_updated_at", words.millis()));
            out.push(field(&instance(words), point, value));
        }
        Format::HashModsrv => {
            let key = format!("modsrv:{channel}:measurement");
            out.push(field(&key, "__updated", words.seconds()));
            out.push(field(&key, point, format!("{value:.6}")));
        }
        Format::HashModsrvControl => {
            let command = format!("{value}:{}:operator", words.millis());
            out.push(field(&format!("modsrv:{channel}:control"), point, command));
        }
        _ => {}
    }
}

/// `M` for what is measured, `A` for what is commanded.
fn instance(words: &Words<'_>) -> String {
    format!("inst:{}:{}", words.channel, role(words))
}

fn role(words: &Words<'_>) -> &'static str {
    match words.series.kind() {
        PointType::Telemetry | PointType::Signal => "M",
        PointType::Control | PointType::Adjustment => "A",
    }
}

/// Names, units and routes: no values.
fn names(format: Format, words: &Words<'_>, out: &mut Vec<Message>) {
    let Words { channel, point, letter, capital, .. } = words;
    let quantity = words.series.quantity();
    match format {
        Format::HashCfg => {
            let key = format!("cfg:{channel}:{letter}:{point}");
            out.push(field(&key, "name", quantity.name));
            out.push(field(&key, "unit", quantity.unit));
            out.push(field(&key, "scale", "0.1"));
        }
        Format::HashRoute => {
            let target = format!("{channel}:{}:{point}", role(words));
            out.push(field("route:c2m", &format!("{channel}:{capital}:{point}"), target));
        }
        Format::InstName => {
            let name = format!("instance_{channel}");
            out.push(field("inst:name:index", &name, channel));
            out.push(Message::Set { key: format!("inst:{channel}:name"), value: name });
        }
        _ => {}
    }
}

fn string(format: Format, words: &Words<'_>) -> Option<(String, String)> {
    let Words { channel, point, letter, value, .. } = words;
    let key = format!("{channel}:{letter}:{point}");
    Some(match format {
        Format::StringSeconds => (key, format!("{value}:{}", words.seconds())),
        Format::StringMillis => (key, format!("{value}:{}", words.millis())),
        Format::StringJson => (key, format!(r#"{{"v":{value},"t":{}}}"#, words.millis())),
        Format::StringProcessed => {
            let (raw, time) = (words.raw(), words.rfc3339());
            (key, format!(r#"{{"raw":{raw},"processed":{value},"timestamp":"{time}"}}"#))
        }
        Format::StringModel => {
            (format!("modsrv:{channel}:mv:{letter}:{point}"), format!("{value:.6}:{}:192:model", words.millis()))
        }
        _ => return None,
    })
}

/// An item of a list or an entry of a stream.
fn entry(format: Format, words: &Words<'_>) -> Option<Message> {
    let Words { channel, point, letter, value, .. } = words;
    let stream = |fields| Message::StreamAdd { key: STREAM_KEY.to_owned(), fields };
    Some(match format {
        Format::ListArchive => Message::ListPush { key: "archive:pending".to_owned(), value: archived(words) },
        Format::StreamJson => stream(vec![("data", messages::whole(words))]),
        Format::StreamFlat => stream(vec![
            ("ch", (*channel).to_owned()),
            ("type", (*letter).to_owned()),
            ("id", (*point).to_owned()),
            ("v", value.to_string()),
            ("t", words.millis().to_string()),
            ("q", "192".to_owned()),
        ]),
        _ => return None,
    })
}

fn archived(words: &Words<'_>) -> String {
    let (seconds, measurement, tags, value) = (words.seconds(), words.measurement(), words.tags_json(), words.value);
    let unit = words.series.unit_field().map_or(String::new(), |unit| format!(r#","unit":"{unit}""#));
    let what = format!(r#""measurement":"{measurement}","tags":{{{tags}}}"#);
    format!(r#"{{"timestamp":{seconds},{what},"fields":{{"value":{value}{unit}}}}}"#)
}
