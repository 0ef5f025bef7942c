//! DuckDB reads what we write, and its sums are ours.

use std::collections::BTreeMap;

use model::FieldType;
use serde_json::Value as Json;

use crate::support::{DAY, DAY_NS, Plant, Value};
use crate::tools::script;

/// Type, number of values and sum of each column, and the number of rows, as DuckDB has them.
fn sums(files: &str) -> Option<(i64, BTreeMap<String, [String; 3]>)> {
    let output = script("sums.py")?.arg(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Json = serde_json::from_slice(&output.stdout).unwrap();
    let columns = json["columns"].as_object().unwrap().iter().map(|(name, column)| {
        let of = |key: &str| column[key].as_str().map_or_else(|| column[key].to_string(), str::to_owned);
        (name.clone(), ["type", "count", "sum"].map(of))
    });
    Some((json["rows"].as_i64().unwrap(), columns.collect()))
}

fn strings(of: [&str; 3]) -> [String; 3] {
    of.map(str::to_owned)
}

#[test]
fn duckdb_has_the_same_sums() {
    let mut plant = Plant::new();
    let bucket = plant.bucket("plant", "autogen");
    // Sums of small integers and halves are exact in any order.
    let n = 5000i64;
    let value = |kind: FieldType, i: i64| match kind {
        FieldType::Float => Value::Float((i as f64 / 2.0).to_bits()),
        FieldType::Integer => Value::Integer(if i == 0 { i64::MIN } else { i }),
        FieldType::Unsigned => Value::Unsigned(if i == 0 { u64::MAX } else { i.unsigned_abs() }),
        FieldType::Boolean => Value::Boolean(i % 2 == 0),
        FieldType::String => Value::Text("停机".repeat(i as usize % 3)),
    };
    for kind in FieldType::ALL {
        for (unit, step) in [("1", 1), ("2", 2)] {
            // The second series has a tag that is named like a field.
            let key = if unit == "1" { "pcs,unit=1" } else { "pcs,Float=站,unit=2" };
            let column = plant.column(bucket, key.as_bytes(), &kind.to_string(), kind);
            let points: Vec<_> = (0..n).step_by(step).map(|i| (DAY + i * DAY_NS / n, value(kind, i))).collect();
            plant.put(column, &points);
        }
    }
    plant.run();
    let Some((rows, columns)) = sums(plant.file("2026-11-20").to_str().unwrap()) else { return };
    let (all, even) = (n * (n - 1) / 2, n / 2 * (n / 2 - 1));
    let expected = |name: &str| match name {
        "float_field" => strings(["DOUBLE", "7500", &format!("{:.1}", (all + even) as f64 / 2.0)]),
        "integer" => strings(["BIGINT", "7500", &(i128::from(i64::MIN) * 2 + i128::from(all + even)).to_string()]),
        "unsigned" => strings(["UBIGINT", "7500", &(i128::from(u64::MAX) * 2 + i128::from(all + even)).to_string()]),
        "boolean" => strings(["BOOLEAN", "7500", &n.to_string()]),
        "string" => {
            let length = |step: usize| (0..n).step_by(step).map(|i| 2 * (i % 3)).sum::<i64>();
            strings(["VARCHAR", "7500", &(length(1) + length(2)).to_string()])
        }
        "unit" => strings(["VARCHAR", "7500", "7500"]),
        "Float" => strings(["VARCHAR", "2500", "2500"]),
        "time" => {
            let sum = |step: usize| (0..n).step_by(step).map(|i| i128::from(DAY + i * DAY_NS / n)).sum::<i128>();
            // Older versions say TIMESTAMP WITH TIME ZONE, and round to microseconds.
            strings(["TIMESTAMPTZ_NS", "7500", &(sum(1) + sum(2)).to_string()])
        }
        other => panic!("a column {other}"),
    };
    assert_eq!(rows, 7500);
    assert_eq!(columns.len(), 8);
    for (name, found) in &columns {
        assert_eq!(*found, expected(name), "{name}");
    }
}

#[test]
fn duckdb_reads_all_days_of_a_measurement_at_once() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY - DAY_NS, 1.0), (DAY, 2.0), (DAY + 1, 4.0)]);
    let bucket = plant.bucket("plant", "autogen");
    let late = plant.column(bucket, b"pcs,unit=1", "soc", FieldType::Float);
    plant.put(late, &[(DAY + 1, Value::Float(8.0f64.to_bits()))]);
    plant.run();
    let Some((rows, columns)) = sums(plant.file("*").to_str().unwrap()) else { return };
    assert_eq!(rows, 3);
    assert_eq!(columns["power"], strings(["DOUBLE", "3", "7.0"]));
    assert_eq!(columns["soc"], strings(["DOUBLE", "1", "8.0"]));
}
