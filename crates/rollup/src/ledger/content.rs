//! What a ledger file says: the marks of all tasks at one moment, and how they become bytes.

use std::io;
use std::sync::Arc;

use model::wire::{Cursor, WireError, put_varint};
use model::{TimeRange, TimestampNs};
use roaring::RoaringBitmap;

use super::marks::Marks;
use super::{Columns, Marked, What};

const WINDOW: u8 = 0;
const STRETCH: u8 = 1;

const ALL: u8 = 0;
const SET: u8 = 1;
const SET_BEFORE: u8 = 2;

/// The marks of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StoredTask {
    pub(super) name: String,
    pub(super) fingerprint: String,
    pub(super) marks: Vec<Stored>,
}

/// A mark; what is in work is one like any other.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stored {
    Window(Marked),
    Stretch(Marked),
}

impl StoredTask {
    /// Quick, since sets of columns are shared with the marks.
    pub(super) fn of(name: &str, fingerprint: &str, marks: &Marks) -> Self {
        let windows = marks.windows.iter().map(|(start, window)| {
            let range = TimeRange::new(*start, window.end);
            Stored::Window(Marked { range, columns: window.columns.clone() })
        });
        let stretches = marks.ranges.iter().cloned().map(Stored::Stretch);
        let in_work = marks.in_work.values().flat_map(|what| {
            let kind = if matches!(what, What::Range(_)) { Stored::Stretch } else { Stored::Window };
            what.marked().iter().cloned().map(kind)
        });
        let marks = windows.chain(stretches).chain(in_work).collect();
        Self { name: name.to_owned(), fingerprint: fingerprint.to_owned(), marks }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> io::Result<()> {
        put_text(out, &self.name);
        put_text(out, &self.fingerprint);
        put_varint(out, self.marks.len() as u64);
        let mut last = None;
        for mark in &self.marks {
            let (kind, mark) = mark.kind();
            out.push(kind);
            out.extend_from_slice(&mark.range.start.0.to_le_bytes());
            out.extend_from_slice(&mark.range.end.0.to_le_bytes());
            encode_columns(&mark.columns, &mut last, out)?;
        }
        Ok(())
    }

    pub(super) fn decode(r: &mut Cursor<'_>) -> Result<Self, WireError> {
        let (name, fingerprint) = (take_text(r)?, take_text(r)?);
        let mut marks = Vec::new();
        let mut last = None;
        for _ in 0..r.varint()? {
            let kind = r.byte()?;
            let start = TimestampNs(i64::from_le_bytes(r.array()?));
            let end = TimestampNs(i64::from_le_bytes(r.array()?));
            let columns = decode_columns(r, &mut last)?;
            marks.push(Stored::new(kind, Marked { range: TimeRange::new(start, end), columns })?);
        }
        Ok(Self { name, fingerprint, marks })
    }
}

impl Stored {
    fn kind(&self) -> (u8, &Marked) {
        match self {
            Self::Window(mark) => (WINDOW, mark),
            Self::Stretch(mark) => (STRETCH, mark),
        }
    }

    fn new(kind: u8, mark: Marked) -> Result<Self, WireError> {
        match kind {
            WINDOW => Ok(Self::Window(mark)),
            STRETCH => Ok(Self::Stretch(mark)),
            _ => Err(WireError::Malformed("kind of a mark")),
        }
    }
}

/// `last` is the set that was written last.
fn encode_columns<'c>(
    columns: &'c Columns,
    last: &mut Option<&'c Arc<RoaringBitmap>>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    match (columns, &last) {
        (Columns::All, _) => out.push(ALL),
        (Columns::Some(set), Some(last)) if Arc::ptr_eq(set, last) || set == *last => out.push(SET_BEFORE),
        (Columns::Some(set), _) => {
            out.push(SET);
            put_varint(out, set.serialized_size() as u64);
            set.serialize_into(out)?;
            *last = Some(set);
        }
    }
    Ok(())
}

fn decode_columns(r: &mut Cursor<'_>, last: &mut Option<Arc<RoaringBitmap>>) -> Result<Columns, WireError> {
    match r.byte()? {
        ALL => return Ok(Columns::All),
        SET => {
            let len = r.varint()? as usize;
            let set =
                RoaringBitmap::deserialize_from(r.take(len)?).map_err(|_| WireError::Malformed("set of columns"))?;
            *last = Some(Arc::new(set));
        }
        SET_BEFORE => {}
        _ => return Err(WireError::Malformed("kind of a set of columns")),
    }
    last.clone().map(Columns::Some).ok_or(WireError::Malformed("no set of columns before"))
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn take_text(r: &mut Cursor<'_>) -> Result<String, WireError> {
    let len = r.varint()? as usize;
    String::from_utf8(r.take(len)?.to_vec()).map_err(|_| WireError::Malformed("text"))
}
