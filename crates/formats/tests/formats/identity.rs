//! What is exported is imported equal, in every format, whatever the names and values.

use std::fs::File;
use std::path::Path;

use formats::{
    Column, CsvOptions, CsvTimes, CsvWriter, LineWriter, Mapping, Output, Packing, ParquetWriter, Table, Writer,
};
use model::key::{SeriesKey, SeriesKeyBuf};
use model::{FieldType, FieldValue, TimestampNs};
use proptest::prelude::*;

use crate::support::{Points, Read, exact, read_csv, read_lines, read_parquet};

/// A value that is owned.
#[derive(Debug, Clone)]
enum Value {
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(String),
}

impl Value {
    fn get(&self) -> FieldValue<'_> {
        match self {
            Self::Float(v) => FieldValue::Float(*v),
            Self::Integer(v) => FieldValue::Integer(*v),
            Self::Unsigned(v) => FieldValue::Unsigned(*v),
            Self::Boolean(v) => FieldValue::Boolean(*v),
            Self::String(v) => FieldValue::String(v),
        }
    }
}

/// A measurement with series and rows.
#[derive(Debug, Clone)]
struct Data {
    measurement: String,
    tags: Vec<String>,
    fields: Vec<(String, FieldType)>,
    series: Vec<OneSeries>,
}

#[derive(Debug, Clone)]
struct OneSeries {
    /// Which tags it has, by position, and their values.
    tags: Vec<Option<String>>,
    rows: Vec<(i64, Vec<Option<Value>>)>,
}

impl Data {
    fn table(&self) -> Table {
        Table::new(self.measurement.clone(), self.tags.clone(), self.fields.clone())
    }

    fn key(&self, series: &OneSeries) -> Vec<u8> {
        let mut key = SeriesKeyBuf::default();
        key.start(&self.measurement);
        for (name, value) in self.tags.iter().zip(&series.tags) {
            if let Some(value) = value {
                key.tag(name, value);
            }
        }
        key.as_bytes().to_vec()
    }

    fn points(&self) -> Points {
        let mut points = Points::new();
        for series in &self.series {
            let key = String::from_utf8(self.key(series)).unwrap();
            for (time, values) in &series.rows {
                for ((name, _), value) in self.fields.iter().zip(values) {
                    if let Some(value) = value {
                        points.insert((key.clone(), name.clone(), *time), exact(value.get()));
                    }
                }
            }
        }
        points
    }

    fn write(&self, mut writer: Box<dyn Writer>) {
        let fields: Vec<_> = self.fields.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        for series in &self.series {
            let key = self.key(series);
            writer.series(SeriesKey::parse(&key).unwrap(), &fields).unwrap();
            // In two portions, as results come.
            for rows in series.rows.chunks(series.rows.len() / 2 + 1) {
                let times: Vec<_> = rows.iter().map(|(time, _)| TimestampNs(*time)).collect();
                let columns: Vec<Vec<Option<FieldValue<'_>>>> = (0..fields.len())
                    .map(|at| rows.iter().map(|(_, values)| values[at].as_ref().map(Value::get)).collect())
                    .collect();
                let columns: Vec<&dyn Column> = columns.iter().map(|column| column as &dyn Column).collect();
                writer.rows(&times, &columns).unwrap();
            }
        }
        let written = writer.finish().unwrap();
        let values = self.series.iter().flat_map(|s| &s.rows).flat_map(|(_, values)| values).flatten().count();
        assert_eq!(written.values, values as u64);
    }

    fn check(&self, read: &Read) {
        assert_eq!(read.rejects, []);
        assert_eq!(read.points, self.points());
    }
}

fn output(path: &Path) -> Output {
    Output::new(Box::new(File::create(path).unwrap()), Packing::of(path)).unwrap()
}

/// Anything but what line protocol cannot spell: line breaks, a backslash at the end, and what makes a line a comment.
fn any_name() -> impl Strategy<Value = String> {
    "[a-zA-Z,=\"\\\\é#][a, =\"\\\\é#;?]{0,4}[a,= é]"
        .prop_filter("not the time", |name| name != "time" && !name.starts_with('#'))
}

fn any_value(kind: FieldType) -> BoxedStrategy<Value> {
    match kind {
        FieldType::Float => prop_oneof![
            any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |v| v.is_finite()),
            prop::sample::select(vec![0.0, -0.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1, 1e22, 123_456_789.0]),
        ]
        .prop_map(Value::Float)
        .boxed(),
        FieldType::Integer => {
            prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)].prop_map(Value::Integer).boxed()
        }
        FieldType::Unsigned => prop_oneof![any::<u64>(), Just(u64::MAX)].prop_map(Value::Unsigned).boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        FieldType::String => "(NA|null|\\?|[a,= \"\\\\\n\r\té#;']{0,8})".prop_map(Value::String).boxed(),
    }
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![
        i64::MIN + 2..i64::MAX,
        1_700_000_000i64..1_700_000_010,
        (0i64..100).prop_map(|second| second * 1_000_000_000),
        Just(i64::MIN + 2),
        Just(i64::MAX - 1),
    ]
}

fn any_data() -> impl Strategy<Value = Data> {
    let kinds = prop::sample::select(FieldType::ALL.to_vec());
    let names = (
        any_name(),
        prop::collection::btree_set(any_name(), 0..4),
        prop::collection::btree_map(any_name(), kinds, 1..6),
    );
    names.prop_flat_map(|(measurement, tags, fields)| {
        let tags: Vec<_> = tags.into_iter().collect();
        let fields: Vec<_> = fields.into_iter().collect();
        let values: Vec<_> = fields.iter().map(|(_, kind)| prop::option::of(any_value(*kind))).collect();
        let tag_values = prop::collection::vec(prop::option::of(any_name()), tags.len());
        let rows = prop::collection::btree_map(any_time(), values, 0..8);
        let series = prop::collection::vec((tag_values, rows), 0..5);
        series.prop_map(move |series| Data {
            measurement: measurement.clone(),
            tags: tags.clone(),
            fields: fields.clone(),
            series: distinct(series),
        })
    })
}

type AnySeries = (Vec<Option<String>>, std::collections::BTreeMap<i64, Vec<Option<Value>>>);

/// Each series once.
fn distinct(mut series: Vec<AnySeries>) -> Vec<OneSeries> {
    series.sort_by(|a, b| a.0.cmp(&b.0));
    series.dedup_by(|a, b| a.0 == b.0);
    series.into_iter().map(|(tags, rows)| OneSeries { tags, rows: rows.into_iter().collect() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn an_export_is_imported_equal(data in any_data(), size in 20usize..400) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.lp", "a.lp.gz", "a.lp.zst"] {
            let path = folder.path().join(name);
            data.write(Box::new(LineWriter::new(output(&path))));
            data.check(&read_lines(&path, size));
        }
        for (name, times) in [("a.csv", CsvTimes::Rfc3339), ("b.csv.gz", CsvTimes::Nanoseconds)] {
            let path = folder.path().join(name);
            data.write(Box::new(CsvWriter::new(output(&path), data.table(), times)));
            data.check(&read_csv(&path, &CsvOptions::default(), size));
        }
        let path = folder.path().join("a.parquet");
        data.write(Box::new(ParquetWriter::new(output(&path), data.table()).unwrap()));
        data.check(&read_parquet(&path, &Mapping::default()));
    }
}

#[test]
fn exported_csv_is_what_people_expect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let table = Table::new(
        "cpu".to_owned(),
        vec!["host".to_owned()],
        vec![
            ("n".to_owned(), FieldType::Integer),
            ("load".to_owned(), FieldType::Float),
            ("s".to_owned(), FieldType::String),
        ],
    );
    let mut writer: Box<dyn Writer> = Box::new(CsvWriter::new(output(&path), table, CsvTimes::Rfc3339));
    writer
        .series(SeriesKey::parse(b"cpu,host=a\\ b").unwrap(), &[("load", FieldType::Float), ("s", FieldType::String)])
        .unwrap();
    let load: Vec<Option<FieldValue<'_>>> =
        vec![Some(FieldValue::Float(0.25)), Some(FieldValue::Float(f64::NAN)), None];
    let texts: Vec<Option<FieldValue<'_>>> =
        vec![Some(FieldValue::String("say \"hi\"")), None, Some(FieldValue::String(""))];
    writer.rows(&[0, 1, 1_500_000_000].map(TimestampNs), &[&load, &texts]).unwrap();
    assert_eq!(writer.finish().unwrap().rows, 2);
    let expected = "#hissrv csv 1\n#measurement,cpu\n#types,time,tag,float,integer,string\ntime,host,load,n,s\n\
                    1970-01-01T00:00:00Z,\"a b\",0.25,,\"say \"\"hi\"\"\"\n1970-01-01T00:00:01.5Z,\"a b\",,,\"\"\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn a_row_group_that_is_full_is_written_and_the_series_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let rows = (0..150_000).map(|at| (at, vec![Some(Value::Integer(at))])).collect();
    let data = Data {
        measurement: "m".to_owned(),
        tags: vec!["t".to_owned()],
        fields: vec![("v".to_owned(), FieldType::Integer)],
        series: vec![OneSeries { tags: vec![Some("a".to_owned())], rows }],
    };
    data.write(Box::new(ParquetWriter::new(output(&path), data.table()).unwrap()));
    let read = read_parquet(&path, &Mapping::default());
    assert_eq!((read.lines, read.points.len()), (150_000, 150_000));
    assert_eq!(formats::ParquetReader::open(&path, &Mapping::default()).unwrap().groups(), 2);
}

#[test]
fn rows_that_do_not_fit_the_table_are_refused() {
    let table = || Table::new("m".to_owned(), vec!["t".to_owned()], vec![("v".to_owned(), FieldType::Float)]);
    let output = || Output::new(Box::new(std::io::sink()), Packing::Plain).unwrap();
    let mut writer = CsvWriter::new(output(), table(), CsvTimes::Rfc3339);
    let key = |text: &'static str| SeriesKey::parse(text.as_bytes()).unwrap();
    let fields = [("v", FieldType::Float)];
    assert_eq!(writer.series(key("x"), &fields).unwrap_err().to_string(), "series x is not of measurement m");
    assert_eq!(writer.series(key("m,u=1"), &fields).unwrap_err().to_string(), "the table has no tag `u`");
    let wrong = writer.series(key("m"), &[("v", FieldType::Integer)]).unwrap_err();
    assert_eq!(wrong.to_string(), "the table has no field `v` of type integer");
    writer.series(key("m"), &fields).unwrap();
    let column: Vec<Option<FieldValue<'_>>> = vec![Some(FieldValue::Boolean(true))];
    let wrong = writer.rows(&[TimestampNs(0)], &[&column]).unwrap_err();
    assert_eq!(wrong.to_string(), "a value of type boolean stands in a column of type float");
}
