//! Files that are damaged or cut off.

use std::io::Write;

use formats::{Blocks, Error, Framing, LineOptions, LineReader, Mapping, ParquetReader, open};

/// Texts that hardly compress.
fn text() -> String {
    let line = |at: u64| format!("m,t={} v={} {at}\n", at % 7, at.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..50_000).map(line).collect()
}

#[test]
fn of_a_gzip_file_that_is_cut_off_everything_before_is_read_and_then_it_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lp.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text().as_bytes()).unwrap();
    let stored = encoder.finish().unwrap();
    std::fs::write(&path, &stored[..stored.len() / 2]).unwrap();
    let reader = LineReader::new(LineOptions::default());
    let (mut lines, mut error) = (0, None);
    for block in Blocks::new(open(&path).unwrap(), Framing::Lines).with_sizes(1 << 16, 1 << 20) {
        match block {
            Ok(block) => {
                let out = reader.convert(&block);
                assert!(out.rejects.is_empty());
                lines += out.lines.len();
            }
            Err(e) => error = Some(e),
        }
    }
    assert!(lines > 20_000, "{lines}");
    let Some(Error::Read { offset, .. }) = error else { panic!("{error:?}") };
    assert!(offset > 1 << 19, "{offset}");
}

#[test]
fn a_damaged_zstandard_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lp.zst");
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(text().as_bytes()).unwrap();
    let mut stored = encoder.finish().unwrap();
    let middle = stored.len() / 2;
    stored[middle..middle + 64].fill(0xff);
    std::fs::write(&path, &stored).unwrap();
    assert!(Blocks::new(open(&path).unwrap(), Framing::Lines).any(|block| block.is_err()));
}

#[test]
fn what_is_no_parquet_file_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    for content in [&b""[..], b"PAR1", b"PAR1 something PAR1", b"PAR1\xff\xff\xff\x7fPAR1"] {
        std::fs::write(&path, content).unwrap();
        let error = ParquetReader::open(&path, &Mapping::default()).err().unwrap();
        assert!(error.to_string().starts_with("the Parquet file cannot be read: "), "{error}");
    }
}
