//! The points of a series' columns, put together to rows, some 100 000 values at a time.

use std::ops::ControlFlow;

use engine::{Engine, Piece, ScanCache};
use model::{TimeRange, TimestampNs, Values};

use super::columns::Joined;
use super::plan::Column;

/// Values held at a time, about.
const MAX_VALUES: usize = 1 << 18;
/// Of one column at least.
const MIN_VALUES: usize = 1024;
/// Of one column no more than this, in bytes, but for what one piece of a scan has.
const MAX_BYTES: usize = 8 << 20;
/// Damaged parts that are remembered.
const MAX_DAMAGED: usize = 20;

/// Reads series.
pub(super) struct Reader<'a> {
    engine: &'a Engine,
    cache: ScanCache,
    /// Values held at a time, and of one column at least.
    limits: (usize, usize),
    /// What could not be read.
    pub(super) damaged: Vec<String>,
}

/// Points of a column.
pub(super) struct Held {
    pub(super) times: Vec<TimestampNs>,
    pub(super) values: Values,
}

impl<'a> Reader<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine, cache: ScanCache::default(), limits: (MAX_VALUES, MIN_VALUES), damaged: Vec::new() }
    }

    /// The rows from `range.start` on, as many as are held at a time; `range` becomes what is left.
    pub(super) fn next(&mut self, columns: &[Column], range: &mut TimeRange) -> Option<Joined> {
        if range.is_empty() || columns.is_empty() {
            return None;
        }
        let (max, min) = self.limits;
        let most = (max / columns.len()).max(min);
        let mut part = *range;
        let mut held: Vec<Held> = Vec::with_capacity(columns.len());
        for column in columns {
            let (points, is_cut) = self.read(column, part, most);
            // The others are held no further than this one.
            if let Some(last) = points.times.last().filter(|_| is_cut) {
                part.end = part.end.min(last.saturating_add(1));
            }
            held.push(points);
        }
        range.start = part.end;
        held.iter_mut().for_each(|points| points.cut(part.end));
        Some(Joined::new(held))
    }

    /// The first points of a column, and whether there may be more.
    fn read(&mut self, column: &Column, range: TimeRange, most: usize) -> (Held, bool) {
        let mut held = Held { times: Vec::new(), values: Values::new(column.kind) };
        let mut is_cut = false;
        let report = self.engine.scan(column.id, range, &mut self.cache, &|_, _| false, &mut |piece| {
            let Piece::Points { times, values } = piece else { return ControlFlow::Continue(()) };
            let count = times.len().min(most.saturating_sub(held.times.len()));
            if held.values.append(&values.slice(0, count)) {
                held.times.extend_from_slice(times.get(..count).unwrap_or_default());
            }
            is_cut = held.times.len() >= most || held.values.bytes() >= MAX_BYTES;
            if is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        for damage in report.damaged {
            if self.damaged.len() < MAX_DAMAGED && !self.damaged.contains(&damage) {
                self.damaged.push(damage);
            }
        }
        (held, is_cut)
    }
}

impl Held {
    /// Keeps what is before `end`.
    fn cut(&mut self, end: TimestampNs) {
        let count = self.times.partition_point(|time| *time < end);
        if count < self.times.len() {
            self.times.truncate(count);
            self.values = self.values.slice(0, count);
        }
    }

    /// Floats that are no numbers.
    pub(super) fn not_finite(&self) -> u64 {
        let Values::Float(values) = &self.values else { return 0 };
        values.iter().filter(|value| !value.is_finite()).count() as u64
    }
}
