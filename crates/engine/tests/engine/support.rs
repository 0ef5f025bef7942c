//! A plant of ten columns, the engine over a disk that forgets, and the naive model it is compared with.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Catalog, DEFAULT_POLICY, Wanted};
use engine::{ChunkSummary, Engine, EngineConfig, EngineError, OpenReport, Piece, ScanCache};
use model::wire::{BatchEncoder, encode_delete};
use model::{BucketId, ByteSize, ColumnId, FieldType, FieldValue, Seq, TimeRange, TimestampNs, WindowNs};
use vfs::{FaultFs, Fs};

pub(crate) const ENGINE: &str = "engine";
pub(crate) const BLOCKS: &str = "engine/blocks";
/// Length of the partitions of all tests here, in nanoseconds.
pub(crate) const WIDTH: i64 = 1000;

/// A value that can be compared bit for bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Float(u64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(String),
}

impl Value {
    /// Some value of a type, made from a number.
    pub(crate) fn from_seed(kind: FieldType, seed: i64) -> Self {
        match kind {
            FieldType::Float if seed % 3 == 0 => Self::Float((seed as f64 / 7.0).to_bits()),
            FieldType::Float => Self::Float((seed as f64 / 100.0).to_bits()),
            FieldType::Integer => Self::Integer(seed),
            FieldType::Unsigned => Self::Unsigned(seed.unsigned_abs()),
            FieldType::Boolean => Self::Boolean(seed % 2 == 0),
            FieldType::String => Self::String(format!("state {}", seed % 5)),
        }
    }

    fn of(value: FieldValue<'_>) -> Self {
        match value {
            FieldValue::Float(v) => Self::Float(v.to_bits()),
            FieldValue::Integer(v) => Self::Integer(v),
            FieldValue::Unsigned(v) => Self::Unsigned(v),
            FieldValue::Boolean(v) => Self::Boolean(v),
            FieldValue::String(v) => Self::String(v.to_owned()),
        }
    }

    fn borrow(&self) -> FieldValue<'_> {
        match self {
            Self::Float(v) => FieldValue::Float(f64::from_bits(*v)),
            Self::Integer(v) => FieldValue::Integer(*v),
            Self::Unsigned(v) => FieldValue::Unsigned(*v),
            Self::Boolean(v) => FieldValue::Boolean(*v),
            Self::String(v) => FieldValue::String(v),
        }
    }

    fn number(&self) -> f64 {
        match self {
            Self::Float(v) => f64::from_bits(*v),
            Self::Integer(v) => *v as f64,
            Self::Unsigned(v) => *v as f64,
            Self::Boolean(_) | Self::String(_) => panic!("no number"),
        }
    }
}

/// A column of the plant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) id: ColumnId,
    pub(crate) kind: FieldType,
    pub(crate) bucket: BucketId,
}

/// One journal record.
#[derive(Debug, Clone)]
pub(crate) enum Record {
    Points(Vec<(Column, i64, Value)>),
    Delete(Vec<ColumnId>, TimeRange),
}

impl Record {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Points(points) => {
                let mut encoder = BatchEncoder::default();
                points.iter().for_each(|(c, time, value)| encoder.push(c.id, TimestampNs(*time), value.borrow()));
                encoder.finish()
            }
            Self::Delete(columns, range) => encode_delete(columns, *range),
        }
    }
}

/// What should be stored: the last write wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model(pub(crate) BTreeMap<(ColumnId, i64), Value>);

impl Model {
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Points(points) => {
                self.0.extend(points.iter().map(|(c, time, value)| ((c.id, *time), value.clone())));
            }
            Record::Delete(columns, range) => {
                self.0.retain(|(c, time), _| !(columns.contains(c) && range.contains(TimestampNs(*time))));
            }
        }
    }

    pub(crate) fn drop_before(&mut self, columns: &[Column], bucket: BucketId, cutoff: i64) {
        let in_bucket = |id: ColumnId| columns.iter().any(|c| c.id == id && c.bucket == bucket);
        let end = |time: i64| (i128::from(time.div_euclid(WIDTH)) + 1) * i128::from(WIDTH);
        let end = |time: i64| end(time).min(i128::from(i64::MAX));
        self.0.retain(|(c, time), _| !(in_bucket(*c) && end(*time) <= i128::from(cutoff)));
    }

    pub(crate) fn column(&self, column: ColumnId, range: TimeRange) -> Vec<(i64, Value)> {
        let of_column = self.0.range((column, i64::MIN)..=(column, i64::MAX));
        let inside = of_column.filter(|((_, time), _)| range.contains(TimestampNs(*time)));
        inside.map(|((_, time), value)| (*time, value.clone())).collect()
    }
}

pub(crate) fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(TimestampNs(start), TimestampNs(end))
}

/// Settings under which nothing happens in the background unless asked for.
pub(crate) fn quiet() -> EngineConfig {
    EngineConfig {
        head_max: ByteSize(16 << 20),
        head_max_age: Duration::from_secs(3600),
        partition: WindowNs::new(WIDTH).unwrap(),
        merge_at: 1000,
        cold_after: Duration::from_secs(3600),
        index_cache: ByteSize(1 << 20),
        chunk_cache: ByteSize(16 << 10),
    }
}

pub(crate) fn open_catalog(fs: &FaultFs) -> Arc<Catalog> {
    Arc::new(Catalog::open(Arc::new(fs.clone()), Path::new("catalog")).unwrap().0)
}

/// Two buckets with a column of each type.
pub(crate) fn define(catalog: &Catalog) -> Vec<Column> {
    ["plant", "site"].into_iter().flat_map(|database| define_in(catalog, database)).collect()
}

fn define_in(catalog: &Catalog, database: &str) -> Vec<Column> {
    let bucket = catalog.ensure_bucket(database, DEFAULT_POLICY).unwrap();
    let key = b"pcs,device=1".as_slice();
    let fields = FieldType::ALL.map(|kind| (kind, kind.to_string()));
    let wanted: Vec<_> = fields.iter().map(|(kind, field)| Wanted { key, field, kind: *kind }).collect();
    catalog.define(bucket, &wanted).unwrap();
    let names = catalog.read();
    let series = names.series(bucket, key).unwrap();
    let id = |field: &str| names.column(series, 0, field).unwrap().0;
    fields.iter().map(|(kind, field)| Column { id: id(field), kind: *kind, bucket }).collect()
}

pub(crate) fn try_open(fs: &FaultFs, config: EngineConfig) -> Result<(Engine, OpenReport), EngineError> {
    Engine::open(Arc::new(fs.clone()), Path::new(ENGINE), open_catalog(fs), config)
}

/// Opens a store that must be undamaged.
pub(crate) fn open(fs: &FaultFs, config: EngineConfig) -> Engine {
    let (engine, report) = try_open(fs, config).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    engine
}

/// Records by position, the first being 1, as the journal keeps them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal(pub(crate) Vec<Record>);

impl Journal {
    pub(crate) fn append(&mut self, record: Record) -> Seq {
        self.0.push(record);
        Seq(self.0.len() as u64)
    }

    pub(crate) fn replay(&self, engine: &Engine) {
        let from = engine.flushed_seq().0;
        for (i, record) in self.0.iter().enumerate().skip(from as usize) {
            engine.apply(Seq(i as u64 + 1), &record.encode()).unwrap();
        }
    }

    pub(crate) fn model(&self) -> Model {
        let mut model = Model::default();
        self.0.iter().for_each(|record| model.apply(record));
        model
    }
}

/// The points of a column, and what was damaged.
pub(crate) fn read(engine: &Engine, column: ColumnId, range: TimeRange) -> (Vec<(i64, Value)>, Vec<String>) {
    let mut points = Vec::new();
    let report = engine.scan(column, range, &mut ScanCache::default(), &|_, _| false, &mut |piece| {
        let Piece::Points { times, values } = piece else { panic!("no summary was asked for") };
        assert_eq!(times.len(), values.len());
        points.extend(times.iter().enumerate().map(|(i, t)| (t.0, Value::of(values.get(i).unwrap()))));
        ControlFlow::Continue(())
    });
    assert!(points.is_sorted_by(|a, b| a.0 < b.0), "times do not ascend");
    (points, report.damaged)
}

pub(crate) fn latest(engine: &Engine, column: ColumnId, range: TimeRange) -> Option<(i64, Value)> {
    let mut found = None;
    engine
        .latest(column, range, &mut ScanCache::default(), &mut |time, value| found = Some((time.0, Value::of(value))));
    found
}

/// Everything in the store is what the model says.
pub(crate) fn check_all(engine: &Engine, columns: &[Column], model: &Model, context: &str) {
    for column in columns {
        check(engine, *column, model, TimeRange::ALL, context);
    }
}

/// Points, summaries and the latest point of a column are what the model says.
pub(crate) fn check(engine: &Engine, column: Column, model: &Model, range: TimeRange, context: &str) {
    let expected = model.column(column.id, range);
    let (points, damaged) = read(engine, column.id, range);
    assert_eq!(damaged, Vec::<String>::new(), "{context}");
    assert_eq!(points, expected, "{context}: {column:?} {range:?}");
    assert_eq!(latest(engine, column.id, range), expected.last().cloned(), "{context}: latest of {column:?}");
    check_summaries(engine, column, &expected, range, context);
}

fn check_summaries(engine: &Engine, column: Column, expected: &[(i64, Value)], range: TimeRange, context: &str) {
    let mut rest = expected;
    engine.scan(column.id, range, &mut ScanCache::default(), &|_, _| true, &mut |piece| {
        let count = match &piece {
            Piece::Points { times, .. } => times.len(),
            Piece::Summary(s) => s.count as usize,
        };
        assert!(0 < count && count <= rest.len(), "{context}: {count} of {} points of {column:?}", rest.len());
        let (part, after) = rest.split_at(count);
        match piece {
            Piece::Points { times, .. } => assert_eq!(times[0].0, part[0].0, "{context}"),
            Piece::Summary(s) => check_summary(s, part, context),
        }
        rest = after;
        ControlFlow::Continue(())
    });
    assert_eq!(rest, [], "{context}: left out of {column:?}");
}

fn check_summary(s: ChunkSummary, part: &[(i64, Value)], context: &str) {
    let numbers: Vec<f64> = part.iter().map(|(_, v)| v.number()).collect();
    let sum: f64 = numbers.iter().sum();
    let magnitude: f64 = numbers.iter().map(|n| n.abs()).sum();
    assert!((s.sum - sum).abs() <= magnitude * 1e-12, "{context}: {} is not {sum}", s.sum);
    assert_eq!(s.min, numbers.iter().copied().fold(f64::INFINITY, f64::min), "{context}");
    assert_eq!(s.max, numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max), "{context}");
    assert_eq!((s.first, s.last), (numbers[0], numbers[numbers.len() - 1]), "{context}");
    assert_eq!((s.first_time.0, s.last_time.0), (part[0].0, part[part.len() - 1].0), "{context}");
}

pub(crate) fn block_files(fs: &FaultFs) -> Vec<String> {
    fs.list(Path::new(BLOCKS)).unwrap()
}

/// A value of each column at each time.
pub(crate) fn poll(columns: &[Column], times: impl Iterator<Item = i64> + Clone) -> Record {
    let points = columns.iter().flat_map(|c| times.clone().map(|t| (*c, t, Value::from_seed(c.kind, t))));
    Record::Points(points.collect())
}

/// Writes a record to the journal and to the store.
pub(crate) fn add(engine: &Engine, journal: &mut Journal, record: Record) {
    let batch = record.encode();
    engine.apply(journal.append(record), &batch).unwrap();
}
