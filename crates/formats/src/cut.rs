//! Places where a file can be cut into parts that are read independently, say on several machines.
//!
//! Whether a line break ends a record depends on the quotes before it, in principle from the start of the file on. But a record is at most
//! [`RECORD_MAX`] long: where there is no quote in so many bytes before a line break, it ends a record for certain. Where there are quotes,
//! the records are followed from the last certain place on, as they are when the file is read: slower, but never a guess.

use std::io::{Read, Seek, SeekFrom};

use memchr::memchr;

use crate::blocks::{BLOCK_BYTES, Blocks, RECORD_MAX};
use crate::error::Error;
use crate::framing::Framing;

/// Record starts that cut the first `len` bytes of an uncompressed file into at most `parts` parts of about equal length: ascending, the first
/// one 0, none of them at the end. Reads 8 MiB for each part where there are no quotes, and all of the file where there are. The first part of a
/// CSV file holds the header.
///
/// # Errors
/// [`Error::File`], [`Error::TooLong`].
pub fn cut_points<F: Read + Seek>(file: &mut F, len: u64, parts: u64, framing: &Framing) -> Result<Vec<u64>, Error> {
    let mut points = vec![0];
    let mut last = 0;
    for part in 1..parts.max(1) {
        let target = (u128::from(len) * u128::from(part) / u128::from(parts)) as u64;
        if target <= last {
            continue;
        }
        last = match quick(file, last, target, framing)? {
            Some(point) => point,
            None => slow(file, last, target, framing)?,
        };
        if last >= len {
            break;
        }
        points.push(last);
    }
    points.dedup();
    Ok(points)
}

/// The record start behind `target`, found without quotes; `None` where there are some.
fn quick<F: Read + Seek>(file: &mut F, last: u64, target: u64, framing: &Framing) -> Result<Option<u64>, Error> {
    let from = last.max(target.saturating_sub(RECORD_MAX as u64));
    // Lines that are passed over at the start of the file may hold anything.
    if from == 0 && matches!(framing, Framing::Csv(csv) if csv.skip_lines > 0) {
        return Ok(None);
    }
    let mut before = Vec::new();
    read(file, from, target - from, &mut before)?;
    if !framing.is_plain(&before) {
        return Ok(None);
    }
    // IMPORTANT: from the byte before the target: the target itself may be a record's start.
    let mut after = Vec::new();
    read(file, target - 1, BLOCK_BYTES as u64, &mut after)?;
    let Some(end) = memchr(b'\n', &after) else { return Ok(None) };
    let is_plain = framing.is_plain(after.get(..end).unwrap_or_default());
    Ok(is_plain.then_some(target + end as u64))
}

/// The same by following the records from `last` on.
fn slow<F: Read + Seek>(file: &mut F, last: u64, target: u64, framing: &Framing) -> Result<u64, Error> {
    seek(file, last)?;
    let mut at = last;
    let blocks = Blocks::resume(file, framing.clone(), last, 1);
    for block in blocks {
        at = block?.end();
        if at >= target {
            break;
        }
    }
    Ok(at)
}

fn seek<F: Seek>(file: &mut F, to: u64) -> Result<(), Error> {
    file.seek(SeekFrom::Start(to)).map(drop).map_err(|source| Error::File { op: "seek in", source })
}

fn read<F: Read + Seek>(file: &mut F, from: u64, len: u64, into: &mut Vec<u8>) -> Result<(), Error> {
    seek(file, from)?;
    file.by_ref().take(len).read_to_end(into).map(drop).map_err(|source| Error::File { op: "read", source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::CsvFraming;
    use std::io::Cursor;

    fn cut(text: &[u8], parts: u64, framing: &Framing) -> Vec<u64> {
        cut_points(&mut Cursor::new(text), text.len() as u64, parts, framing).unwrap()
    }

    #[test]
    fn a_file_without_quotes_is_cut_at_lines() {
        let text = "m v=1 1\n".repeat(1000);
        let points = cut(text.as_bytes(), 4, &Framing::Lines);
        assert_eq!(points, [0, 2000, 4000, 6000]);
        assert_eq!(cut(text.as_bytes(), 1, &Framing::Lines), [0]);
        assert_eq!(cut(b"", 4, &Framing::Lines), [0]);
        assert_eq!(cut(b"m v=1 1", 4, &Framing::Lines), [0]);
    }

    #[test]
    fn a_file_with_quotes_is_cut_at_records_only() {
        // What is inside the quotes looks like records, and there are more line breaks inside than outside.
        let record = format!("1,\"{}\"\n", "2,x\n".repeat(1000));
        let text = record.repeat(1000);
        let framing = Framing::Csv(CsvFraming { delimiter: b',', quote: Some(b'"'), comment: None, skip_lines: 0 });
        let points = cut(text.as_bytes(), 3, &framing);
        assert!(points.len() == 3 && points.iter().all(|at| at % record.len() as u64 == 0), "{points:?}");
    }

    #[test]
    fn the_start_of_a_record_at_the_target_is_taken() {
        let text = "a v=1 1\n".repeat(8);
        assert!(cut(text.as_bytes(), 2, &Framing::Lines).contains(&32));
    }
}
