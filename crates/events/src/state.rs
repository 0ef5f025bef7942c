//! The saved state of a detector.
//!
//! ```text
//! file   = "HEVT" | version:u16 | fingerprint of the rules:u64 | columns:u32 | column* | crc32c of all before:u32
//! column = key:u32 | rule:u32 | node id (len:u32, text) | last | last threshold | standing:i8 | abnormal since:i64 | next status:i64
//!        | next invented:i64 | judged:u8 | judge if judged
//! judge  = above:f64 | below:f64 | unusual:u8 | mean:f64 | squares:f64 | next:u32 | values (len:u32, f64*)
//! last, last threshold = 0:u8, or 1:u8 | time:i64
//! ```
//! Integers and floats are little-endian. Columns ascend by their keys.

use model::TimestampNs;

use crate::anomaly::{Judge, JudgeParts};
use crate::column::{Column, State};
use crate::columns::Columns;
use crate::error::LoadError;
use crate::rules::{Rules, Watch};
use crate::thresholds::Standing;
use crate::window::Parts;

const MAGIC: [u8; 4] = *b"HEVT";
const VERSION: u16 = 1;
const CRC_LEN: usize = 4;

/// The state as bytes.
pub(crate) fn encode(fingerprint: u64, columns: &Columns) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.put(&MAGIC);
    out.put(&VERSION.to_le_bytes());
    out.put(&fingerprint.to_le_bytes());
    out.count(columns.len());
    for (key, column) in columns.sorted() {
        out.put(&key.to_le_bytes());
        put_column(&mut out, column);
    }
    let crc = crc32c::crc32c(&out.0);
    out.put(&crc.to_le_bytes());
    out.0
}

/// The columns of a state.
///
/// # Errors
/// It is damaged, of another version, or of other rules.
pub(crate) fn decode(rules: &Rules, saved: &[u8]) -> Result<Columns, LoadError> {
    let split = saved.len().checked_sub(CRC_LEN).and_then(|at| saved.split_at_checked(at));
    let (body, crc) = split.ok_or(LoadError::Damaged)?;
    if crc32c::crc32c(body).to_le_bytes() != *crc {
        return Err(LoadError::Damaged);
    }
    let mut input = Reader(body);
    if input.take::<4>() != Some(MAGIC) {
        return Err(LoadError::Damaged);
    }
    let version = input.take().map(u16::from_le_bytes).ok_or(LoadError::Damaged)?;
    if version != VERSION {
        return Err(LoadError::Version(version));
    }
    if input.take().map(u64::from_le_bytes).ok_or(LoadError::Damaged)? != rules.fingerprint() {
        return Err(LoadError::OtherRules);
    }
    let columns = columns(rules, &mut input).ok_or(LoadError::Damaged)?;
    if input.0.is_empty() { Ok(columns) } else { Err(LoadError::Damaged) }
}

fn put_column(out: &mut Writer, column: &Column) {
    let Column { watch, state, .. } = column;
    out.put(&watch.rule().index.to_le_bytes());
    out.count(watch.node_id().len());
    out.put(watch.node_id().as_bytes());
    out.maybe_time(state.last);
    out.maybe_time(state.last_threshold);
    out.put(&state.standing.code().to_le_bytes());
    for time in [state.abnormal_since, state.next_status, state.next_demo] {
        out.put(&time.0.to_le_bytes());
    }
    out.flag(state.judge.is_some());
    if let Some(judge) = &state.judge {
        put_judge(out, &judge.parts());
    }
}

fn put_judge(out: &mut Writer, judge: &JudgeParts<'_>) {
    out.float(judge.above);
    out.float(judge.below);
    out.flag(judge.is_unusual);
    out.float(judge.window.mean);
    out.float(judge.window.squares);
    out.count(judge.window.next);
    out.count(judge.window.ring.len());
    for &value in judge.window.ring {
        out.float(value);
    }
}

fn columns(rules: &Rules, input: &mut Reader<'_>) -> Option<Columns> {
    let count = input.count()?;
    let mut columns = Columns::default();
    for _ in 0..count {
        let key = u32::from_le_bytes(input.take()?);
        let column = column(rules, input)?;
        // It may have been saved when more columns were allowed: the limit is no part of the fingerprint.
        if columns.len() < rules.max_columns() {
            columns.insert(key, column);
        }
    }
    Some(columns)
}

fn column(rules: &Rules, input: &mut Reader<'_>) -> Option<Column> {
    let rule = u32::from_le_bytes(input.take()?);
    let len = input.count()?;
    let watch = rules.restore_watch(rule, std::str::from_utf8(input.bytes(len)?).ok()?)?;
    let state = State {
        last: input.maybe_time()?,
        last_threshold: input.maybe_time()?,
        standing: Standing::from_code(i8::from_le_bytes(input.take()?))?,
        abnormal_since: input.time()?,
        next_status: input.time()?,
        next_demo: input.time()?,
        judge: if input.flag()? { Some(judge(&watch, input)?) } else { None },
    };
    (state.judge.is_some() == watch.rule().anomalies.is_some()).then(|| Column::resume(watch, state))
}

fn judge(watch: &Watch, input: &mut Reader<'_>) -> Option<Judge> {
    let settings = watch.rule().anomalies.as_ref()?;
    let (above, below, is_unusual) = (input.float()?, input.float()?, input.flag()?);
    let (mean, squares, next, len) = (input.float()?, input.float()?, input.count()?, input.count()?);
    let raw = input.bytes(len.checked_mul(size_of::<f64>())?)?;
    let (values, _) = raw.as_chunks();
    let ring: Vec<f64> = values.iter().map(|value| f64::from_le_bytes(*value)).collect();
    Judge::restore(
        settings,
        &JudgeParts { window: Parts { ring: &ring, next, mean, squares }, above, below, is_unusual },
    )
}

struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A number of things in memory, of which there are fewer than 2^32 by the limits of the configuration and of names.
    fn count(&mut self, count: usize) {
        debug_assert!(u32::try_from(count).is_ok());
        self.put(&(count as u32).to_le_bytes());
    }

    fn float(&mut self, value: f64) {
        self.put(&value.to_bits().to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.put(&[u8::from(flag)]);
    }

    fn maybe_time(&mut self, time: Option<TimestampNs>) {
        self.flag(time.is_some());
        if let Some(time) = time {
            self.put(&time.0.to_le_bytes());
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take()?)).ok()
    }

    fn float(&mut self) -> Option<f64> {
        self.take().map(|bits| f64::from_bits(u64::from_le_bytes(bits)))
    }

    fn flag(&mut self) -> Option<bool> {
        match self.take()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn time(&mut self) -> Option<TimestampNs> {
        self.take().map(i64::from_le_bytes).map(TimestampNs)
    }

    fn maybe_time(&mut self) -> Option<Option<TimestampNs>> {
        if self.flag()? { self.time().map(Some) } else { Some(None) }
    }
}
