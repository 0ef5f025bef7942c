//! Points to write, and text to ask for them.

use backend::{Destination, Point, PointList};
use model::FieldValue::{Boolean, Float, Integer, String as Text};
use model::key::SeriesKeyBuf;
use model::{FieldValue, TimestampNs};

/// 2024-03-09T16:00:00Z, when most points start.
pub(crate) const START: i64 = 1_710_000_000 * SECOND;
pub(crate) const MILLISECOND: i64 = 1_000_000;
pub(crate) const SECOND: i64 = 1000 * MILLISECOND;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// A point of the series with this canonical key.
pub(crate) fn point<'a>(series: &'a str, field: &'a str, value: FieldValue<'a>, time: i64) -> Point<'a> {
    Point { series: series.as_bytes(), field, value, time: TimestampNs(time) }
}

/// A list of points.
pub(crate) fn list(place: &Destination, points: &[Point<'_>]) -> PointList {
    let mut list = PointList::new(place.clone());
    points.iter().for_each(|point| list.push(*point));
    list
}

/// The canonical key of a series; tags come in the order of their keys.
pub(crate) fn key(measurement: &str, tags: &[(&str, &str)]) -> String {
    let mut key = SeriesKeyBuf::default();
    key.start(measurement);
    tags.iter().for_each(|(name, value)| key.tag(name, value));
    String::from_utf8(key.as_bytes().to_vec()).unwrap()
}

/// A name in InfluxQL.
pub(crate) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A text in InfluxQL.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

/// A pattern in InfluxQL that finds this text alone.
pub(crate) fn pattern(text: &str) -> String {
    format!("/^{}$/", regex::escape(text).replace('/', "\\/"))
}

/// Names and texts that are data in every language they pass through, or should be.
pub(crate) const HOSTILE: [&str; 22] = [
    "a b",
    "a,b",
    "a=b",
    "a, b = c",
    "it's",
    "say \"hi\"",
    "C:\\temp\\new",
    "back\\\\slash",
    "\\,\\ \\=",
    "' OR 1=1 --",
    "' OR '1'='1",
    "\"; DROP MEASUREMENT m; --",
    "'; DROP TABLE points; --",
    "$1 ${HOME} $$ %s %d",
    "{a=\"b\"} or {__name__!=\"\"}",
    "^.*|(x)[y]+?/z/",
    "# no comment -- /* here */",
    "温度 °C",
    "e\u{301} ≠ é",
    "🔋⚡",
    "&lt;b&gt; %41 +1",
    "null",
];

/// Half an hour of three inverters, at times of their own, with gaps: `power` is a float, `state` an integer, `on` a boolean,
/// `note` a text. One series has no tag `site`.
pub(crate) fn plant(place: &Destination) -> PointList {
    let mut list = PointList::new(place.clone());
    let mut random = Random(7);
    for (number, series) in (0..).zip(["m,device=1,site=a", "m,device=2,site=b", "m,device=3"]) {
        for step in 0..180 {
            let time = START + step * 10 * SECOND + number * 250 * MILLISECOND;
            // Windows of one and of five minutes without any point.
            if (30..66).contains(&step) || random.below(5) == 0 {
                continue;
            }
            list.push(point(series, "power", Float(random.below(4000) as f64 / 8.0 - 200.0), time));
            list.push(point(series, "state", Integer(random.below(7) - 2), time));
            if step % 3 == 0 {
                list.push(point(series, "on", Boolean(random.below(2) == 0), time));
                list.push(point(series, "note", Text(["run", "stop", "error 3"][random.below(3) as usize]), time));
            }
        }
    }
    list
}

/// Numbers that are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number from 0 on.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % end
    }
}
