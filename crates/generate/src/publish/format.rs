//! The names of the forms, as they are chosen on a command line.

use std::fmt;
use std::str::FromStr;

/// A form of a message or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "`Format::form` shows each")]
pub enum Format {
    PointUpdateChannel,
    PointUpdateValue,
    PointUpdate,
    ChannelTypePoint,
    ComsrvPoint,
    Data,
    ComsrvText,
    ComsrvTextTime,
    ComsrvJson,
    ComsrvUpdated,
    ModsrvMeasurement,
    ModsrvUpdate,
    ModsrvOutput,
    ModsrvOutputValue,
    ModsrvModule,
    AlarmCheck,
    CalcNumber,
    CalcObject,
    CalcMap,
    AlarmEvent,
    Event,
    DataNotice,
    ComsrvNotice,
    HashComsrv,
    HashComsrvTs,
    HashComsrvRaw,
    HashComsrvLower,
    HashInst,
    HashInstTime,
    HashModsrv,
    HashModsrvControl,
    HashCfg,
    HashRoute,
    InstName,
    StringSeconds,
    StringMillis,
    StringJson,
    StringProcessed,
    StringModel,
    ListArchive,
    StreamFlat,
    StreamJson,
}

/// Not a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a format: expected one of {}", names())]
pub struct FormatError {
    text: String,
}

fn names() -> String {
    Format::ALL.map(Format::name).join(", ")
}

/// A form's name and what it looks like.
struct Entry(&'static str, &'static str);

impl Format {
    /// Every form: messages, hashes, strings, lists, streams.
    pub const ALL: [Self; 42] = [
        Self::PointUpdateChannel,
        Self::PointUpdateValue,
        Self::PointUpdate,
        Self::ChannelTypePoint,
        Self::ComsrvPoint,
        Self::Data,
        Self::ComsrvText,
        Self::ComsrvTextTime,
        Self::ComsrvJson,
        Self::ComsrvUpdated,
        Self::ModsrvMeasurement,
        Self::ModsrvUpdate,
        Self::ModsrvOutput,
        Self::ModsrvOutputValue,
        Self::ModsrvModule,
        Self::AlarmCheck,
        Self::CalcNumber,
        Self::CalcObject,
        Self::CalcMap,
        Self::AlarmEvent,
        Self::Event,
        Self::DataNotice,
        Self::ComsrvNotice,
        Self::HashComsrv,
        Self::HashComsrvTs,
        Self::HashComsrvRaw,
        Self::HashComsrvLower,
        Self::HashInst,
        Self::HashInstTime,
        Self::HashModsrv,
        Self::HashModsrvControl,
        Self::HashCfg,
        Self::HashRoute,
        Self::InstName,
        Self::StringSeconds,
        Self::StringMillis,
        Self::StringJson,
        Self::StringProcessed,
        Self::StringModel,
        Self::ListArchive,
        Self::StreamFlat,
        Self::StreamJson,
    ];

    /// Its name: `comsrv-text`.
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// What it looks like, for people: `PUBLISH comsrv:{channel}:{type} 10001:25.6`.
    pub const fn form(self) -> &'static str {
        self.entry().1
    }

    const fn entry(self) -> Entry {
        match self {
            Self::PointUpdateChannel => Entry(
                "point-update-channel",
                "PUBLISH point:update:{channel}:{type} {channel_id, point_type, point_id, value, timestamp ms}",
            ),
            Self::PointUpdateValue => Entry("point-update-value", "PUBLISH point:update:{point} 25.6"),
            Self::PointUpdate => Entry("point-update", "PUBLISH point:update {point_id, value, timestamp ms, quality}"),
            Self::ChannelTypePoint => Entry(
                "channel-type-point",
                "PUBLISH {channel}:{type}:{point} {point_id, value, timestamp ms, quality, raw_value}",
            ),
            Self::ComsrvPoint => Entry(
                "comsrv-point",
                "PUBLISH comsrv:{channel}:{type}:{point} {point_id, value, timestamp ms, quality, raw_value}",
            ),
            Self::Data => {
                Entry("data", "PUBLISH data:{channel}:{type} {point_id, value, timestamp ms, quality, raw_value}")
            }
            Self::ComsrvText => Entry("comsrv-text", "PUBLISH comsrv:{channel}:{type} 10001:25.600000"),
            Self::ComsrvTextTime => {
                Entry("comsrv-text-time", "PUBLISH comsrv:{channel}:{type} 10001:25.600000:1642592400000")
            }
            Self::ComsrvJson => Entry("comsrv-json", "PUBLISH comsrv:{channel}:{type} {point_id, value, timestamp s}"),
            Self::ComsrvUpdated => Entry("comsrv-updated", "PUBLISH comsrv:{channel}:{type} updated:1 (no value)"),
            Self::ModsrvMeasurement => Entry("modsrv-measurement", "PUBLISH modsrv:{model}:measurement name:25.600000"),
            Self::ModsrvUpdate => Entry("modsrv-update", "PUBLISH modsrv:{model}:update name:25.600000"),
            Self::ModsrvOutput => Entry(
                "modsrv-output",
                "PUBLISH modsrv:outputs:{model} {model_id, output, value, timestamp as local time}",
            ),
            Self::ModsrvOutputValue => Entry("modsrv-output-value", "PUBLISH modsrv:outputs:{model} {value, unit}"),
            Self::ModsrvModule => Entry(
                "modsrv-module",
                "PUBLISH modsrv:updates:module:{model} {module_id, points: [{point_id, value}], timestamp in RFC 3339}",
            ),
            Self::AlarmCheck => Entry(
                "alarm-check",
                "PUBLISH alarmsrv:check {source, channel_id, telemetry_type, points: {point: value}}",
            ),
            Self::CalcNumber => Entry("calc-number", "PUBLISH calc:result:{point} 25.6"),
            Self::CalcObject => Entry("calc-object", "PUBLISH calc:result:{point} {value, timestamp ms}"),
            Self::CalcMap => Entry("calc-map", "PUBLISH calc:result:{channel} {point: value, timestamp ms}"),
            Self::AlarmEvent => Entry(
                "alarm-event",
                "PUBLISH alarm:event:{id} {alarm_id, type, level, message, timestamp as local time, status}",
            ),
            Self::Event => {
                Entry("event", "PUBLISH event:{type} {alarm_id, level, message, timestamp as local time, status}")
            }
            Self::DataNotice => Entry("data-notice", "PUBLISH data:{channel}:update {count, timestamp s} (no value)"),
            Self::ComsrvNotice => {
                Entry("comsrv-notice", "PUBLISH comsrv:update:{channel}:{type} {count, timestamp s} (no value)")
            }
            Self::HashComsrv => Entry("hash-comsrv", "HSET comsrv:{channel}:{T|S|C|A} {point} 25.6"),
            Self::HashComsrvTs => {
                Entry("hash-comsrv-ts", "hash-comsrv, and HSET comsrv:{channel}:{T|S|C|A}:ts {point} 1767859200123")
            }
            Self::HashComsrvRaw => {
                Entry("hash-comsrv-raw", "hash-comsrv-ts, and HSET comsrv:{channel}:{T|S|C|A}:raw {point} 256")
            }
            Self::HashComsrvLower => Entry("hash-comsrv-lower", "HSET comsrv:{channel}:{m|s|c|a} {point} 25.600000"),
            Self::HashInst => Entry("hash-inst", "HSET inst:{channel}:{M|A} {point} 25.6"),
            Self::HashInstTime => Entry("hash-inst-time", "hash-inst, and its field _updated_at in ms"),
            Self::HashModsrv => {
                Entry("hash-modsrv", "HSET modsrv:{model}:measurement {name} 25.600000, and its field __updated in s")
            }
            Self::HashModsrvControl => {
                Entry("hash-modsrv-control", "HSET modsrv:{model}:control {name} 1:1642592400000:operator")
            }
            Self::HashCfg => Entry("hash-cfg", "HSET cfg:{channel}:{type}:{point} name, unit, scale (no value)"),
            Self::HashRoute => Entry("hash-route", "HSET route:c2m {channel}:T:{point} {channel}:M:{point} (no value)"),
            Self::InstName => Entry("inst-name", "SET inst:{channel}:name, and HSET inst:name:index (no value)"),
            Self::StringSeconds => Entry("string-seconds", "SET {channel}:{type}:{point} 25.6:1704956400"),
            Self::StringMillis => Entry("string-millis", "SET {channel}:{type}:{point} 25.6:1704956400000"),
            Self::StringJson => Entry("string-json", "SET {channel}:{type}:{point} {v, t ms}"),
            Self::StringProcessed => {
                Entry("string-processed", "SET {channel}:{type}:{point} {raw, processed, timestamp in RFC 3339}")
            }
            Self::StringModel => {
                Entry("string-model", "SET modsrv:{model}:mv:{type}:{point} 25.600000:1642592400000:192:model")
            }
            Self::ListArchive => {
                Entry("list-archive", "LPUSH archive:pending {timestamp s, measurement, tags: {...}, fields: {...}}")
            }
            Self::StreamFlat => Entry("stream-flat", "XADD plant:points ch, type, id, v, t ms, q"),
            Self::StreamJson => Entry("stream-json", "XADD plant:points data {as point-update-channel}"),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| FormatError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_by_their_names() {
        for (position, format) in Format::ALL.into_iter().enumerate() {
            assert_eq!(format as usize, position);
            assert_eq!(format.to_string().parse(), Ok(format));
        }
    }

    #[test]
    fn an_unknown_format_is_refused_with_the_list_of_all() {
        let message = "redis".parse::<Format>().unwrap_err().to_string();
        assert!(message.starts_with("`redis` is not a format: expected one of point-update-channel, "), "{message}");
        assert!(message.ends_with(", stream-json"), "{message}");
    }
}
