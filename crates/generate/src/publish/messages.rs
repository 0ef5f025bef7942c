//! The forms of Pub/Sub.

use super::words::Words;
use super::{Format, Message};

/// Appends the message of a form of Pub/Sub; false when it is another form.
pub(super) fn render(format: Format, words: &Words<'_>, out: &mut Vec<Message>) -> bool {
    let Some((channel, payload)) =
        point(format, words).or_else(|| model(format, words)).or_else(|| news(format, words))
    else {
        return false;
    };
    out.push(Message::Publish { channel, payload });
    true
}

/// What the devices' side publishes.
fn point(format: Format, words: &Words<'_>) -> Option<(String, String)> {
    let Words { channel, point, letter, value, .. } = words;
    Some(match format {
        Format::PointUpdateChannel => (format!("point:update:{channel}:{letter}"), whole(words)),
        Format::PointUpdateValue => (format!("point:update:{point}"), value.to_string()),
        Format::PointUpdate => {
            let millis = words.millis();
            let payload = format!(r#"{{"point_id":"{point}","value":{value},"timestamp":{millis},"quality":192}}"#);
            ("point:update".to_owned(), payload)
        }
        Format::ChannelTypePoint => (format!("{channel}:{letter}:{point}"), with_raw(words)),
        Format::ComsrvPoint => (format!("comsrv:{channel}:{letter}:{point}"), with_raw(words)),
        Format::Data => (format!("data:{channel}:{letter}"), with_raw(words)),
        Format::ComsrvText => (format!("comsrv:{channel}:{letter}"), format!("{point}:{value:.6}")),
        Format::ComsrvTextTime => {
            (format!("comsrv:{channel}:{letter}"), format!("{point}:{value:.6}:{}", words.millis()))
        }
        Format::ComsrvJson => {
            let (point, seconds) = (words.point_json(), words.seconds());
            let payload = format!(r#"{{"point_id":{point},"value":{value},"timestamp":{seconds}}}"#);
            (format!("comsrv:{channel}:{letter}"), payload)
        }
        _ => return None,
    })
}

/// What models and calculations publish.
fn model(format: Format, words: &Words<'_>) -> Option<(String, String)> {
    let Words { channel, point, value, .. } = words;
    Some(match format {
        Format::ModsrvMeasurement => (format!("modsrv:{channel}:measurement"), format!("{point}:{value:.6}")),
        Format::ModsrvUpdate => (format!("modsrv:{channel}:update"), format!("{point}:{value:.6}")),
        Format::ModsrvOutput => {
            let time = words.local_time();
            let payload =
                format!(r#"{{"model_id":"{channel}","output":"{point}","value":{value},"timestamp":"{time}"}}"#);
            (format!("modsrv:outputs:{channel}"), payload)
        }
        Format::ModsrvOutputValue => {
            let unit = words.series.quantity().unit;
            (format!("modsrv:outputs:{channel}"), format!(r#"{{"value":{value},"unit":"{unit}"}}"#))
        }
        Format::ModsrvModule => {
            let points = format!(r#"[{{"point_id":"{point}","value":{value}}}]"#);
            let time = words.rfc3339();
            let payload = format!(r#"{{"module_id":"{channel}","points":{points},"timestamp":"{time}"}}"#);
            (format!("modsrv:updates:module:{channel}"), payload)
        }
        Format::CalcNumber => (format!("calc:result:{point}"), value.to_string()),
        Format::CalcObject => {
            (format!("calc:result:{point}"), format!(r#"{{"value":{value},"timestamp":{}}}"#, words.millis()))
        }
        Format::CalcMap => {
            (format!("calc:result:{channel}"), format!(r#"{{"{point}":{value},"timestamp":{}}}"#, words.millis()))
        }
        _ => return None,
    })
}

/// Alarms, events and notices.
fn news(format: Format, words: &Words<'_>) -> Option<(String, String)> {
    let Words { channel, point, letter, capital, value, .. } = words;
    let name = words.series.quantity().name;
    let count = || format!(r#"{{"count":1,"timestamp":{}}}"#, words.seconds());
    Some(match format {
        Format::ComsrvUpdated => (format!("comsrv:{channel}:{letter}"), "updated:1".to_owned()),
        Format::AlarmCheck => {
            let points = format!(r#"{{"{point}":{value}}}"#);
            let who = format!(r#""source":"comsrv","channel_id":"{channel}","telemetry_type":"{capital}""#);
            ("alarmsrv:check".to_owned(), format!(r#"{{{who},"points":{points}}}"#))
        }
        Format::AlarmEvent => {
            let who = format!(r#""alarm_id":"{channel}_{point}","type":"{name}""#);
            (format!("alarm:event:{channel}_{point}"), format!("{{{who},{}}}", alarm(words)))
        }
        Format::Event => {
            let who = format!(r#""alarm_id":"{channel}_{point}""#);
            (format!("event:{name}"), format!("{{{who},{}}}", alarm(words)))
        }
        Format::DataNotice => (format!("data:{channel}:update"), count()),
        Format::ComsrvNotice => (format!("comsrv:update:{channel}:{letter}"), count()),
        _ => return None,
    })
}

/// The form that says everything.
pub(super) fn whole(words: &Words<'_>) -> String {
    let Words { channel, point, letter, value, .. } = words;
    let who = format!(r#""channel_id":"{channel}","point_type":"{letter}","point_id":"{point}""#);
    format!(r#"{{{who},"value":{value},"timestamp":{}}}"#, words.millis())
}

fn with_raw(words: &Words<'_>) -> String {
    let (point, value, millis, raw) = (words.point_json(), words.value, words.millis(), words.raw());
    format!(r#"{{"point_id":{point},"value":{value},"timestamp":{millis},"quality":192,"raw_value":{raw}}}"#)
}

fn alarm(words: &Words<'_>) -> String {
    let (quantity, value, time) = (words.series.quantity(), words.value, words.local_time());
    let text = format!("{} is {value} {}", quantity.name, quantity.unit);
    format!(r#""level":"warning","message":"{}","timestamp":"{time}","status":"active""#, text.trim_end())
}
