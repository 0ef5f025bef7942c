//! A key that is polled: how it is read, what it held the last time, and what differs now.

use std::collections::HashSet;

use model::TimestampNs;

use super::table::Table;
use crate::decode::route::{Route, Shape};
use crate::decode::{Decoder, HashField, Notice};
use crate::redis::connection::{Connection, LinkError};
use crate::redis::resp::{Frame, Item};
use crate::sink::Sink;

/// Items of a list that are looked at, from its head, where producers add.
const LIST_WINDOW: &[u8] = b"9999";
/// The hash and its siblings `:ts` and `:raw`.
const SIBLINGS: [&[u8]; 3] = [b"", b":ts", b":raw"];

/// What Redis holds under the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Hash,
    String,
    List,
    /// Something that holds no points, such as a set.
    Other,
}

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Fields that had changed; they were pushed.
    Changed(u64),
    /// A value changed but not yet its time: the producer is between two writes. Nothing was pushed; read again.
    Torn,
    /// The key holds another type than asked for. Read again: the next attempt asks for another one.
    WrongType,
    /// More fields than may be remembered. Nothing was pushed.
    OverLimit,
}

/// Whether a torn read is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It is read again.
    First,
    /// It is taken as it is.
    Again,
}

/// One key and what it held.
pub(crate) struct Key {
    pub(crate) name: Box<[u8]>,
    /// Which of its siblings exist.
    pub(crate) siblings: [bool; 3],
    form: Form,
    /// Forms that were tried and were not it.
    tried: Vec<Form>,
    channel: Option<Box<str>>,
    kind: Option<Box<str>>,
    tables: [Option<Table>; 3],
    text: Option<Box<[u8]>>,
    items: HashSet<Box<[u8]>>,
}

/// What is needed to push what changed.
pub(crate) struct Reading<'r> {
    pub(crate) decoder: &'r mut Decoder,
    pub(crate) sink: &'r mut dyn Sink,
    pub(crate) arrival: TimestampNs,
    pub(crate) attempt: Attempt,
    /// Fields that may still be remembered.
    pub(crate) room: usize,
}

impl Key {
    pub(crate) fn new(name: &[u8], route: &Route) -> Self {
        let single = route.point.is_some() && (route.shape == Shape::Points || route.channel.is_some());
        Self {
            name: name.into(),
            siblings: [true, false, false],
            form: if single { Form::String } else { Form::Hash },
            tried: Vec::new(),
            channel: route.channel.clone(),
            kind: route.kind_tag().map(|kind| kind.tag().into()),
            tables: [None, None, None],
            text: None,
            items: HashSet::new(),
        }
    }

    /// Fields and items remembered.
    pub(crate) fn remembered(&self) -> usize {
        let tables: usize = self.tables.iter().flatten().map(Table::len).sum();
        tables + usize::from(self.text.is_some()) + self.items.len()
    }

    /// True when a notice is about this key.
    pub(crate) fn concerns(&self, notice: &Notice) -> bool {
        let fits = |wanted: &Option<Box<str>>, own: &Option<Box<str>>| wanted.is_none() || wanted == own;
        fits(&notice.channel, &self.channel) && fits(&notice.kind, &self.kind)
    }

    /// Queues the commands that read the key.
    pub(crate) fn ask(&self, connection: &mut Connection) {
        match self.form {
            Form::Hash => {
                for suffix in self.hashes() {
                    connection.queue(&[b"HGETALL", &[&self.name, suffix].concat()]);
                }
            }
            Form::String => connection.queue(&[b"GET", &self.name]),
            Form::List => connection.queue(&[b"LRANGE", &self.name, b"0", LIST_WINDOW]),
            Form::Other => {}
        }
    }

    fn hashes(&self) -> impl Iterator<Item = &'static [u8]> + use<> {
        let siblings = self.siblings;
        SIBLINGS.into_iter().zip(siblings).filter(|(_, exists)| *exists).map(|(suffix, _)| suffix)
    }

    /// Reads the answers to [`Key::ask`] and pushes what changed.
    pub(crate) fn read(&mut self, connection: &mut Connection, mut reading: Reading<'_>) -> Result<Seen, LinkError> {
        match self.form {
            Form::Hash => self.read_hash(connection, &mut reading),
            Form::String => {
                let frame = accepted(connection.reply()?)?;
                Ok(self.read_string(frame, &mut reading))
            }
            Form::List => {
                let frame = accepted(connection.reply()?)?;
                Ok(self.read_list(frame, &mut reading))
            }
            Form::Other => Ok(Seen::Changed(0)),
        }
    }

    fn read_hash(&mut self, connection: &mut Connection, reading: &mut Reading<'_>) -> Result<Seen, LinkError> {
        let mut fresh = [None, None, None];
        let mut wrong = false;
        for ((slot, known), _) in fresh.iter_mut().zip(&self.tables).zip(self.siblings).filter(|(_, exists)| *exists) {
            let frame = accepted(connection.reply()?)?;
            if known.as_ref().is_some_and(|known| known.is_same(frame)) {
                continue;
            }
            *slot = Table::read(frame);
            wrong |= slot.is_none();
        }
        if wrong {
            return Ok(self.try_next());
        }
        let limit = self.remembered() + reading.room;
        if fresh.iter().flatten().map(Table::len).sum::<usize>() > limit {
            return Ok(Seen::OverLimit);
        }
        if fresh.iter().all(Option::is_none) {
            return Ok(Seen::Changed(0));
        }
        Ok(self.compare(fresh, reading))
    }

    /// Pushes the fields of which the value, the time or the raw value is another one than before.
    fn compare(&mut self, mut fresh: [Option<Table>; 3], reading: &mut Reading<'_>) -> Seen {
        let changes = changed_fields(&self.tables, &fresh);
        if reading.attempt == Attempt::First && changes.iter().any(|change| change.torn) {
            return Seen::Torn;
        }
        let [values, times, raws] = newest(&self.tables, &fresh);
        let hash_time =
            values.and_then(|values| values.iter().find_map(|(name, value)| reading.decoder.hash_time(name, value)));
        for &Change { position, name, value, torn } in &changes {
            // A new value that still has the time of the old one is stored at its arrival: it must not replace the old value.
            let time = times.filter(|_| !torn).and_then(|times| times.get(name, position));
            let raw = raws.and_then(|raws| raws.get(name, position));
            let field = HashField { name, value, time, raw };
            reading.decoder.hash_field(&self.name, field, hash_time, reading.arrival, reading.sink);
        }
        let count = changes.len() as u64;
        drop(changes);
        for (known, fresh) in self.tables.iter_mut().zip(&mut fresh) {
            if fresh.is_some() {
                *known = fresh.take();
            }
        }
        Seen::Changed(count)
    }

    fn read_string(&mut self, frame: Frame<'_>, reading: &mut Reading<'_>) -> Seen {
        let text = match frame.root() {
            Item::Bulk(text) => text,
            Item::Nil => {
                self.text = None;
                return Seen::Changed(0);
            }
            _ => return self.try_next(),
        };
        if self.text.as_deref() == Some(text) {
            return Seen::Changed(0);
        }
        if reading.room == 0 && self.text.is_none() {
            return Seen::OverLimit;
        }
        reading.decoder.message(&self.name, text, reading.arrival, reading.sink);
        self.text = Some(text.into());
        Seen::Changed(1)
    }

    /// Pushes the items that were not there the last time. Equal items are one: they name the same point and time.
    fn read_list(&mut self, frame: Frame<'_>, reading: &mut Reading<'_>) -> Seen {
        let Item::Array(len) = frame.root() else { return self.try_next() };
        if len > self.remembered() + reading.room {
            return Seen::OverLimit;
        }
        let mut changed = 0;
        let mut items = HashSet::with_capacity(len);
        for item in frame.items().skip(1).filter_map(Item::bytes) {
            match self.items.take(item) {
                Some(known) => {
                    items.insert(known);
                }
                None if items.insert(item.into()) => {
                    reading.decoder.message(&self.name, item, reading.arrival, reading.sink);
                    changed += 1;
                }
                None => {}
            }
        }
        self.items = items;
        Seen::Changed(changed)
    }

    /// The key holds another type: the next one is tried, each once.
    fn try_next(&mut self) -> Seen {
        self.tried.push(self.form);
        let untried = |form: &Form| !self.tried.contains(form);
        self.form = [Form::Hash, Form::String, Form::List].into_iter().find(untried).unwrap_or(Form::Other);
        Seen::WrongType
    }
}

/// Lets pass what only concerns this key: it is of another type, or we may not read it. Anything else, such as `LOADING`, ends
/// the poll.
fn accepted(frame: Frame<'_>) -> Result<Frame<'_>, LinkError> {
    match frame.root() {
        Item::Error(message) if !message.starts_with(b"WRONGTYPE") && !message.starts_with(b"NOPERM") => {
            Err(LinkError::Refused { command: "a read", message: String::from_utf8_lossy(message).into_owned() })
        }
        _ => Ok(frame),
    }
}

/// One field that changed.
struct Change<'t> {
    position: usize,
    name: &'t [u8],
    value: &'t [u8],
    /// Its value changed while its time stayed.
    torn: bool,
}

fn newest<'t>(known: &'t [Option<Table>; 3], fresh: &'t [Option<Table>; 3]) -> [Option<&'t Table>; 3] {
    let [known_values, known_times, known_raws] = known;
    let [values, times, raws] = fresh;
    [
        values.as_ref().or(known_values.as_ref()),
        times.as_ref().or(known_times.as_ref()),
        raws.as_ref().or(known_raws.as_ref()),
    ]
}

/// The fields of which value, time or raw value differ; names beginning with `_` are no points.
fn changed_fields<'t>(known: &'t [Option<Table>; 3], fresh: &'t [Option<Table>; 3]) -> Vec<Change<'t>> {
    let [values, times, raws] = newest(known, fresh);
    let [known_values, known_times, known_raws] = known;
    let differs = |new: Option<&Table>, old: &Option<Table>, name: &[u8], i: usize| {
        new.and_then(|table| table.get(name, i)) != old.as_ref().and_then(|table| table.get(name, i))
    };
    let mut changes = Vec::new();
    let fields = values.into_iter().flat_map(Table::iter).enumerate();
    for (position, (name, value)) in fields.filter(|(_, (name, _))| !name.starts_with(b"_")) {
        let old = known_values.as_ref().and_then(|table| table.get(name, position));
        let time_differs = differs(times, known_times, name, position);
        if old == Some(value) && !time_differs && !differs(raws, known_raws, name, position) {
            continue;
        }
        let timed = times.is_some_and(|times| times.get(name, position).is_some());
        let torn = timed && !time_differs && old.is_some_and(|old| old != value);
        changes.push(Change { position, name, value, torn });
    }
    changes
}
