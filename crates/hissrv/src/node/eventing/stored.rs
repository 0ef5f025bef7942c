//! Events of one node that are stored already and are ours: their id is that of what they say.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;

use ::events::{Event, Identity, Level, MEASUREMENT, Source};
use catalog::Names;
use engine::{Engine, Piece, ScanCache};
use model::key::SeriesKey;
use model::{ColumnId, FieldValue, SeriesId, TimeRange, TimestampNs};

use super::columns::{Columns, Node};

/// Fields that say what an event says, in this order.
const CONTENT: [&str; 4] = ["message", "value", "threshold", "duration_s"];

/// A series of events.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) metric: String,
    pub(super) level: Level,
    pub(super) source: Source,
    id: SeriesId,
}

/// Series of events, by node.
pub(super) type ByNode = HashMap<Node, Vec<Series>>;

/// Every series of events.
pub(super) fn series(columns: &Columns) -> ByNode {
    let mut found = ByNode::new();
    let Some(bucket) = columns.bucket_of(MEASUREMENT) else { return found };
    let names = columns.catalog.read();
    let Some(measurement) = names.measurement(bucket, MEASUREMENT) else { return found };
    for &id in names.series_of(measurement) {
        if let Some((node, series)) = series_of(&names, id) {
            found.entry(node).or_default().push(series);
        }
    }
    found
}

fn series_of(names: &Names, id: SeriesId) -> Option<(Node, Series)> {
    let key = SeriesKey::parse(names.series_key(id)?).ok()?;
    let tag = |name| key.tag(name).map(std::borrow::Cow::into_owned);
    let (level, source) = (tag("level")?, tag("source")?);
    let level = *Level::ALL.iter().find(|known| known.as_str() == level)?;
    let source = *Source::ALL.iter().find(|known| known.as_str() == source)?;
    Some(((tag("node_id")?, tag("node_type")?), Series { metric: tag("metric")?, level, source, id }))
}

/// What an event says, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    hash: u64,
    /// The fields that it has, a bit each.
    fields: u8,
}

impl Content {
    const NONE: Self = Self { hash: 0, fields: 0 };

    /// What an event says that was made just now.
    pub(super) fn of(event: &Event) -> Self {
        let mut content = Self::NONE;
        let id = event.id.to_string();
        for (name, value) in event.fields(&id) {
            if let Some(place) = CONTENT.iter().position(|field| *field == name) {
                content.add(place, value);
            }
        }
        content
    }

    /// Whether it has fields that the other has not: these would stay when the other is written over it.
    pub(super) fn has_more_than(self, other: Self) -> bool {
        self.fields & !other.fields != 0
    }

    fn add(&mut self, place: usize, value: FieldValue<'_>) {
        let mut hasher = DefaultHasher::new();
        (self.hash, place).hash(&mut hasher);
        match value {
            FieldValue::Float(value) => value.to_bits().hash(&mut hasher),
            FieldValue::String(text) => text.hash(&mut hasher),
            FieldValue::Integer(value) => value.hash(&mut hasher),
            FieldValue::Unsigned(value) => value.hash(&mut hasher),
            FieldValue::Boolean(value) => value.hash(&mut hasher),
        }
        self.hash = hasher.finish();
        self.fields |= 1 << place;
    }
}

/// The events of one node in a range.
pub(super) struct Stored {
    series: Vec<Series>,
    /// By series and time.
    events: HashMap<(usize, TimestampNs), Content>,
    /// Times that stay or come, by series: deletions go around them.
    kept: HashMap<usize, Vec<TimestampNs>>,
}

/// Values to be deleted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deletion {
    pub(super) columns: Vec<ColumnId>,
    pub(super) range: TimeRange,
    pub(super) events: u64,
}

impl Deletion {
    /// Without the number of its events.
    pub(super) fn of_columns(&self) -> pipeline::Deletion<'_> {
        pipeline::Deletion { columns: &self.columns, range: self.range }
    }
}

/// How an event stands to what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is there as it is.
    Same,
    /// It is there, but says something else.
    Other { has_more: bool },
    /// It is not there.
    Missing,
}

impl Stored {
    /// Of a node whose series are these; nothing is read yet.
    pub(super) fn new(series: Vec<Series>) -> Self {
        Self { series, events: HashMap::new(), kept: HashMap::new() }
    }

    pub(super) fn has_no_series(&self) -> bool {
        self.series.is_empty()
    }

    /// The columns that are read.
    pub(super) fn columns(&self, columns: &Columns) -> Vec<ColumnId> {
        self.series.iter().flat_map(|series| columns_of(columns, series)).collect()
    }

    /// Reads the events of a part of time.
    pub(super) fn read(
        &mut self,
        columns: &Columns,
        engine: &Engine,
        node: &Node,
        range: TimeRange,
        cache: &mut ScanCache,
    ) {
        let Self { series, events, .. } = self;
        let mut scan = Scan { columns, engine, cache, range };
        for (place, series) in series.iter().enumerate() {
            let before = events.len();
            scan.field(series, "event_id", |time, value| {
                let (node_id, node_type) = (node.0.as_str(), node.1.as_str());
                let Series { metric, level, source, .. } = series;
                let identity = Identity { node_id, node_type, metric, level: *level, source: *source, time };
                if matches!(value, FieldValue::String(id) if id == identity.id().to_string()) {
                    events.insert((place, time), Content::NONE);
                }
            });
            if events.len() == before {
                continue;
            }
            for (field, name) in CONTENT.iter().enumerate() {
                scan.field(series, name, |time, value| {
                    if let Some(content) = events.get_mut(&(place, time)) {
                        content.add(field, value);
                    }
                });
            }
        }
    }

    /// Compares an event with what is stored; it is then no candidate for deletion any more.
    pub(super) fn compare(&mut self, event: &Event) -> Standing {
        let is_of = |s: &Series| s.level == event.level && s.source == event.source && s.metric == event.metric;
        let Some(place) = self.series.iter().position(is_of) else { return Standing::Missing };
        self.kept.entry(place).or_default().push(event.time);
        let content = Content::of(event);
        match self.events.remove(&(place, event.time)) {
            None => Standing::Missing,
            Some(stored) if stored == content => Standing::Same,
            Some(stored) => Standing::Other { has_more: stored.has_more_than(content) },
        }
    }

    /// What deletes the point of an event.
    pub(super) fn deletion_of(&self, columns: &Columns, event: &Event) -> Option<Deletion> {
        let is_of = |s: &&Series| s.level == event.level && s.source == event.source && s.metric == event.metric;
        let series = self.series.iter().find(is_of)?;
        Some(Deletion { columns: columns_of(columns, series), range: instant(event.time), events: 0 })
    }

    /// What deletes the events that were not compared and for which `is_judged` says yes, by series and time.
    pub(super) fn stale(
        mut self,
        columns: &Columns,
        is_judged: impl Fn(&Series, TimestampNs) -> bool,
    ) -> Vec<Deletion> {
        let mut stale: Vec<(usize, TimestampNs)> = Vec::new();
        for &(place, time) in self.events.keys() {
            match self.series.get(place) {
                Some(series) if is_judged(series, time) => stale.push((place, time)),
                _ => self.kept.entry(place).or_default().push(time),
            }
        }
        stale.sort_unstable();
        self.kept.values_mut().for_each(|times| times.sort_unstable());
        let none_between = |a: &(usize, TimestampNs), b: &(usize, TimestampNs)| {
            let kept = self.kept.get(&a.0).map(Vec::as_slice).unwrap_or_default();
            let next = kept.partition_point(|time| *time < a.1);
            a.0 == b.0 && kept.get(next).is_none_or(|time| *time > b.1)
        };
        let deletion = |run: &[(usize, TimestampNs)]| {
            let (first, last) = (run.first()?, run.last()?);
            let range = TimeRange::new(first.1, instant(last.1).end);
            let columns = columns_of(columns, self.series.get(first.0)?);
            Some(Deletion { columns, range, events: run.len() as u64 })
        };
        stale.chunk_by(none_between).filter_map(deletion).collect()
    }
}

fn instant(time: TimestampNs) -> TimeRange {
    TimeRange::new(time, time.saturating_add(1))
}

fn columns_of(columns: &Columns, series: &Series) -> Vec<ColumnId> {
    columns.catalog.read().columns_of(series.id).iter().map(|(_, column)| *column).collect()
}

/// Reads fields of series of events.
struct Scan<'a> {
    columns: &'a Columns,
    engine: &'a Engine,
    cache: &'a mut ScanCache,
    range: TimeRange,
}

impl Scan<'_> {
    fn field(&mut self, series: &Series, name: &str, mut visit: impl FnMut(TimestampNs, FieldValue<'_>)) {
        let Some((column, _)) = self.columns.catalog.read().column(series.id, 0, name) else { return };
        let mut points = |piece: Piece<'_>| {
            if let Piece::Points { times, values } = piece {
                for (place, time) in times.iter().enumerate() {
                    if let Some(value) = values.get(place) {
                        visit(*time, value);
                    }
                }
            }
            ControlFlow::Continue(())
        };
        // What is damaged is not seen and so not deleted either; queries tell of it.
        self.engine.scan(column, self.range, self.cache, &|_, _| false, &mut points);
    }
}
