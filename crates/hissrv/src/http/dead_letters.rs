//! Points that remote stores refused: shown, sent once more, removed.

use backend::{Destination, Point, PointList, Points, Session, WriteError};
use model::Precision;
use model::line::LineParser;
use serde_json::{Value, json};
use server::{ApiError, ErrorKind, LetterAction};
use writer::dead_letters::{Entry, Filter, LetterId, Letters};

use super::internal;
use super::stores::remote;
use crate::node::{Node, Remote};

/// Letters shown when nobody says how many, and at most.
const SHOWN: usize = 100;
const SHOWN_MAX: usize = 10_000;
/// Letters sent to a store at a time.
const SENT: usize = 500;

/// Which letters are meant.
struct Wanted<'a> {
    remotes: Vec<&'a Remote>,
    filter: Filter,
    limit: usize,
    after: Option<LetterId>,
}

impl<'a> Wanted<'a> {
    fn read(node: &'a Node, parameters: &[(String, String)], with_pages: bool) -> Result<Self, ApiError> {
        let mut wanted =
            Self { remotes: node.remotes.iter().collect(), filter: Filter::default(), limit: SHOWN, after: None };
        for (key, value) in parameters {
            match key.as_str() {
                "store" => wanted.remotes = vec![remote(node, value)?],
                "reason" => wanted.filter.reason = Some(value.clone()),
                "limit" if with_pages => wanted.limit = limit(value)?,
                "after" if with_pages => wanted.after = Some(value.parse().map_err(|e| wrong(format!("after: {e}")))?),
                _ => return Err(wrong(format!("unknown parameter `{key}`"))),
            }
        }
        if wanted.after.is_some() && wanted.remotes.len() != 1 {
            return Err(wrong("after: needs the parameter `store`".to_owned()));
        }
        Ok(wanted)
    }
}

fn limit(text: &str) -> Result<usize, ApiError> {
    let number = text.parse().ok().filter(|n| (1..=SHOWN_MAX).contains(n));
    number.ok_or_else(|| wrong(format!("limit: expected a number from 1 to {SHOWN_MAX}")))
}

fn wrong(message: String) -> ApiError {
    ApiError::new(ErrorKind::BadRequest, message)
}

/// The letters, oldest first.
pub(super) fn list(node: &Node, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
    let wanted = Wanted::read(node, parameters, true)?;
    let (mut found, mut warnings, mut more) = (Vec::new(), Vec::new(), false);
    for remote in &wanted.remotes {
        for entry in letters(remote, &wanted.filter)? {
            match entry {
                Ok(entry) if wanted.after.is_some_and(|after| entry.id <= after) => {}
                Ok(_) if found.len() == wanted.limit => {
                    more = true;
                    break;
                }
                Ok(entry) => found.push(shown(&entry)),
                Err(problem) => warnings.push(problem.to_string()),
            }
        }
    }
    Ok(json!({ "dead_letters": found, "more": more, "warnings": warnings }).to_string().into_bytes())
}

fn letters(remote: &Remote, filter: &Filter) -> Result<Letters, ApiError> {
    remote.dead_letters.read(filter.clone()).map_err(|e| internal(e.to_string()))
}

fn shown(entry: &Entry) -> Value {
    let mut value = json!(entry.letter);
    if let Some(members) = value.as_object_mut() {
        members.insert("id".to_owned(), entry.id.to_string().into());
    }
    value
}

/// Sends them once more or removes them.
pub(super) fn treat(node: &Node, action: LetterAction, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
    let wanted = Wanted::read(node, parameters, false)?;
    match action {
        LetterAction::Purge => {
            let mut removed = 0;
            for remote in &wanted.remotes {
                removed += remote.dead_letters.purge(&wanted.filter).map_err(|e| internal(e.to_string()))?;
            }
            Ok(json!({ "removed": removed }).to_string().into_bytes())
        }
        LetterAction::Retry => {
            let mut retry = Retry { node, stored: 0, refused: 0 };
            for remote in &wanted.remotes {
                retry.all(remote, &wanted.filter)?;
            }
            Ok(json!({ "stored": retry.stored, "refused": retry.refused }).to_string().into_bytes())
        }
    }
}

/// Letters on their way to their store once more.
struct Retry<'a> {
    node: &'a Node,
    stored: u64,
    refused: u64,
}

impl Retry<'_> {
    fn all(&mut self, remote: &Remote, filter: &Filter) -> Result<(), ApiError> {
        let mut session = remote.store.session();
        let mut batch: Vec<Entry> = Vec::new();
        for entry in letters(remote, filter)?.flatten() {
            let same_place = batch.first().is_none_or(|first| self.place(first) == self.place(&entry));
            if batch.len() == SENT || !same_place {
                self.batch(remote, &mut *session, &std::mem::take(&mut batch))?;
            }
            batch.push(entry);
        }
        self.batch(remote, &mut *session, &batch)
    }

    /// What cannot be read stays; the others go one by one.
    fn unreadable(&mut self, remote: &Remote, session: &mut dyn Session, batch: &[Entry]) -> Result<(), ApiError> {
        if batch.len() > 1 {
            return batch.chunks(1).try_for_each(|one| self.batch(remote, session, one));
        }
        self.refused += 1;
        Ok(())
    }

    fn place(&self, entry: &Entry) -> Destination {
        let (database, policy) = (entry.letter.database.clone(), entry.letter.policy.clone());
        let is_default = self.node.catalog.meta().database(&database).is_some_and(|d| d.default_policy == policy);
        Destination { database, policy, is_default }
    }

    /// All at once; where that is refused, one by one.
    fn batch(&mut self, remote: &Remote, session: &mut dyn Session, batch: &[Entry]) -> Result<(), ApiError> {
        let Some(first) = batch.first() else { return Ok(()) };
        let mut points = PointList::new(self.place(first));
        if !batch.iter().all(|entry| add(&mut points, &entry.letter.line)) {
            return self.unreadable(remote, session, batch);
        }
        match session.write(&points, 0..points.len()) {
            Ok(_) => {
                let ids: Vec<LetterId> = batch.iter().map(|entry| entry.id).collect();
                remote.dead_letters.remove(&ids).map_err(|e| internal(e.to_string()))?;
                self.stored += batch.len() as u64;
                Ok(())
            }
            Err(WriteError::Points { .. } | WriteError::TooLarge { .. }) if batch.len() > 1 => {
                batch.chunks(1).try_for_each(|one| self.batch(remote, session, one))
            }
            Err(WriteError::Points { .. } | WriteError::TooLarge { .. }) => {
                self.refused += 1;
                Ok(())
            }
            Err(e) => {
                let hint = format!("{} were stored before; the others are kept", self.stored);
                Err(ApiError::new(ErrorKind::Unavailable, format!("{}: {e}", remote.name)).with_hint(hint))
            }
        }
    }
}

/// Adds the point of a line, which is one that hissrv wrote itself; false when it cannot be read all the same.
fn add(points: &mut PointList, line: &str) -> bool {
    let mut parser = LineParser::new(line.as_bytes());
    let Some(Ok(line)) = parser.next_line() else { return false };
    let Some(time) = line.time.and_then(|time| Precision::Nanosecond.to_instant(time)) else { return false };
    for field in line.fields {
        points.push(Point { series: line.series, field: &field.key, value: field.value.as_field_value(), time });
    }
    true
}
