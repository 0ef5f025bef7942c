//! Points fetched before they are asked for. A query over thousands of small series would ask the store thousands of times; once
//! two columns of one kind were read over the same range, the store is asked for their neighbours together.
//!
//! One thread at a time fetches ahead, for all. What is fetched is bounded; columns that turn out to be large are read one by one
//! from then on, by all threads at once.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{ColumnId, FieldValue, TimeRange, TimestampNs, Values};
use query::QueryError;

use super::columns::{Columns, Known};
use super::{Column, RawPoints};

/// Columns asked for together.
const COLUMNS: usize = 64;
/// Points fetched together, and points that wait.
const POINTS: usize = 100_000;
/// Bytes of texts among them.
const TEXT_BYTES: usize = 4 << 20;
/// Kinds of columns remembered: a query may read several fields of each series in turn.
const KINDS: usize = 32;

/// Points of one column.
pub(super) struct Fetched {
    pub(super) times: Vec<TimestampNs>,
    pub(super) values: Values,
}

/// What was fetched ahead for one query.
#[derive(Default)]
pub(super) struct Ahead {
    state: Mutex<State>,
    /// Fetching ahead was no help.
    is_off: AtomicBool,
}

#[derive(Default)]
struct State {
    waiting: HashMap<Key, Fetched>,
    /// In the order in which they came.
    order: VecDeque<Key>,
    points: usize,
    /// What was read last.
    kinds: VecDeque<Kind>,
}

/// A column, and the range over which it was fetched.
type Key = (ColumnId, TimeRange);

/// What neighbours have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    /// Series of one question have one origin, known by its address.
    of: usize,
    field: usize,
    range: TimeRange,
}

impl Kind {
    fn new(known: &Known, range: TimeRange) -> Self {
        Self { of: std::sync::Arc::as_ptr(&known.of) as usize, field: known.field, range }
    }
}

impl Ahead {
    /// The points of a column, if they are here or it is worth fetching them with those of its neighbours.
    pub(super) fn take(
        &self,
        id: ColumnId,
        known: &Known,
        range: TimeRange,
        columns: &Columns,
        points: &dyn RawPoints,
    ) -> Result<Option<Fetched>, QueryError> {
        if self.is_off.load(Relaxed) {
            return Ok(None);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = state.remove((id, range)) {
            return Ok(Some(found));
        }
        if state.is_first(Kind::new(known, range)) {
            return Ok(None);
        }
        self.fetch(id, range, columns, points, &mut state)?;
        Ok(state.remove((id, range)))
    }

    fn fetch(
        &self,
        id: ColumnId,
        range: TimeRange,
        columns: &Columns,
        points: &dyn RawPoints,
        state: &mut MutexGuard<'_, State>,
    ) -> Result<(), QueryError> {
        let neighbours = columns.neighbours(id, COLUMNS);
        let wanted: Vec<Column<'_>> = neighbours.iter().filter_map(|(_, known)| known.column()).collect();
        if wanted.len() < 2 || wanted.len() != neighbours.len() {
            return Ok(());
        }
        let mut batch = Batch::new(&wanted);
        points.points_of(&wanted, range, &mut |column, time, value| batch.add(range, column, time, value))?;
        if batch.is_full {
            // So few columns have so many points: they are better read at the same time.
            self.is_off.store(true, Relaxed);
        }
        for ((id, _), fetched) in neighbours.iter().zip(batch.finish()?) {
            fetched.into_iter().for_each(|fetched| state.add((*id, range), fetched));
        }
        Ok(())
    }
}

impl State {
    /// Whether nothing of the kind was read lately.
    fn is_first(&mut self, kind: Kind) -> bool {
        if self.kinds.contains(&kind) {
            return false;
        }
        self.kinds.push_back(kind);
        if self.kinds.len() > KINDS {
            self.kinds.pop_front();
        }
        true
    }

    fn remove(&mut self, key: Key) -> Option<Fetched> {
        let found = self.waiting.remove(&key)?;
        self.points -= found.times.len();
        Some(found)
    }

    /// What nobody asked for goes first.
    fn add(&mut self, key: Key, fetched: Fetched) {
        while self.points + fetched.times.len() > 2 * POINTS {
            let Some(oldest) = self.order.pop_front() else { break };
            self.remove(oldest);
        }
        self.points += fetched.times.len();
        self.order.push_back(key);
        self.waiting.insert(key, fetched);
    }
}

/// Points of several columns on their way.
struct Batch<'c> {
    columns: &'c [Column<'c>],
    fetched: Vec<Fetched>,
    points: usize,
    text_bytes: usize,
    /// Column that came last; it may be incomplete.
    current: usize,
    is_full: bool,
    wrong: Option<QueryError>,
}

impl<'c> Batch<'c> {
    fn new(columns: &'c [Column<'c>]) -> Self {
        let empty = |column: &Column<'_>| Fetched { times: Vec::new(), values: Values::new(column.kind) };
        let fetched = columns.iter().map(empty).collect();
        Self { columns, fetched, points: 0, text_bytes: 0, current: 0, is_full: false, wrong: None }
    }

    fn add(&mut self, range: TimeRange, number: usize, time: TimestampNs, value: FieldValue<'_>) -> ControlFlow<()> {
        let (Some(column), Some(fetched)) = (self.columns.get(number), self.fetched.get_mut(number)) else {
            self.wrong = Some(QueryError::Store(format!("points of column {number} were not asked for")));
            return ControlFlow::Break(());
        };
        self.current = number;
        if !range.contains(time) {
            return ControlFlow::Continue(());
        }
        if let Err(wrong) = column.check(fetched.times.last(), time, value) {
            self.wrong = Some(wrong);
            return ControlFlow::Break(());
        }
        fetched.times.push(time);
        fetched.values.push(value);
        self.points += 1;
        self.text_bytes += if let FieldValue::String(text) = value { text.len() } else { 0 };
        self.is_full = self.points >= POINTS || self.text_bytes >= TEXT_BYTES;
        if self.is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The columns that are complete. Where reading broke off, those are the ones that came before the last; which of the empty ones
    /// are still to come is not known.
    fn finish(self) -> Result<Vec<Option<Fetched>>, QueryError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let is_complete = |(number, fetched): (usize, Fetched)| {
            let is_sure = !self.is_full || (number != self.current && !fetched.times.is_empty());
            is_sure.then_some(fetched)
        };
        Ok(self.fetched.into_iter().enumerate().map(is_complete).collect())
    }
}
