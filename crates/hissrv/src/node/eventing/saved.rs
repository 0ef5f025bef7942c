//! The lane's state on disk, replaced as a whole: with it the lane goes on after exactly the record that it had read.
//!
//! ```text
//! file = "HEVL" | version:u16 | position:u64 | reach:u64 | length:u64 | detector[length] | events that wait, as line protocol | crc32c of all before:u32
//! ```
//! Integers are little-endian.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::events::{Event, EventId, Level, MEASUREMENT, Source};
use model::line::{Line, LineParser};
use model::{FieldValue, Precision, Seq};
use vfs::{Fs, replace_durably};

const MAGIC: [u8; 4] = *b"HEVL";
const VERSION: u16 = 2;
const CRC_LEN: usize = 4;

/// The file.
pub(super) struct Saved {
    fs: Arc<dyn Fs>,
    path: PathBuf,
}

/// What it says.
#[derive(Debug, PartialEq)]
pub(super) struct State {
    /// The record that was looked at last.
    pub(super) position: Seq,
    /// The one that was read last; those between were passed over, and owe their events.
    pub(super) reach: Seq,
    /// The detector as it saved itself.
    pub(super) detector: Vec<u8>,
    /// Events that were not written yet.
    pub(super) waiting: Vec<Event>,
}

impl Saved {
    pub(super) fn new(fs: Arc<dyn Fs>, path: PathBuf) -> Self {
        Self { fs, path }
    }

    /// The state; `None` where there is none, or it is damaged, which is said in the log.
    pub(super) fn load(&self) -> io::Result<Option<State>> {
        if !self.fs.exists(&self.path) {
            return Ok(None);
        }
        let state = decode(&self.fs.read(&self.path)?);
        if state.is_none() {
            tracing::warn!(path = %self.path.display(), "the saved state of the events is damaged; they begin anew");
        }
        Ok(state)
    }

    /// Replaces it, durably.
    pub(super) fn store(&self, state: &State) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            self.fs.create_dir_all(folder)?;
        }
        replace_durably(&*self.fs, &self.path, &encode(state))
    }

    /// Removes it; fine where there is none.
    pub(super) fn forget(&self) -> io::Result<()> {
        if !self.fs.exists(&self.path) {
            return Ok(());
        }
        self.fs.remove(&self.path)?;
        self.fs.sync_dir(self.path.parent().unwrap_or(Path::new(".")))
    }
}

/// Looks at the file without changing anything: a sentence if it is damaged.
pub(crate) fn verify(fs: &dyn Fs, path: &Path) -> io::Result<Option<String>> {
    if !fs.exists(path) {
        return Ok(None);
    }
    Ok(decode(&fs.read(path)?).is_none().then(|| format!("{}: damaged", path.display())))
}

fn encode(state: &State) -> Vec<u8> {
    let mut out = Vec::with_capacity(state.detector.len() + 64);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&state.position.0.to_le_bytes());
    out.extend_from_slice(&state.reach.0.to_le_bytes());
    out.extend_from_slice(&(state.detector.len() as u64).to_le_bytes());
    out.extend_from_slice(&state.detector);
    state.waiting.iter().for_each(|event| event.write_line(&mut out));
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

fn decode(bytes: &[u8]) -> Option<State> {
    let (body, crc) = bytes.split_at_checked(bytes.len().checked_sub(CRC_LEN)?)?;
    if crc32c::crc32c(body).to_le_bytes() != *crc {
        return None;
    }
    let (magic, rest) = body.split_first_chunk()?;
    let (version, rest) = rest.split_first_chunk()?;
    let (position, rest) = rest.split_first_chunk()?;
    let (reach, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    if *magic != MAGIC || u16::from_le_bytes(*version) != VERSION {
        return None;
    }
    let (detector, lines) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some(State {
        position: Seq(u64::from_le_bytes(*position)),
        reach: Seq(u64::from_le_bytes(*reach)),
        detector: detector.to_vec(),
        waiting: events_of(lines)?,
    })
}

/// The events of lines that they wrote themselves; `None` when one cannot be read.
fn events_of(lines: &[u8]) -> Option<Vec<Event>> {
    let mut parser = LineParser::new(lines);
    let mut events = Vec::new();
    while let Some(line) = parser.next_line() {
        events.push(event_of(&line.ok()?)?);
    }
    Some(events)
}

fn event_of(line: &Line<'_, '_>) -> Option<Event> {
    let key = model::key::SeriesKey::parse(line.series).ok()?;
    let tag = |name| key.tag(name).map(std::borrow::Cow::into_owned);
    let (level, source) = (tag("level")?, tag("source")?);
    let mut event = Event {
        id: EventId(0),
        time: Precision::Nanosecond.to_instant(line.time?)?,
        node_id: tag("node_id")?,
        node_type: tag("node_type")?,
        metric: tag("metric")?,
        level: *Level::ALL.iter().find(|known| known.as_str() == level)?,
        source: *Source::ALL.iter().find(|known| known.as_str() == source)?,
        message: String::new(),
        value: None,
        threshold: None,
        duration: None,
    };
    for field in line.fields {
        match (field.key.as_ref(), field.value.as_field_value()) {
            ("message", FieldValue::String(text)) => text.clone_into(&mut event.message),
            ("value", FieldValue::Float(value)) => event.value = Some(value),
            ("threshold", FieldValue::Float(value)) => event.threshold = Some(value),
            ("duration_s", FieldValue::Float(value)) => event.duration = Some(value),
            _ => {}
        }
    }
    event.id = event.identity().id();
    (key.measurement() == MEASUREMENT).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;

    fn event() -> Event {
        let mut event = Event {
            id: EventId(0),
            time: TimestampNs(1_700_000_000_000_000_001),
            node_id: "1001:m:a b".to_owned(),
            node_type: "EMS".to_owned(),
            metric: "voltage".to_owned(),
            level: Level::Critical,
            source: Source::Threshold,
            message: "电压 \"过高\" \\ 100%".to_owned(),
            value: Some(0.1 + 0.2),
            threshold: None,
            duration: Some(1e300),
        };
        event.id = event.identity().id();
        event
    }

    #[test]
    fn a_state_comes_back_as_it_was_with_the_events_that_wait() {
        let state =
            State { position: Seq(77), reach: Seq(99), detector: vec![1, 2, 3], waiting: vec![event(), event()] };
        assert_eq!(decode(&encode(&state)), Some(state));
        let empty = State { position: Seq(0), reach: Seq(0), detector: Vec::new(), waiting: Vec::new() };
        assert_eq!(decode(&encode(&empty)), Some(empty));
    }

    #[test]
    fn any_damage_is_seen() {
        let bytes = encode(&State { position: Seq(1), reach: Seq(1), detector: vec![9; 20], waiting: vec![event()] });
        for place in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[place] ^= 16;
            assert_eq!(decode(&wrong), None, "byte {place}");
            assert_eq!(decode(&bytes[..place]), None);
        }
    }
}
