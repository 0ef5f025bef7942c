//! Every form is rendered and read back with the decoder of `source`.

use jiff::tz::TimeZone;
use model::{FieldValue, TimeRange, TimestampNs};
use source::config::TimeUnit;
use source::decode::route::Shape;
use source::decode::time::TimeRules;
use source::decode::{DecodeRules, Decoder, HashField, Notice};
use source::{PointRef, Sink, SinkError};

use super::*;
use crate::ems::{EmsOptions, PointType};
use crate::nodes::NodeOptions;
use crate::options::{Options, Subject};
use crate::plan::{Order, Plan};

const ARRIVAL: TimestampNs = TimestampNs(1_760_000_000_000_000_000);
/// 2025-07-16T10:00:00.123 in Shanghai.
const TAKEN: TimestampNs = TimestampNs(1_752_631_200_123_000_000);

#[derive(Default)]
struct Lines(Vec<String>);

impl Sink for Lines {
    fn push(&mut self, point: PointRef<'_>) {
        let value = match point.value {
            FieldValue::Float(number) => number.to_string(),
            FieldValue::String(text) => format!("{text:?}"),
            other => format!("{other:?}"),
        };
        let time = if point.time == ARRIVAL { "now".to_owned() } else { (point.time.0 / 1_000_000).to_string() };
        self.0.push(format!("{} {}={value} {time}", std::str::from_utf8(point.series).unwrap(), point.field));
    }

    fn pending(&self) -> usize {
        0
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// A reader of Redis that gets the messages one after the other.
struct Reader {
    rules: DecodeRules,
    decoder: Decoder,
    lines: Lines,
    notices: Vec<Notice>,
}

impl Reader {
    fn new() -> Self {
        let time = TimeRules { unit: TimeUnit::Auto, zone: TimeZone::get("Asia/Shanghai").unwrap() };
        let rules = DecodeRules { time, decoders: Vec::new() };
        Self { decoder: Decoder::new(rules.clone()), rules, lines: Lines::default(), notices: Vec::new() }
    }

    fn read(&mut self, messages: &[Message]) {
        for message in messages {
            match message {
                Message::Publish { channel: name, payload: text }
                | Message::Set { key: name, value: text }
                | Message::ListPush { key: name, value: text } => {
                    let notice = self.decoder.message(name.as_bytes(), text.as_bytes(), ARRIVAL, &mut self.lines);
                    self.notices.extend(notice);
                }
                Message::HashSet { key, field, value } => self.hash(messages, key, field, value),
                Message::StreamAdd { key, fields } => {
                    let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
                    self.decoder.stream_entry(key.as_bytes(), fields, ARRIVAL, &mut self.lines);
                }
            }
        }
    }

    /// One field, with what is beside it; as the poller does it, which leaves out keys that hold no points by their name.
    fn hash(&mut self, messages: &[Message], key: &str, name: &str, value: &str) {
        if self.rules.route(key).shape == Shape::Skip {
            return;
        }
        let find = |wanted_key: &str, wanted: &str| {
            messages.iter().find_map(|message| match message {
                Message::HashSet { key, field, value } if key == wanted_key && field == wanted => {
                    Some(value.as_bytes())
                }
                _ => None,
            })
        };
        let hash_time = ["_updated_at", "__updated"]
            .iter()
            .find_map(|name| self.decoder.hash_time(name.as_bytes(), find(key, name)?));
        let (time, raw) = (find(&format!("{key}:ts"), name), find(&format!("{key}:raw"), name));
        let field = HashField { name: name.as_bytes(), value: value.as_bytes(), time, raw };
        self.decoder.hash_field(key.as_bytes(), field, hash_time, ARRIVAL, &mut self.lines);
    }
}

/// Renders with `format` and reads it back: points, or what else was understood.
fn read_back(format: Format, sample: &Sample<'_>) -> String {
    let mut messages = Vec::new();
    format.render(sample, UtcOffset::from_minutes(480).unwrap(), &mut messages);
    let mut reader = Reader::new();
    reader.read(&messages);
    assert_eq!(reader.decoder.tally.take_malformed(), None, "{format}: {messages:?}");
    for notice in reader.notices {
        let text = |part: &Option<Box<str>>| part.as_deref().unwrap_or("*").to_owned();
        reader.lines.0.push(format!("notice {}:{}", text(&notice.channel), text(&notice.kind)));
    }
    reader.lines.0.join(" | ")
}

fn plan(subject: Subject) -> Plan {
    let mut options = Options::new(subject, TimeRange::new(TAKEN, TimestampNs(TAKEN.0 + 1_000_000_000)));
    options.anomalies.probability = 0.0;
    Plan::new(options).unwrap()
}

fn plant() -> Plan {
    plan(Subject::Ems(EmsOptions { channels: 1, data_points: 25, ..EmsOptions::default() }))
}

fn of_kind(plan: &Plan, kind: PointType) -> Sample<'_> {
    plan.samples(Order::ByTime, 0..plan.len()).find(|sample| sample.series.kind() == kind).unwrap()
}

/// What is read of a telemetry sample, with the value written as `V` and ten times the value as `R`.
fn expected(format: Format) -> &'static str {
    const MS: &str = "measurement,channel=1001,point=10001,type=m value=V 1752631200123";
    const SECONDS: &str = "measurement,channel=1001,point=10001,type=m value=V 1752631200000";
    const NOW: &str = "measurement,channel=1001,point=10001,type=m value=V now";
    const RAW: &str = "measurement,channel=1001,point=10001,type=m value=V 1752631200123 | measurement,channel=1001,point=10001,type=m raw=R 1752631200123";
    match format {
        Format::PointUpdateChannel
        | Format::ComsrvTextTime
        | Format::ModsrvOutput
        | Format::ModsrvModule
        | Format::HashComsrvTs
        | Format::StringMillis
        | Format::StringJson
        | Format::StringModel
        | Format::StreamFlat
        | Format::StreamJson => MS,
        Format::ComsrvJson | Format::HashModsrv | Format::StringSeconds | Format::ListArchive => SECONDS,
        Format::ComsrvText
        | Format::ModsrvMeasurement
        | Format::ModsrvUpdate
        | Format::AlarmCheck
        | Format::HashComsrv
        | Format::HashComsrvLower => NOW,
        Format::ChannelTypePoint
        | Format::ComsrvPoint
        | Format::Data
        | Format::HashComsrvRaw
        | Format::StringProcessed => RAW,
        Format::PointUpdateValue | Format::CalcNumber => "unknown,point=10001 value=V now",
        Format::PointUpdate | Format::CalcObject => "unknown,point=10001 value=V 1752631200123",
        Format::CalcMap => "unknown,channel=1001,point=10001 value=V 1752631200123",
        Format::ModsrvOutputValue => "measurement,channel=1001,type=m value=V now",
        Format::HashInst => "measurement,channel=1001,point=10001,source=inst,type=m value=V now",
        Format::HashInstTime => "measurement,channel=1001,point=10001,source=inst,type=m value=V 1752631200123",
        Format::HashModsrvControl => "control,channel=1001,point=10001,type=c value=V 1752631200123",
        Format::AlarmEvent => {
            "events,level=warning,source=1001_10001,type=voltage alarm_id=\"1001_10001\" 1752631200123 | events,level=warning,source=1001_10001,type=voltage message=\"voltage is V V\" 1752631200123 | events,level=warning,source=1001_10001,type=voltage status=\"active\" 1752631200123"
        }
        Format::Event => {
            "events,level=warning,type=voltage alarm_id=\"1001_10001\" 1752631200123 | events,level=warning,type=voltage message=\"voltage is V V\" 1752631200123 | events,level=warning,type=voltage status=\"active\" 1752631200123"
        }
        Format::ComsrvUpdated | Format::ComsrvNotice => "notice 1001:m",
        Format::DataNotice => "notice 1001:*",
        Format::HashCfg | Format::HashRoute | Format::InstName => "",
    }
}

#[test]
fn every_form_is_read_back_as_the_same_point_value_and_time() {
    let plan = plant();
    let sample = of_kind(&plan, PointType::Telemetry);
    for format in Format::ALL {
        let value = sample.value.to_string();
        let raw = ((sample.value * 1e7).round() / 1e6).to_string();
        let expected = expected(format).replace("=V ", &format!("={value} ")).replace("=R ", &format!("={raw} "));
        let expected = expected.replace("is V V", &format!("is {value} V"));
        assert_eq!(read_back(format, &sample), expected, "{format}");
    }
}

#[test]
fn forms_that_say_everything_are_read_back_for_every_type() {
    let plan = plant();
    for sample in plan.samples(Order::ByTime, 0..plan.len()) {
        let expected = format!("{} value={} 1752631200123", sample.series.key(), sample.value);
        for format in [
            Format::PointUpdateChannel,
            Format::ComsrvTextTime,
            Format::HashComsrvTs,
            Format::StringMillis,
            Format::StringJson,
            Format::StringModel,
            Format::StreamFlat,
            Format::StreamJson,
        ] {
            assert_eq!(read_back(format, &sample), expected, "{format}");
        }
    }
}

#[test]
fn metrics_of_nodes_are_published_like_data_points() {
    let plan = plan(Subject::Nodes(NodeOptions { vm: 1, ..NodeOptions::NONE }));
    let sample = plan.samples(Order::ByTime, 0..1).next().unwrap();
    let value = sample.value;
    let point = "measurement,channel=vm-0001,point=cpu_usage,type=m";
    for format in [Format::PointUpdateChannel, Format::ComsrvTextTime, Format::HashComsrvTs, Format::StreamFlat] {
        assert_eq!(read_back(format, &sample), format!("{point} value={value} 1752631200123"), "{format}");
    }
    let key = "vm_metrics,metric=cpu_usage,node_id=vm-0001,node_type=VM";
    assert_eq!(
        read_back(Format::ListArchive, &sample),
        format!("{key} value={value} 1752631200000 | {key} unit=\"%\" 1752631200000")
    );
}

#[test]
fn a_value_is_written_after_its_time() {
    let plan = plant();
    let mut messages = Vec::new();
    let sample = of_kind(&plan, PointType::Signal);
    Format::HashComsrvTs.render(&sample, UtcOffset::UTC, &mut messages);
    let commands: Vec<_> = messages.iter().map(|message| message.command().join(" ")).collect();
    assert_eq!(commands, ["HSET comsrv:1001:S:ts 20001 1752631200123", "HSET comsrv:1001:S 20001 1"]);
}

#[test]
fn commands_are_those_of_redis() {
    let plan = plant();
    let sample = of_kind(&plan, PointType::Control);
    let command = |format: Format| {
        let mut messages = Vec::new();
        format.render(&sample, UtcOffset::UTC, &mut messages);
        messages.iter().map(|message| message.command().join(" ")).collect::<Vec<_>>().join(" | ")
    };
    let value = sample.value;
    assert_eq!(command(Format::PointUpdateValue), format!("PUBLISH point:update:30001 {value}"));
    assert_eq!(command(Format::StringSeconds), format!("SET 1001:c:30001 {value}:1752631200"));
    assert_eq!(
        command(Format::StreamFlat),
        format!("XADD plant:points * ch 1001 type c id 30001 v {value} t 1752631200123 q 192")
    );
    assert!(command(Format::ListArchive).starts_with("LPUSH archive:pending {"));
    assert_eq!(command(Format::InstName), "HSET inst:name:index instance_1001 1001 | SET inst:1001:name instance_1001");
}
