//! What the name of a channel or key says about the values in it: the families of names listed in FORMS.md.

use super::kind::Kind;
use crate::config::Preset;

/// Last parts of names that hold no points.
const NO_POINTS: [&str; 14] = [
    "TODO",
    "meta",
    "metadata",
    "status",
    "config",
    "name",
    "stats",
    "ts",
    "raw",
    "index",
    "exec",
    "vars",
    "measurement_points",
    "action_points",
];
/// Second parts of `comsrv:` names that are no channels.
const NO_CHANNELS: [&str; 8] = ["stats", "config", "pool", "write", "command", "channel", "points", "alarms"];

/// What is read from the payloads of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Points.
    Points,
    /// Points whose names stand in the payload: an object without a value is a map of them.
    NamedPoints,
    /// Events.
    Events,
    /// A hint that hashes changed.
    Notice,
    /// Nothing.
    Skip,
}

/// A name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What is read.
    pub shape: Shape,
    /// Tag `channel`.
    pub channel: Option<Box<str>>,
    /// Tag `point`; with [`Shape::NamedPoints`] it is the channel of the points named in the payload.
    pub point: Option<Box<str>>,
    /// Tag `source`; for events what they are about.
    pub source: Option<Box<str>>,
    kind: Option<Box<str>>,
}

impl Route {
    /// Takes a name apart as `preset` says.
    pub fn of(name: &str, preset: Preset) -> Self {
        let parts: Vec<&str> = name.split(':').collect();
        match preset {
            Preset::Auto => auto(name, &parts),
            Preset::ChannelType => channel_type(&parts),
            Preset::Model => shaped(Shape::NamedPoints).channel(parts.last().unwrap_or(&name)).kind(Kind::TELEMETRY),
            Preset::Value => shaped(Shape::NamedPoints).point(name),
            Preset::Event => shaped(Shape::Events).source(name),
            Preset::Ignore => shaped(Shape::Skip),
        }
    }

    /// The kind of the points.
    pub fn kind_tag(&self) -> Option<Kind<'_>> {
        self.kind.as_deref().map(Kind::new)
    }

    /// The word for the kind as it stands in the name: the type of an event.
    pub fn verbatim_kind(&self) -> Option<Kind<'_>> {
        self.kind.as_deref().map(Kind::verbatim)
    }

    /// The channel of points that are named by the payload.
    pub fn container(&self) -> Option<&str> {
        self.channel.as_deref().or(self.point.as_deref())
    }

    fn channel(mut self, text: &str) -> Self {
        self.channel = Some(text.into());
        self
    }

    fn point(mut self, text: &str) -> Self {
        self.point = Some(text.into());
        self
    }

    fn source(mut self, text: &str) -> Self {
        self.source = Some(text.into());
        self
    }

    fn kind(mut self, kind: Kind<'_>) -> Self {
        self.kind = Some(kind.tag().into());
        self
    }
}

fn shaped(shape: Shape) -> Route {
    Route { shape, channel: None, point: None, source: None, kind: None }
}

fn points(channel: &str, kind: &str) -> Route {
    shaped(Shape::Points).channel(channel).kind(Kind::new(kind))
}

fn model(name: &str, kind: Kind<'_>) -> Route {
    shaped(Shape::NamedPoints).channel(name).kind(kind)
}

fn auto(name: &str, parts: &[&str]) -> Route {
    match parts {
        ["point", "update", rest @ ..] => point_update(rest),
        ["calc", "result", _, ..] => shaped(Shape::NamedPoints).point(after(name, "calc:result:")),
        ["alarm", "event", _, ..] => shaped(Shape::Events).source(after(name, "alarm:event:")),
        ["event", kind, ..] => shaped(Shape::Events).kind(Kind::verbatim(kind)),
        ["comsrv", "update", channel, kind] => Route { shape: Shape::Notice, ..points(channel, kind) },
        ["data", channel, "update"] => shaped(Shape::Notice).channel(channel),
        ["cfg" | "route", ..] => shaped(Shape::Skip),
        [.., _, last] if NO_POINTS.contains(last) => shaped(Shape::Skip),
        ["comsrv", second, ..] if NO_CHANNELS.contains(second) => shaped(Shape::Skip),
        ["comsrv" | "data", channel, kind] => points(channel, kind),
        ["comsrv" | "data", channel, kind, point] => points(channel, kind).point(point),
        ["comsrv", _] => shaped(Shape::Skip),
        ["modsrv", rest @ ..] => modsrv(rest),
        ["inst", rest @ ..] => inst(rest),
        ["alarmsrv", "check"] => shaped(Shape::Points),
        ["channel", channel, kind] if Kind::known(kind).is_some() => points(channel, kind),
        [channel, kind, point] if Kind::known(kind).is_some() => points(channel, kind).point(point),
        _ => shaped(Shape::NamedPoints).point(name),
    }
}

fn after<'a>(name: &'a str, prefix: &str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name)
}

fn point_update(rest: &[&str]) -> Route {
    match rest {
        [] => shaped(Shape::Points),
        [point] => shaped(Shape::Points).point(point),
        [channel, kind] => points(channel, kind),
        [channel, kind, point, ..] => points(channel, kind).point(point),
    }
}

fn modsrv(rest: &[&str]) -> Route {
    match rest {
        ["updates", "module", id] => model(id, Kind::TELEMETRY),
        ["outputs" | "output", name] | [name, "measurement" | "update" | "output" | "M"] => {
            model(name, Kind::TELEMETRY)
        }
        [name, "control"] => model(name, Kind::CONTROL),
        [name, "A"] => model(name, Kind::ADJUSTMENT),
        [name, "mv", kind, point] => model(name, Kind::new(kind)).point(point),
        [name, "mo", point] => model(name, Kind::TELEMETRY).point(point),
        _ => shaped(Shape::Skip),
    }
}

/// Instances have numbers of their own, so the tag `source` keeps them apart from channels.
fn inst(rest: &[&str]) -> Route {
    match rest {
        [id, role @ ("M" | "A")] => points(id, role).source("inst"),
        [id, role @ ("M" | "A"), point] => points(id, role).point(point).source("inst"),
        _ => shaped(Shape::Skip),
    }
}

fn channel_type(parts: &[&str]) -> Route {
    match parts {
        [.., channel, kind] if Kind::known(kind).is_some() => points(channel, kind),
        [.., channel, kind, point] => points(channel, kind).point(point),
        [channel, kind] => points(channel, kind),
        _ => shaped(Shape::Points),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_read_the_name_behind_any_prefix() {
        let read = |name: &str, preset| {
            let route = Route::of(name, preset);
            let text = |part: &Option<Box<str>>| part.as_deref().unwrap_or("-").to_owned();
            format!("{:?} {} {} {}", route.shape, text(&route.channel), text(&route.kind), text(&route.point))
        };
        assert_eq!(read("site:a:1001:YC", Preset::ChannelType), "Points 1001 m -");
        assert_eq!(read("site:a:1001:m:7", Preset::ChannelType), "Points 1001 m 7");
        assert_eq!(read("site:pump", Preset::Model), "NamedPoints pump m -");
        assert_eq!(read("comsrv:1001:m", Preset::Value), "NamedPoints - - comsrv:1001:m");
        assert_eq!(read("x", Preset::Event), "Events - - -");
        assert_eq!(read("comsrv:1001:m", Preset::Ignore), "Skip - - -");
    }

    #[test]
    fn names_that_hold_no_points_are_skipped() {
        for name in [
            "comsrv:1001:T:ts",
            "comsrv:1001:T:raw",
            "comsrv:1001:C:TODO",
            "comsrv:1001:meta",
            "comsrv:1001:status",
            "comsrv:stats:1001",
            "comsrv:config:x",
            "comsrv:points",
            "comsrv:channel:1:metadata",
            "inst:23:name",
            "inst:name:index",
            "inst:23:config",
            "route:c2m",
            "cfg:1001:m:10001",
        ] {
            assert_eq!(Route::of(name, Preset::Auto).shape, Shape::Skip, "{name}");
        }
    }
}
