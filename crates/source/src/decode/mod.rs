//! From messages, hashes, strings, lists and stream entries to points. No I/O and no clock: the same bytes give the same points.
//! FORMS.md is the table of everything understood. Whatever arrives is decoded, skipped by its name, or counted as malformed.

pub mod kind;
pub mod route;
pub mod tally;
pub mod time;

mod event;
mod json;
mod output;
mod payload;

use hashbrown::HashMap;
use model::TimestampNs;
use model::key::SeriesKeyBuf;

use crate::config::{DecoderConfig, Preset};
use crate::sink::Sink;
use model::glob;
use output::{Labels, Output, Scalar};
use payload::{Content, Maps};
use route::{Route, Shape};
use tally::{Reason, Tally};
use time::TimeRules;

/// Names remembered; when there are more, all are forgotten, so that a flood of names costs time but no memory.
const ROUTES_MAX: usize = 100_000;

/// What hashes a message says have changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notice {
    /// Their channel; `None` when the message does not say.
    pub channel: Option<Box<str>>,
    /// Their kind, in its canonical spelling; `None` for all of them.
    pub kind: Option<Box<str>>,
}

/// How names and times are read; shared by the decoders of a source.
#[derive(Debug, Clone)]
pub struct DecodeRules {
    /// How times are read.
    pub time: TimeRules,
    /// Presets by pattern; the first that matches decides.
    pub decoders: Vec<DecoderConfig>,
}

impl DecodeRules {
    /// The route of a name.
    pub fn route(&self, name: &str) -> Route {
        let chosen = self.decoders.iter().find(|decoder| glob::matches(decoder.pattern.as_bytes(), name.as_bytes()));
        Route::of(name, chosen.map_or(Preset::Auto, |decoder| decoder.preset))
    }
}

/// One field of a hash with what its siblings `:ts` and `:raw` say about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct HashField<'a> {
    /// Name of the field.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
    /// The field of the same name in `:ts`.
    pub time: Option<&'a [u8]>,
    /// The field of the same name in `:raw`.
    pub raw: Option<&'a [u8]>,
}

/// Decodes for one thread. Remembers what names mean, so that a message costs a look-up, a parse and a push.
pub struct Decoder {
    rules: DecodeRules,
    routes: HashMap<Box<[u8]>, Route, foldhash::fast::RandomState>,
    key: SeriesKeyBuf,
    /// Counters; the owner takes what it reports.
    pub tally: Tally,
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    pub fn new(rules: DecodeRules) -> Self {
        Self { rules, routes: HashMap::default(), key: SeriesKeyBuf::default(), tally: Tally::default() }
    }

    /// Decodes a Pub/Sub message, the string of a key, or an item of a list. A notice is returned, everything else pushed or counted.
    pub fn message(&mut self, name: &[u8], text: &[u8], arrival: TimestampNs, sink: &mut dyn Sink) -> Option<Notice> {
        if !self.know(name) {
            return None;
        }
        let route = self.routes.get(name)?;
        if route.shape == Shape::Skip {
            self.tally.skipped += 1;
            return None;
        }
        let Ok(text) = std::str::from_utf8(text) else {
            self.tally.reject(Reason::NotUtf8);
            return None;
        };
        let labels = labels_of(route);
        let mut out = Output { rules: &self.rules.time, arrival, key: &mut self.key, tally: &mut self.tally, sink };
        let content = match route.shape {
            Shape::Points => payload::decode(text, &labels, Maps::Refused, &mut out),
            Shape::NamedPoints => payload::decode(text, &labels, Maps::Allowed, &mut out),
            Shape::Notice => Content::Notice,
            Shape::Events => {
                event::decode(text, &labels, &mut out);
                Content::Points
            }
            Shape::Skip => Content::Points,
        };
        if content == Content::Points {
            return None;
        }
        self.tally.notices += 1;
        Some(Notice { channel: route.channel.clone(), kind: route.kind_tag().map(|kind| kind.tag().into()) })
    }

    /// Decodes one field of a hash. `hash_time` is the time of the whole hash, where it has one ([`Decoder::hash_time`]).
    pub fn hash_field(
        &mut self,
        key: &[u8],
        field: HashField<'_>,
        hash_time: Option<TimestampNs>,
        arrival: TimestampNs,
        sink: &mut dyn Sink,
    ) {
        if field.name.starts_with(b"_") || !self.know(key) {
            return;
        }
        let Some(route) = self.routes.get(key) else { return };
        let mut out = Output { rules: &self.rules.time, arrival, key: &mut self.key, tally: &mut self.tally, sink };
        let Some((name, value)) = out.keep(utf8(field.name).and_then(|name| Ok((name, utf8(field.value)?)))) else {
            return;
        };
        let time = field.time.and_then(|time| read_time(time, &mut out)).or(hash_time);
        let raw = field.raw.and_then(|raw| out.keep(read_number(raw)));
        let channel = route.container();
        let labels = Labels { channel, point: Some(name), time, raw, ..labels_of(route) };
        // Names in a hash are its fields: a map inside a field is one level too many.
        payload::decode(value, &labels, Maps::Refused, &mut out);
    }

    /// The time of a whole hash when `name` is one of the fields that hold it.
    pub fn hash_time(&mut self, name: &[u8], value: &[u8]) -> Option<TimestampNs> {
        if !matches!(name, b"_updated_at" | b"__updated" | b"_timestamp") {
            return None;
        }
        let time = std::str::from_utf8(value).ok().and_then(|text| self.rules.time.text(text));
        if time.is_none() {
            self.tally.reject(Reason::BadTime);
        }
        time.flatten()
    }

    /// Decodes the fields of a stream entry: `data` holding any JSON, or flat `ch, type, id, v, t, q`. A second `id` starts a
    /// second point, which inherits what it does not say.
    pub fn stream_entry<'a>(
        &mut self,
        key: &[u8],
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        arrival: TimestampNs,
        sink: &mut dyn Sink,
    ) {
        if !self.know(key) {
            return;
        }
        let mut out = Output { rules: &self.rules.time, arrival, key: &mut self.key, tally: &mut self.tally, sink };
        let mut labels = Labels::default();
        let mut value = None;
        for (name, text) in fields {
            let Some(text) = out.keep(utf8(text)) else { continue };
            match name {
                b"data" => {
                    payload::decode(text, &labels, Maps::Allowed, &mut out);
                }
                b"ch" => labels.channel = Some(text),
                b"type" => labels.kind = Some(kind::Kind::new(text)),
                b"t" => labels.time = read_time(text.as_bytes(), &mut out),
                b"q" => labels.quality = out.keep(output::quality_word(text).ok_or(Reason::BadQuality)),
                b"raw" => labels.raw = out.keep(read_number(text.as_bytes())),
                b"v" => value = Some(text),
                b"id" => {
                    entry_point(value.take(), &labels, &mut out);
                    labels = Labels { point: Some(text), quality: None, raw: None, ..labels };
                }
                _ => {}
            }
        }
        entry_point(value, &labels, &mut out);
    }

    /// True when the name is (now) in `routes`.
    fn know(&mut self, name: &[u8]) -> bool {
        if self.routes.contains_key(name) {
            return true;
        }
        let Ok(text) = std::str::from_utf8(name) else {
            self.tally.reject(Reason::NotUtf8);
            return false;
        };
        if self.routes.len() >= ROUTES_MAX {
            self.routes.clear();
        }
        self.routes.insert(name.into(), self.rules.route(text));
        true
    }
}

fn labels_of(route: &Route) -> Labels<'_> {
    Labels {
        channel: route.channel.as_deref(),
        point: route.point.as_deref(),
        source: route.source.as_deref(),
        kind: match route.shape {
            Shape::Events => route.verbatim_kind(),
            _ => route.kind_tag(),
        },
        ..Labels::default()
    }
}

fn entry_point(value: Option<&str>, labels: &Labels<'_>, out: &mut Output<'_>) {
    let Some(value) = value else { return };
    if labels.point.is_none() {
        return out.tally.reject(Reason::NoPoint);
    }
    if let Some(value) = out.keep(Scalar::parse(value)) {
        out.point(labels, value);
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)
}

fn read_time(bytes: &[u8], out: &mut Output<'_>) -> Option<TimestampNs> {
    let time = std::str::from_utf8(bytes).ok().and_then(|text| out.rules.text(text));
    out.read_time(time)
}

fn read_number(bytes: &[u8]) -> Result<f64, Reason> {
    let number = fast_float2::parse::<f64, _>(bytes).ok();
    number.filter(|number| number.is_finite()).ok_or(Reason::BadRaw)
}

#[cfg(test)]
mod tests;
