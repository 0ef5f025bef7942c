//! The points of a series' columns, put together to rows, some 100 000 values at a time.

use std::ops::ControlFlow;

use engine::{Engine, Piece, ScanCache};
use model::{TimeRange, TimestampNs, Values};

use super::columns::Joined;
use super::plan::Column;

/// Values held at a time, about.
const MAX_VALUES: usize = 1 << 18;
/// Of one column at least.
const MIN_VALUES: usize = 1024;
/// Of one column no more than this, in bytes, but for what one piece of a scan has.
const MAX_BYTES: usize = 8 << 20;
/// Damaged parts that are remembered.
const MAX_DAMAGED: usize = 20;

/// Reads series.
pub(super) struct Reader<'a> {
    engine: &'a Engine,
    cache: ScanCache,
    /// Values held at a time, and of one column at least.
    limits: (usize, usize),
    /// What could not be read.
    pub(super) damaged: Vec<String>,
}

/// Points of a column.
pub(super) struct Held {
    pub(super) times: Vec<TimestampNs>,
    pub(super) values: Values,
}

impl<'a> Reader<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine, cache: ScanCache::default(), limits: (MAX_VALUES, MIN_VALUES), damaged: Vec::new() }
    }

    /// The rows from `range.start` on, as many as are held at a time; `range` becomes what is left.
    pub(super) fn next(&mut self, columns: &[Column], range: &mut TimeRange) -> Option<Joined> {
        if range.is_empty() || columns.is_empty() {
            return None;
        }
        let (max, min) = self.limits;
        let most = (max / columns.len()).max(min);
        let mut part = *range;
        let mut held: Vec<Held> = Vec::with_capacity(columns.len());
        for column in columns {
            let (points, is_cut) = self.read(column, part, most);
            // The others are held no further than this one.
            if let Some(last) = points.times.last().filter(|_| is_cut) {
                part.end = part.end.min(last.saturating_add(1));
            }
            held.push(points);
        }
        range.start = part.end;
        held.iter_mut().for_each(|points| points.cut(part.end));
        Some(Joined::new(held))
    }

    /// The first points of a column, and whether there may be more.
    fn read(&mut self, column: &Column, range: TimeRange, most: usize) -> (Held, bool) {
        let mut held = Held { times: Vec::new(), values: Values::new(column.kind) };
        let mut is_cut = false;
        let report = self.engine.scan(column.id, range, &mut self.cache, &|_, _| false, &mut |piece| {
            let Piece::Points { times, values } = piece else { return ControlFlow::Continue(()) };
            let count = times.len().min(most.saturating_sub(held.times.len()));
            if held.values.append(&values.slice(0, count)) {
                held.times.extend_from_slice(times.get(..count).unwrap_or_default());
            }
            is_cut = held.times.len() >= most || held.values.bytes() >= MAX_BYTES;
            if is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        for damage in report.damaged {
            if self.damaged.len() < MAX_DAMAGED && !self.damaged.contains(&damage) {
                self.damaged.push(damage);
            }
        }
        (held, is_cut)
    }
}

impl Held {
    /// Keeps what is before `end`.
    fn cut(&mut self, end: TimestampNs) {
        let count = self.times.partition_point(|time| *time < end);
        if count < self.times.len() {
            self.times.truncate(count);
            self.values = self.values.slice(0, count);
        }
    }

    /// Floats that are no numbers.
    pub(super) fn not_finite(&self) -> u64 {
        let Values::Float(values) = &self.values else { return 0 };
        values.iter().filter(|value| !value.is_finite()).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use catalog::{Catalog, Wanted};
    use engine::EngineConfig;
    use formats::Column as _;
    use model::wire::BatchEncoder;
    use model::{FieldType, FieldValue, Seq};
    use vfs::{FaultFs, Fs};

    use super::*;

    /// A store with one series of three fields, whose values are at the places where `has` says so.
    fn store(has: impl Fn(usize, i64) -> bool) -> (Engine, Vec<Column>) {
        let fs: Arc<dyn Fs> = Arc::new(FaultFs::new());
        let catalog = Arc::new(Catalog::open(Arc::clone(&fs), Path::new("c")).unwrap().0);
        let engine = Engine::open(fs, Path::new("e"), Arc::clone(&catalog), EngineConfig::default()).unwrap().0;
        let bucket = catalog.ensure_bucket("d", "p").unwrap();
        let fields = ["x", "y", "z"];
        catalog.define(bucket, &fields.map(|field| Wanted { key: b"m", field, kind: FieldType::Integer })).unwrap();
        let names = catalog.read();
        let series = names.series(bucket, b"m").unwrap();
        let id = |field| names.column(series, 0, field).unwrap().0;
        let columns = fields.map(|field| Column { name: field.to_owned(), kind: FieldType::Integer, id: id(field) });
        for time in 0..60 {
            let mut encoder = BatchEncoder::default();
            for (at, column) in columns.iter().enumerate().filter(|(at, _)| has(*at, time)) {
                encoder.push(column.id, TimestampNs(time), FieldValue::Integer(time * 10 + at as i64));
            }
            engine.apply(Seq(time as u64 + 1), &encoder.finish()).unwrap();
        }
        (engine, columns.into())
    }

    #[test]
    fn rows_are_the_same_however_little_is_held() {
        let has = |column: usize, time: i64| (time * 7 + 3) % (column as i64 + 2) != 0;
        let (engine, columns) = store(has);
        let expected: BTreeMap<_, _> = (5..50)
            .flat_map(|time| (0..3).map(move |at| ((time, at), time * 10 + at as i64)))
            .filter(|((time, at), _)| has(*at, *time))
            .collect();
        for most in [1, 2, 5, 7, 1000] {
            let mut reader = Reader { limits: (most, 1), ..Reader::new(&engine) };
            let (mut range, mut found, mut last) =
                (TimeRange::new(TimestampNs(5), TimestampNs(50)), BTreeMap::new(), 0);
            while let Some(rows) = reader.next(&columns, &mut range) {
                for (row, time) in rows.times.iter().enumerate() {
                    assert!(last < time.0, "rows ascend");
                    last = time.0;
                    for (at, column) in rows.columns.iter().enumerate() {
                        let Some(FieldValue::Integer(value)) = column.get(row) else { continue };
                        found.insert((time.0, at), value);
                    }
                }
            }
            assert_eq!(found, expected, "{most} at a time");
        }
    }
}
