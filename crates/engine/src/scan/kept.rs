//! Decoded stretches of chunks that are read again and again in small parts: the ends of a range that slides, and chunks of few points, whose
//! decoding takes longer than their reading.
//!
//! Block files never change, so nothing that is kept can become wrong; what nobody asks for any more goes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use model::{ByteSize, TimeRange};

use crate::points::{Points, bounds};

/// A chunk: the number of its file and its offset there.
type Chunk = (u64, u64);

/// What an entry takes besides its points.
const BYTES_PER_ENTRY: usize = 160;
/// A chunk of no more points is kept whole.
pub(crate) const SMALL: usize = 1024;
/// Of a larger one a part is kept that is no more than one of so many.
const PART: usize = 8;
/// So many points beside a part are kept with it, for the range to slide into.
const SPARE: usize = 256;

/// All points of a chunk inside a range.
pub(crate) struct Stretch {
    range: TimeRange,
    points: Points,
}

/// Stretches by chunk, one each, at most so many bytes of them.
pub(crate) struct KeptStretches {
    limit: ByteSize,
    held: Mutex<Held>,
}

/// Two generations: what is asked for moves to the young one, and when that is full the old one goes.
#[derive(Default)]
struct Held {
    young: HashMap<Chunk, Arc<Stretch>, RandomState>,
    old: HashMap<Chunk, Arc<Stretch>, RandomState>,
    young_bytes: usize,
    old_bytes: usize,
}

impl Stretch {
    /// `points` are all of the chunk inside `range`.
    pub(crate) const fn new(range: TimeRange, points: Points) -> Self {
        Self { range, points }
    }

    /// Its points, and which of them are inside `range`.
    pub(crate) fn inside(&self, range: TimeRange) -> (&Points, usize, usize) {
        let (from, to) = bounds(&self.points.times, range);
        (&self.points, from, to.max(from))
    }

    fn bytes(&self) -> usize {
        BYTES_PER_ENTRY + self.points.times.capacity() * size_of::<i64>() + self.points.values.bytes()
    }
}

/// Which of the `count` points of a chunk are worth keeping when `from..to` of them are read; `None`: none.
pub(crate) fn worth_keeping(count: usize, from: usize, to: usize) -> Option<(usize, usize)> {
    if count <= SMALL {
        return Some((0, count));
    }
    let is_part = to.saturating_sub(from).saturating_mul(PART) <= count;
    is_part.then(|| (from, to.saturating_add(SPARE).min(count)))
}

impl KeptStretches {
    pub(crate) fn new(limit: ByteSize) -> Self {
        Self { limit, held: Mutex::default() }
    }

    /// What is kept of a chunk, if that is all that it has inside `range`.
    pub(crate) fn get(&self, chunk: Chunk, range: TimeRange) -> Option<Arc<Stretch>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match held.young.get(&chunk) {
            Some(found) => Arc::clone(found),
            None => {
                let found = held.old.remove(&chunk)?;
                held.old_bytes = held.old_bytes.saturating_sub(found.bytes());
                self.put(&mut held, chunk, Arc::clone(&found));
                found
            }
        };
        (found.range.start <= range.start && range.end <= found.range.end).then_some(found)
    }

    /// Keeps a stretch in place of what was kept of the chunk.
    pub(crate) fn keep(&self, chunk: Chunk, stretch: &Arc<Stretch>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gone) = held.old.remove(&chunk) {
            held.old_bytes = held.old_bytes.saturating_sub(gone.bytes());
        }
        self.put(&mut held, chunk, Arc::clone(stretch));
    }

    fn put(&self, held: &mut Held, chunk: Chunk, stretch: Arc<Stretch>) {
        let generation = (self.limit.0 / 2) as usize;
        if stretch.bytes() > generation {
            return;
        }
        if held.young_bytes + stretch.bytes() > generation {
            held.old = std::mem::take(&mut held.young);
            held.old_bytes = std::mem::take(&mut held.young_bytes);
        }
        held.young_bytes += stretch.bytes();
        if let Some(gone) = held.young.insert(chunk, stretch) {
            held.young_bytes = held.young_bytes.saturating_sub(gone.bytes());
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.young_bytes + held.old_bytes
    }
}

#[cfg(test)]
mod tests {
    use model::{TimestampNs, Values};

    use super::*;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(TimestampNs(start), TimestampNs(end))
    }

    fn stretch(start: i64, end: i64) -> Arc<Stretch> {
        let times = (start..end).map(TimestampNs).collect();
        Arc::new(Stretch::new(range(start, end), Points { times, values: Values::Integer((start..end).collect()) }))
    }

    #[test]
    fn only_what_holds_the_whole_range_is_found() {
        let kept = KeptStretches::new(ByteSize(1 << 20));
        kept.keep((1, 8), &stretch(10, 20));
        assert!(kept.get((1, 8), range(9, 12)).is_none() && kept.get((1, 8), range(15, 21)).is_none());
        assert!(kept.get((1, 9), range(10, 20)).is_none() && kept.get((2, 8), range(10, 20)).is_none());
        let found = kept.get((1, 8), range(12, 14)).unwrap();
        let (points, from, to) = found.inside(range(12, 14));
        assert_eq!(points.times.get(from..to).unwrap(), [TimestampNs(12), TimestampNs(13)]);
    }

    #[test]
    fn what_is_asked_for_stays_while_others_come_and_go_and_the_limit_holds() {
        let kept = KeptStretches::new(ByteSize(100_000));
        kept.keep((0, 0), &stretch(0, 100));
        for n in 1..1000 {
            kept.keep((n, 0), &stretch(0, 100));
            assert!(kept.get((0, 0), range(0, 100)).is_some(), "after {n}");
            assert!(kept.bytes() <= 100_000);
        }
        assert!(kept.get((1, 0), range(0, 100)).is_none());
        kept.keep((7, 7), &stretch(0, 100_000));
        assert!(kept.get((7, 7), range(0, 1)).is_none(), "larger than a generation");
    }

    #[test]
    fn small_chunks_are_worth_keeping_whole_and_large_ones_in_small_parts() {
        assert_eq!(worth_keeping(1000, 3, 900), Some((0, 1000)));
        assert_eq!(worth_keeping(8640, 4000, 4030), Some((4000, 4286)));
        assert_eq!(worth_keeping(8640, 8630, 8640), Some((8630, 8640)));
        assert_eq!(worth_keeping(8640, 0, 8640), None);
    }
}
