//! The events of what was imported (`--events`): a sink around another one that notes times and nodes, and what is asked for at the end.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use ::events::Subject;
use anyhow::Context;
use backend::WriteError;
use import::{Sink, SinkSession, Taken};
use model::key::SeriesKey;
use model::line::{Line, LineParser};
use model::{Precision, TimestampNs};
use serde_json::Value;

use crate::cli::{Failure, ImportArgs, TargetName};
use crate::commands::events::together;
use crate::commands::query::encoded;
use crate::commands::target::Target;
use crate::config::Config;

/// Nodes that are noted at most; of more the events of all nodes are made.
const NODES_MAX: usize = 100_000;
/// Series that a worker remembers having noted.
const SERIES_MAX: usize = 1_000_000;

/// What was imported, as far as events are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// First and last time.
    times: Option<(TimestampNs, TimestampNs)>,
    nodes: HashSet<String>,
    /// There are more nodes than are noted.
    is_of_all: bool,
}

impl Seen {
    fn note_time(&mut self, time: TimestampNs) {
        let (first, last) = self.times.unwrap_or((time, time));
        self.times = Some((first.min(time), last.max(time)));
    }

    fn note_node(&mut self, node: String) {
        self.is_of_all |= self.nodes.len() >= NODES_MAX;
        if !self.is_of_all {
            self.nodes.insert(node);
        }
    }

    fn merge(&mut self, other: Self) {
        if let Some((first, last)) = other.times {
            self.note_time(first);
            self.note_time(last);
        }
        other.nodes.into_iter().for_each(|node| self.note_node(node));
        self.is_of_all |= other.is_of_all;
    }
}

/// Another sink, and what went through it.
pub(super) struct Noting<'a> {
    inner: &'a dyn Sink,
    seen: Mutex<Seen>,
}

impl<'a> Noting<'a> {
    pub(super) fn new(inner: &'a dyn Sink) -> Self {
        Self { inner, seen: Mutex::default() }
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sink for Noting<'_> {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(NotingSession { inner: self.inner.session(), seen: &self.seen, known: HashSet::new() })
    }

    fn prepare(&self) -> Result<(), WriteError> {
        self.inner.prepare()
    }
}

struct NotingSession<'a> {
    inner: Box<dyn SinkSession + 'a>,
    seen: &'a Mutex<Seen>,
    /// Hashes of the keys of series that were noted.
    known: HashSet<u64>,
}

impl NotingSession<'_> {
    fn note(&mut self, lines: &[u8]) {
        let (mut parser, mut seen) = (LineParser::new(lines), Seen::default());
        while let Some(line) = parser.next_line() {
            let Ok(line) = line else { continue };
            if self.is_new(&line) {
                note_series(&line, &mut seen);
            }
            if let Some(time) = line.time.and_then(|time| Precision::Nanosecond.to_instant(time)) {
                seen.note_time(time);
            }
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).merge(seen);
    }

    fn is_new(&mut self, line: &Line<'_, '_>) -> bool {
        let mut hasher = DefaultHasher::new();
        line.series.hash(&mut hasher);
        if self.known.len() >= SERIES_MAX {
            self.known.clear();
        }
        self.known.insert(hasher.finish())
    }
}

/// Any field will do: which of them are watched is for whoever makes the events.
fn note_series(line: &Line<'_, '_>, seen: &mut Seen) {
    let key = SeriesKey::parse(line.series).ok();
    if let Some(subject) = key.and_then(|key| Subject::of(&key, Subject::FIELD)) {
        seen.note_node(subject.node_id);
    }
}

impl SinkSession for NotingSession<'_> {
    /// Noted before it is known whether all was stored: some may be there whatever comes of it. Lines that nobody has checked are not taken, since
    /// they are read here.
    fn write(&mut self, lines: &[u8]) -> Result<Taken, WriteError> {
        self.note(lines);
        self.inner.write(lines)
    }
}

/// Looks whether events can be made where points go to.
pub(super) fn check(args: &ImportArgs, config: &Config) -> Result<(), Failure> {
    let wrong = |reason: &str| Err(Failure::Usage(format!("--events: {reason}")));
    let (target, database) = (&args.target, config.database());
    if !matches!(target.to.unwrap_or(TargetName::Auto), TargetName::Auto | TargetName::Embedded | TargetName::Service) {
        return wrong("events are made in the data directory or by a service: --to must be auto, embedded or service");
    }
    if target.policy.is_some() {
        return wrong("what a named policy keeps is not watched: leave --policy out");
    }
    if target.url.is_none() && target.database.as_deref().is_some_and(|named| named != database) {
        return wrong(&format!("only what is in the database {database} is watched: leave --database out"));
    }
    Ok(())
}

/// Where points go; their events are made here, and not live, as they come.
pub(super) fn target(args: &ImportArgs, config: &Config) -> Result<Target, Failure> {
    if args.events { Target::open_for_history(&args.target, config) } else { Target::open(&args.target, config) }
}

/// Makes the events of what was imported. After `--resume`, and where an earlier import died before this, those of all times and nodes: what
/// earlier runs stored is not known here. Null when nothing was imported that could be watched.
pub(super) fn make(args: &ImportArgs, target: &Target, seen: &Seen) -> Result<Value, Failure> {
    let report = generate(args.resume || target.owes_events(), target, seen)?;
    if report.get("is_cut_short").and_then(Value::as_bool) != Some(true) {
        target.release_events();
    }
    Ok(report)
}

fn generate(after_others: bool, target: &Target, seen: &Seen) -> Result<Value, Failure> {
    let is_of_all = after_others || seen.is_of_all;
    let range = if after_others { Some(ALL_TIMES.map(str::to_owned)) } else { range(seen) };
    let Some([from, to]) = range.filter(|_| is_of_all || !seen.nodes.is_empty()) else { return Ok(Value::Null) };
    let times = [("from".to_owned(), from), ("to".to_owned(), to)];
    let mut nodes: Vec<&str> = seen.nodes.iter().map(String::as_str).filter(|_| !is_of_all).collect();
    nodes.sort_unstable();
    let mut sum = Value::Null;
    for part in parts(&nodes, target.parameters_max()) {
        let matches = part.iter().map(|node| ("match".to_owned(), quoted(node)));
        let parameters: Vec<(String, String)> = times.iter().cloned().chain(matches).collect();
        let answer = target.generate_events(&parameters)?;
        sum = together(sum, serde_json::from_slice(&answer).context("read the answer")?);
    }
    Ok(sum)
}

/// All that a time can be.
const ALL_TIMES: [&str; 2] = ["1677-09-22", "2262-04-11"];

/// From the first time to right behind the last one.
fn range(seen: &Seen) -> Option<[String; 2]> {
    let (first, last) = seen.times?;
    let text = |time: TimestampNs| Some(jiff::Timestamp::from_nanosecond(i128::from(time.0)).ok()?.to_string());
    Some([text(first)?, text(last.saturating_add(1))?])
}

/// A node as a pattern that matches nothing else.
fn quoted(node: &str) -> String {
    let quote = |sign: char| matches!(sign, '*' | '?' | '[' | '\\').then_some('\\');
    node.chars().flat_map(|sign| quote(sign).into_iter().chain([sign])).collect()
}

/// Cuts a list of nodes so that each part has so many bytes as parameters at most; the empty list, which stands for all nodes, is one part.
fn parts<'n, 'a>(nodes: &'n [&'a str], most: usize) -> Vec<&'n [&'a str]> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (place, node) in nodes.iter().enumerate() {
        let len = "&match=".len() + encoded(&quoted(node)).len();
        if place > start && bytes + len > most {
            parts.extend(nodes.get(start..place));
            (start, bytes) = (place, 0);
        }
        bytes += len;
    }
    parts.extend(nodes.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use import::Nowhere;

    use super::*;

    #[test]
    fn times_and_nodes_of_what_could_be_watched_are_noted() {
        let noting = Noting::new(&Nowhere);
        let lines: [&[u8]; 2] = [
            b"vm_metrics,metric=cpu_usage,node_id=vm-1 value=1 30\nroom,host=a v=1 10\nvm_metrics,metric=disk_io,node_id=vm-1 value=1 40\n",
            b"signal,channel=7,point=on value=1 20\nvm_metrics,metric=cpu_usage,node_id=vm-1 value=2\n",
        ];
        for lines in lines {
            let mut session = noting.session();
            assert!(session.write_unchecked(lines, 10).is_none());
            session.write(lines).unwrap();
        }
        let seen = noting.seen();
        assert_eq!(seen.times, Some((TimestampNs(10), TimestampNs(40))));
        assert_eq!(seen.nodes, ["vm-1", "7:s:on"].map(str::to_owned).into());
        assert_eq!(range(&seen).unwrap(), ["1970-01-01T00:00:00.00000001Z", "1970-01-01T00:00:00.000000041Z"]);
    }

    #[test]
    fn of_too_many_nodes_all_are_meant() {
        let mut seen = Seen::default();
        (0..=NODES_MAX).for_each(|node| seen.note_node(node.to_string()));
        assert!(seen.is_of_all && seen.nodes.len() == NODES_MAX);
    }

    #[test]
    fn lists_of_nodes_are_cut_to_what_a_request_can_hold() {
        assert_eq!(parts(&[], 10), [&[] as &[&str]]);
        assert_eq!(parts(&["a", "b", "c d", "e"], 18), [&["a", "b"] as &[&str], &["c d"], &["e"]]);
        assert_eq!(parts(&["a", "b"], usize::MAX).len(), 1);
        assert_eq!(parts(&["a", "b"], 0).len(), 2);
        assert_eq!(quoted("rack[1]*"), "rack\\[1]\\*");
    }
}
