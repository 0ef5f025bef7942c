//! Columns of integers.
//!
//! ```text
//! 0 constant | value:zigzag
//! 1 linear   | first:zigzag | step:zigzag
//! 2 deltas   | zigzag of each value minus the one before (first: minus 0)
//! 3 runs     | (length:varint | zigzag of the value minus that of the run before)*
//! 4 pco      | standalone pco of the values (https://github.com/pcodec/pcodec, format 4)
//! ```

use model::wire::{Cursor, put_varint, put_zigzag};
use pco::data_types::Number;
use pco::standalone::{simple_compress_into, simple_decompress_into};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::{DecodeError, Effort};

const CONSTANT: u8 = 0;
const LINEAR: u8 = 1;
const DELTAS: u8 = 2;
const RUNS: u8 = 3;
const PCO: u8 = 4;

/// Above this share of changes (one in so many values) runs are not tried.
const RUNS_FROM: usize = 8;
/// Level at which the tables of pco are small enough for chunks of one or two thousand values.
const PCO_LEVEL: usize = 4;
/// pco unpacks whole batches of so many values.
const PCO_BATCH: usize = 256;
/// Below so many values pco's header outweighs what it saves.
const PCO_FROM: usize = 64;

/// Appends the encoded values.
pub(super) fn encode(values: &[i64], effort: Effort, out: &mut Vec<u8>) {
    let Some((&first, rest)) = values.split_first() else { return };
    let changes = values.windows(2).filter(|w| matches!(w, [a, b] if a != b)).count();
    if changes == 0 {
        out.push(CONSTANT);
        return put_zigzag(out, first);
    }
    let step = rest.first().map_or(0, |second| second.wrapping_sub(first));
    if values.windows(2).all(|w| matches!(w, [a, b] if b.wrapping_sub(*a) == step)) {
        out.push(LINEAR);
        put_zigzag(out, first);
        return put_zigzag(out, step);
    }
    if changes < values.len() / RUNS_FROM {
        return put_runs(values, effort, out);
    }
    if effort == Effort::Small && values.len() >= PCO_FROM && put_pco(values, out) {
        return;
    }
    put_deltas(values, out);
}

fn put_deltas(values: &[i64], out: &mut Vec<u8>) {
    out.push(DELTAS);
    let mut last = 0i64;
    for v in values {
        put_zigzag(out, v.wrapping_sub(last));
        last = *v;
    }
}

/// Runs, or pco where that is smaller and effort allows.
fn put_runs(values: &[i64], effort: Effort, out: &mut Vec<u8>) {
    let start = out.len();
    out.push(RUNS);
    let mut last = 0i64;
    for run in values.chunk_by(|a, b| a == b) {
        let Some(&value) = run.first() else { continue };
        put_varint(out, run.len() as u64);
        put_zigzag(out, value.wrapping_sub(last));
        last = value;
    }
    let by_runs = out.len() - start;
    if effort == Effort::Small && values.len() >= PCO_FROM && by_runs > values.len() / 16 {
        let mut packed = Vec::new();
        if put_pco(values, &mut packed) && packed.len() < by_runs {
            out.truncate(start);
            out.extend_from_slice(&packed);
        }
    }
}

/// False, and nothing is appended, when pco refuses (it does not for any input we know of).
fn put_pco(values: &[i64], out: &mut Vec<u8>) -> bool {
    let config = ChunkConfig::default()
        .with_compression_level(PCO_LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::TryConsecutive(1));
    let start = out.len();
    out.push(PCO);
    if simple_compress_into(values, &config, &mut *out).is_ok() {
        return true;
    }
    out.truncate(start);
    false
}

/// The inverse of [`encode`] for `count` values, of which at least the first `needed` are given.
pub(super) fn decode(bytes: &[u8], count: usize, needed: usize) -> Result<Vec<i64>, DecodeError> {
    let Some((&encoding, rest)) = bytes.split_first() else {
        return if count == 0 { Ok(Vec::new()) } else { Err(DecodeError("no bytes".to_owned())) };
    };
    let mut r = Cursor(rest);
    match encoding {
        CONSTANT => Ok(vec![r.zigzag()?; count]),
        LINEAR => decode_linear(&mut r, count),
        DELTAS => decode_deltas(&mut r, count),
        RUNS => decode_runs(&mut r, count),
        PCO => pco_decode(rest, count, needed),
        other => Err(DecodeError(format!("unknown integer encoding {other}"))),
    }
}

fn decode_linear(r: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, DecodeError> {
    let first = r.zigzag()?;
    let step = r.zigzag()?;
    Ok((0..count as i64).map(|i| first.wrapping_add(step.wrapping_mul(i))).collect())
}

fn decode_deltas(r: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, DecodeError> {
    let mut values = Vec::with_capacity(count.min(r.0.len()));
    let mut last = 0i64;
    for _ in 0..count {
        last = last.wrapping_add(r.zigzag()?);
        values.push(last);
    }
    Ok(values)
}

fn decode_runs(r: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, DecodeError> {
    let mut values = Vec::with_capacity(count);
    let mut last = 0i64;
    while values.len() < count {
        let len = r.varint()? as usize;
        last = last.wrapping_add(r.zigzag()?);
        if len == 0 || len > count - values.len() {
            return Err(DecodeError("run is longer than the column".to_owned()));
        }
        values.resize(values.len() + len, last);
    }
    Ok(values)
}

/// Unpacks the first of exactly `count` numbers: at least `needed` of them.
pub(super) fn pco_decode<T: Number + Default>(
    bytes: &[u8],
    count: usize,
    needed: usize,
) -> Result<Vec<T>, DecodeError> {
    let wanted = needed.next_multiple_of(PCO_BATCH).min(count);
    let mut values = vec![T::default(); wanted];
    let progress = simple_decompress_into(bytes, &mut values).map_err(|e| DecodeError(e.to_string()))?;
    if progress.n_processed != wanted || progress.finished != (wanted == count) {
        return Err(DecodeError(format!("{} of {wanted} values, of {count} in all", progress.n_processed)));
    }
    Ok(values)
}
