//! What is archived and restored is what was stored, bit for bit.

use std::ops::ControlFlow;

use archive::restore_file;
use model::FieldType;
use proptest::prelude::*;
use vfs::RealFs;

use crate::support::{DAY, DAY_NS, GO, Plant, Points, Value, id_of};

#[test]
fn every_type_comes_back_with_its_extremes() {
    let mut plant = Plant::new();
    let bucket = plant.bucket("plant", "autogen");
    let float = |v: f64| Value::Float(v.to_bits());
    let text = |v: &str| Value::Text(v.to_owned());
    let columns: [(FieldType, Vec<Value>); 5] = [
        (FieldType::Float, [f64::MAX, f64::MIN_POSITIVE, -0.0, 0.1, f64::MIN, 5e-324].map(float).to_vec()),
        (FieldType::Integer, [i64::MIN, i64::MAX, 0, -1, i64::MAX, i64::MIN].map(Value::Integer).to_vec()),
        (FieldType::Unsigned, [u64::MAX, 0, 1 << 63, 1, u64::MAX, 7].map(Value::Unsigned).to_vec()),
        (FieldType::Boolean, [true, false, false, true, true, false].map(Value::Boolean).to_vec()),
        (FieldType::String, ["", "停机", "a\nb\0\"", " ", "🔋", "\\"].map(text).to_vec()),
    ];
    for (kind, values) in columns {
        let key = format!("设备,unit={},站=一号", if kind == FieldType::Float { "b" } else { "a" });
        let column = plant.column(bucket, key.as_bytes(), &kind.to_string(), kind);
        let times = [DAY, DAY + 1, DAY + 3, DAY + 10, DAY + DAY_NS / 2, DAY + DAY_NS - 1];
        plant.put(column, &times.into_iter().zip(values).collect::<Vec<_>>());
    }
    plant.run();
    plant.check();
    assert_eq!(plant.restored().len(), 30);
}

#[test]
fn the_ends_of_time_are_archived() {
    let mut plant = Plant::new();
    plant.put_power(&[(i64::MIN, 1.0), (i64::MIN + 1, 2.0), (-1, 3.0), (0, 4.0)]);
    plant.run();
    plant.check();
    assert_eq!(plant.days(), ["1677-09-21", "1969-12-31", "1970-01-01"]);
}

#[test]
fn a_file_is_read_without_its_manifest() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY + 1, 1.5), (DAY + 2, 2.5)]);
    plant.run();
    let mut points = Points::new();
    let visit = &mut |point: archive::RestoredPoint<'_>| {
        points.insert(id_of(&point), Value::of(point.value));
        ControlFlow::Continue(())
    };
    let total = restore_file(&RealFs, &plant.file("2026-11-20"), &GO, visit).unwrap();
    assert_eq!((total.files, total.rows, total.values), (1, 2, 2));
    assert_eq!(points, plant.stored(plant.today()));
}

#[test]
fn a_restore_ends_when_its_caller_wants() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY + 1, 1.5), (DAY + 2, 2.5), (DAY - DAY_NS, 3.5)]);
    plant.run();
    let mut seen = 0;
    let visit = &mut |_: archive::RestoredPoint<'_>| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let total = plant.archiver.archive().restore(&Default::default(), &GO, visit).unwrap();
    assert_eq!((seen, total.files, total.rows), (2, 2, 2));
}

#[test]
fn many_rows_become_several_row_groups() {
    let mut plant = Plant::new();
    let bucket = plant.bucket("plant", "autogen");
    let [a, b] = ["a", "b"].map(|field| plant.column(bucket, b"pcs,unit=1", field, FieldType::Integer));
    let points: Vec<_> = (0..140_000i64).map(|i| (DAY + i * 400_000_000, Value::Integer(i))).collect();
    points.chunks(20_000).for_each(|some| plant.put(a, some));
    plant.put(b, &points[130_000..130_100]);
    plant.engine.flush().unwrap();
    plant.run();
    let file = plant.list().remove(0);
    assert_eq!((file.rows, file.values, file.series), (140_000, 140_100, 1));
    let (mut next, mut sum) = (0, 0);
    let visit = &mut |point: archive::RestoredPoint<'_>| {
        let Value::Integer(value) = Value::of(point.value) else { panic!("{point:?}") };
        assert_eq!(point.time.0, DAY + value * 400_000_000);
        if point.field == "a" {
            assert_eq!(value, next);
            next += 1;
        } else {
            sum += value;
        }
        ControlFlow::Continue(())
    };
    plant.archiver.archive().restore(&Default::default(), &GO, visit).unwrap();
    assert_eq!((next, sum), (140_000, (130_000..130_100).sum()));
}

fn value(kind: FieldType, seed: i64) -> Value {
    match kind {
        FieldType::Float => Value::Float((seed as f64 / 7.0).to_bits()),
        FieldType::Integer => Value::Integer(seed.wrapping_mul(0x1234_5678_9abc_def1)),
        FieldType::Unsigned => Value::Unsigned(seed.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        FieldType::Boolean => Value::Boolean(seed % 2 == 0),
        FieldType::String => Value::Text(format!("state {}", seed % 5)),
    }
}

const KEYS: [&str; 5] = ["m", "m,a=1", "m,a=1,b=x\\ y", "m,A=2,b=\\,", "n,time_field=µ"];
/// Fields that have the names of tags, of the time, and of each other.
const FIELDS: [(&str, FieldType); 6] = [
    ("a", FieldType::Float),
    ("A", FieldType::Integer),
    ("b", FieldType::String),
    ("time", FieldType::Unsigned),
    ("on", FieldType::Boolean),
    ("温度", FieldType::Float),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn archive_and_restore_are_an_identity(
        rounds in prop::collection::vec(
            prop::collection::vec((0..KEYS.len(), 0..FIELDS.len(), -16i64..16, -50i64..50), 1..50), 1..3),
    ) {
        let mut plant = Plant::new();
        let bucket = plant.bucket("plant", "autogen");
        for points in rounds {
            for (key, field, eighth, seed) in points {
                let (field, kind) = FIELDS[field];
                let column = plant.column(bucket, KEYS[key].as_bytes(), field, kind);
                plant.put(column, &[(DAY + eighth * DAY_NS / 8, value(kind, seed))]);
            }
            plant.run();
            plant.check();
        }
    }
}
