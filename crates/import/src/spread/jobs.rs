//! Files to jobs: parts of text files that are not compressed, anything else as a whole.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use formats::{Compression, CsvReader, Error, Framing, SAMPLE_BYTES, cut_points, open};
use memchr::memchr_iter;

use super::Job;
use crate::checkpoint::Done;
use crate::error::ImportError;
use crate::file::{FileFormat, Layout, check};
use crate::inputs::{Input, Part};

/// Bytes of a job, about.
pub const CHUNK_BYTES: u64 = 64 << 20;
/// Bytes read at a time for counting lines.
const PORTION: usize = 1 << 20;

/// The jobs that files make, each of about `chunk` bytes. Paths become absolute: workers read the same ones. Reads every text file that is cut
/// once, for the numbers of its lines.
///
/// # Errors
/// [`ImportError`]: a file cannot be read, or is a stream.
pub fn cut(inputs: &[Input], layout: &Layout, chunk: u64) -> Result<Vec<Job>, ImportError> {
    let mut parts = Vec::new();
    for input in inputs {
        let failed = |source| ImportError::File { name: input.name.clone(), source };
        let absolute = std::path::absolute(&input.path).map_err(|source| failed(Error::File { op: "find", source }))?;
        let Some(len) = input.len else {
            return Err(ImportError::Input(format!("{}: a stream cannot be spread over workers", input.name)));
        };
        let input = Input { path: absolute, ..input.clone() };
        check(&input, layout).map_err(failed)?;
        match framing(&input, layout).map_err(failed)? {
            Some(framing) if len > chunk => parts.extend(cut_text(&input, len, chunk, &framing).map_err(failed)?),
            _ => parts.push(input),
        }
    }
    Ok((0..).zip(parts).map(|(number, input)| Job { number, input }).collect())
}

/// How the records of a text are told apart; `None` for a file that can be read from its start only.
fn framing(input: &Input, layout: &Layout) -> Result<Option<Framing>, Error> {
    if input.format == FileFormat::Parquet || input.len == Some(0) {
        return Ok(None);
    }
    let mut source = open(&input.path)?;
    if source.compression() != Compression::Plain {
        return Ok(None);
    }
    Ok(Some(match input.format {
        FileFormat::Csv => CsvReader::new(&layout.csv, source.peek(SAMPLE_BYTES)?)?.framing(),
        _ => Framing::Lines,
    }))
}

fn cut_text(input: &Input, len: u64, chunk: u64, framing: &Framing) -> Result<Vec<Input>, Error> {
    let io = |source| Error::File { op: "read", source };
    let mut file = File::open(&input.path).map_err(|source| Error::File { op: "open", source })?;
    let starts = cut_points(&mut file, len, len.div_ceil(chunk.max(1)), framing)?;
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    let ends = starts.iter().skip(1).copied().chain([len]);
    let (mut line, mut parts) = (1, Vec::with_capacity(starts.len()));
    for (&start, end) in starts.iter().zip(ends) {
        parts.push(Input { part: Some(Part { start: Done { offset: start, line }, end }), ..input.clone() });
        line += line_breaks(&mut file, end - start).map_err(io)?;
    }
    Ok(parts)
}

/// Line breaks in the next `len` bytes.
fn line_breaks(file: &mut File, len: u64) -> std::io::Result<u64> {
    let (mut left, mut count, mut buffer) = (len, 0, vec![0; PORTION]);
    while left > 0 {
        let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = file.read(buffer.get_mut(..room).unwrap_or_default())?;
        if read == 0 {
            break;
        }
        count += memchr_iter(b'\n', buffer.get(..read).unwrap_or_default()).count() as u64;
        left -= read as u64;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::find_inputs;

    #[test]
    fn parts_meet_and_know_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lp");
        let text: String = (0..1000).map(|n| format!("m v={n} {n}\n")).collect();
        std::fs::write(&path, &text).unwrap();
        let inputs = find_inputs(&[path.display().to_string()], None).unwrap();
        let jobs = cut(&inputs, &Layout::default(), 1000).unwrap();
        assert_eq!(jobs.len(), text.len().div_ceil(1000));
        let mut end = 0;
        for (job, number) in jobs.iter().zip(0..) {
            let part = job.input.part.unwrap();
            assert_eq!((job.number, part.start.offset), (number, end));
            let before = &text[..end as usize];
            assert_eq!(part.start.line, 1 + before.matches('\n').count() as u64);
            assert!(before.is_empty() || before.ends_with('\n'));
            end = part.end;
        }
        assert_eq!(end, text.len() as u64);
        assert_eq!(cut(&inputs, &Layout::default(), 1 << 20).unwrap()[0].input.part, None);
    }
}
