//! Parquet files of other programs: types and compressions that we do not write.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use formats::{CsvOptions, Layout, Mapping, Measurement, ParquetReader, TimeOptions};
use parquet::basic::Compression;
use parquet::data_type::{
    BoolType, ByteArrayType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::support::{read_csv, read_parquet};

fn mapping() -> Mapping {
    Mapping { measurement: Some(Measurement::Named("m".to_owned())), ..Mapping::default() }
}

/// Writes columns, each with its levels and values, in one row group.
macro_rules! write_file {
    ($path:expr, $schema:expr, $compression:expr, $($kind:ty: $values:expr, $levels:expr;)+) => {{
        let schema = Arc::new(parse_message_type($schema).unwrap());
        let properties = WriterProperties::builder().set_compression($compression).build();
        let mut file = SerializedFileWriter::new(File::create($path).unwrap(), schema, Arc::new(properties)).unwrap();
        let mut group = file.next_row_group().unwrap();
        $({
            let mut column = group.next_column().unwrap().unwrap();
            let levels: Option<&[i16]> = $levels;
            column.typed::<$kind>().write_batch($values, levels, None).unwrap();
            column.close().unwrap();
        })+
        group.close().unwrap();
        file.close().unwrap();
    }};
}

const SCHEMA: &str = "message m {
    OPTIONAL INT64 at (TIMESTAMP(MILLIS,true));
    OPTIONAL BYTE_ARRAY host (STRING);
    OPTIONAL DOUBLE d;
    REQUIRED FLOAT f;
    REQUIRED INT32 i;
    REQUIRED INT32 u (INTEGER(32,false));
    REQUIRED BOOLEAN b;
    REQUIRED INT64 price (DECIMAL(10,2));
    REQUIRED FIXED_LEN_BYTE_ARRAY(2) half (DECIMAL(4,1));
    REQUIRED INT32 day (DATE);
}";

fn write_types(path: &Path, compression: Compression) {
    let texts = ["a", "b"].map(|text| text.as_bytes().to_vec().into());
    write_file!(path, SCHEMA, compression,
        Int64Type: &[1000, 2000], Some(&[1, 1, 0]);
        ByteArrayType: &texts, Some(&[1, 0, 1]);
        DoubleType: &[f64::NAN, 2.5], Some(&[1, 1, 0]);
        FloatType: &[0.5, -1.5, 0.0], None;
        Int32Type: &[-1, 2, 3], None;
        Int32Type: &[-1, 2, 3], None;
        BoolType: &[true, false, true], None;
        Int64Type: &[12_345, -5, 0], None;
        FixedLenByteArrayType: &[vec![0xff, 0xfb], vec![0, 15], vec![0, 0]].map(parquet::data_type::FixedLenByteArray::from), None;
        Int32Type: &[0, 1, 2], None;
    );
}

/// `series field time`, to the value.
fn get<'a>(read: &'a crate::support::Read, series: &str, field: &str, time: i64) -> Option<&'a str> {
    read.points.get(&(series.to_owned(), field.to_owned(), time)).map(String::as_str)
}

#[test]
fn every_flat_type_is_read_in_every_compression_that_is_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let zstd = Compression::ZSTD(parquet::basic::ZstdLevel::default());
    let gzip = Compression::GZIP(parquet::basic::GzipLevel::default());
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, gzip, zstd] {
        write_types(&path, compression);
        let mapping = Mapping { ignore: vec!["day".to_owned()], ..mapping() };
        let read = read_parquet(&path, &mapping);
        let first = |field| get(&read, "m,host=a", field, 1_000_000_000);
        assert_eq!(first("d"), None);
        assert_eq!(first("f"), Some("float 3fe0000000000000"));
        assert_eq!(first("i"), Some("Integer(-1)"));
        assert_eq!(first("u"), Some("Unsigned(4294967295)"));
        assert_eq!(first("b"), Some("Boolean(true)"));
        assert_eq!(first("price"), Some(format!("float {:016x}", 123.45f64.to_bits()).as_str()));
        assert_eq!(first("half"), Some(format!("float {:016x}", (-0.5f64).to_bits()).as_str()));
        assert_eq!(get(&read, "m", "d", 2_000_000_000), Some("float 4004000000000000"));
        assert_eq!(read.rejects.len(), 1);
        assert_eq!((read.rejects[0].line, read.rejects[0].reason.as_str()), (3, "the time is missing"));
        assert!(String::from_utf8_lossy(&read.rejects[0].text).starts_with("host=b, f=0, i=3"));
    }
}

#[test]
fn dates_and_local_times_are_in_the_zone_and_types_can_be_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write_types(&path, Compression::SNAPPY);
    let time =
        TimeOptions { columns: vec!["day".to_owned()], zone: "Asia/Shanghai".to_owned(), ..TimeOptions::default() };
    let fields = ["i:float", "u:string", "b:integer"].map(|field| field.parse().unwrap()).to_vec();
    let mapping = Mapping { time, fields: Some(fields), tags: Some(Vec::new()), ..mapping() };
    let read = read_parquet(&path, &mapping);
    let midnight = -8 * 3_600_000_000_000;
    assert_eq!(get(&read, "m", "i", midnight), Some("float bff0000000000000"));
    assert_eq!(get(&read, "m", "u", midnight), Some("String(\"4294967295\")"));
    assert_eq!(get(&read, "m", "b", midnight), Some("Integer(1)"));
    assert_eq!(read.rejects, []);
}

#[test]
fn the_old_form_of_times_and_plain_numbers_are_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let mut day = Int96::new();
    day.set_data(5, 0, 2_440_588);
    write_file!(&path, "message m { REQUIRED INT96 t; REQUIRED DOUBLE v; }", Compression::SNAPPY,
        Int96Type: &[day], None;
        DoubleType: &[1.0], None;
    );
    assert_eq!(get(&read_parquet(&path, &mapping()), "m", "v", 5), Some("float 3ff0000000000000"));
    write_file!(&path, "message m { REQUIRED DOUBLE v; REQUIRED INT64 t; }", Compression::SNAPPY,
        DoubleType: &[1.0], None;
        Int64Type: &[1_700_000_000_000], None;
    );
    let read = read_parquet(&path, &mapping());
    assert_eq!(get(&read, "m", "v", 1_700_000_000_000_000_000), Some("float 3ff0000000000000"));
    let wide = Mapping { layout: Layout::Tag("point".to_owned()), ..mapping() };
    let read = read_parquet(&path, &wide);
    assert_eq!(get(&read, "m,point=v", "value", 1_700_000_000_000_000_000), Some("float 3ff0000000000000"));
}

#[test]
fn nested_columns_are_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let schema = "message m { REQUIRED INT64 t (TIMESTAMP(NANOS,true)); REQUIRED GROUP g { REQUIRED DOUBLE x; } REQUIRED DOUBLE v; }";
    write_file!(&path, schema, Compression::SNAPPY,
        Int64Type: &[7], None;
        DoubleType: &[1.0], None;
        DoubleType: &[2.0], None;
    );
    let reader = ParquetReader::open(&path, &mapping()).unwrap();
    let expected = [
        "measurement: m",
        "t: time (auto)",
        "v: field v (float)",
        "g.x: left out, since its type is none that points can have",
    ];
    assert_eq!(reader.describe(), expected);
}

/// DuckDB, where the environment of the archive's tests is there.
fn duckdb(statement: &str) -> bool {
    let python: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/archive/bin/python");
    if !python.is_file() {
        eprintln!(
            "SKIPPED: there is no {}: run scripts/install-archive-tools.sh (it needs a package index)",
            python.display()
        );
        return false;
    }
    let script = "import sys, duckdb; duckdb.sql(sys.argv[1])";
    assert!(Command::new(python).args(["-c", script, statement]).status().unwrap().success());
    true
}

#[test]
fn what_duckdb_writes_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed, csv) =
        (folder.path().join("a.parquet"), folder.path().join("b.parquet"), folder.path().join("a.csv"));
    let rows = "SELECT TIMESTAMP '2024-01-01 00:00:00' + INTERVAL (i) MINUTE AS at, 'host' || (i % 3) AS host, i * 0.5::DOUBLE AS v, \
                CASE WHEN i % 2 = 0 THEN i END AS n, i::DECIMAL(9, 1) / 10 AS d FROM range(5000) t(i)";
    let statement = format!(
        "COPY ({rows}) TO '{}' (FORMAT parquet, ROW_GROUP_SIZE 2048); COPY ({rows}) TO '{}' (FORMAT parquet, CODEC lz4_raw); \
         COPY ({rows}) TO '{}' (HEADER)",
        plain.display(),
        packed.display(),
        csv.display()
    );
    if !duckdb(&statement) {
        return;
    }
    let read = read_parquet(&plain, &mapping());
    assert_eq!((read.records, read.lines, read.rejects.len()), (5000, 5000, 0));
    assert_eq!(read.points.len(), 5000 + 2500 + 5000);
    assert_eq!(get(&read, "m,host=host1", "v", 1_704_067_260_000_000_000), Some("float 3fe0000000000000"));
    assert_eq!(get(&read, "m,host=host2", "n", 1_704_067_320_000_000_000), Some("Integer(2)"));
    let error = ParquetReader::open(&packed, &mapping()).err().unwrap().to_string();
    assert!(error.contains("is compressed by LZ4_RAW, which is not read here"), "{error}");
    let as_floats =
        Mapping { fields: Some(["v", "n", "d"].map(|f| format!("{f}:float").parse().unwrap()).to_vec()), ..mapping() };
    let options = CsvOptions { mapping: as_floats.clone(), ..CsvOptions::default() };
    assert_eq!(read_csv(&csv, &options, 10_000).points, read_parquet(&plain, &as_floats).points);
}
