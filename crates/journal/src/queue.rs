//! Records that were appended and are not committed yet, bounded by the memory they take.

use std::collections::VecDeque;
use std::sync::Arc;

use model::{ByteSize, Seq};

use crate::error::AppendError;
use crate::record::HEADER_LEN;

/// Called once with the outcome of an append.
pub(crate) type Done = Box<dyn FnOnce(Result<Seq, AppendError>) + Send>;

/// What a waiting record takes besides its payload: the bound on bytes is thereby a bound on records too.
const ITEM_OVERHEAD: u64 = 128;

/// A record waiting for the committer.
pub(crate) struct Pending {
    pub(crate) payload: Arc<[u8]>,
    pub(crate) points: u32,
    pub(crate) done: Done,
}

impl Pending {
    /// Bytes in the segment.
    pub(crate) fn encoded_len(&self) -> u64 {
        (HEADER_LEN + self.payload.len()) as u64
    }

    /// Memory it takes.
    fn cost(&self) -> u64 {
        self.payload.len() as u64 + ITEM_OVERHEAD
    }
}

/// Memory taken by [`Pending::cost`] of several records.
pub(crate) fn cost_of(batch: &[Pending]) -> u64 {
    batch.iter().map(Pending::cost).sum()
}

/// The waiting records, first come first served.
pub(crate) struct Queue {
    items: VecDeque<Pending>,
    /// Cost of the waiting records and of those taken but not released.
    bytes: u64,
    limit: u64,
}

impl Queue {
    pub(crate) fn new(limit: ByteSize) -> Self {
        Self { items: VecDeque::new(), bytes: 0, limit: limit.0 }
    }

    /// Adds a record, or gives it back when there is no room. One that is larger than the whole queue fits when it is
    /// alone.
    pub(crate) fn push(&mut self, pending: Pending) -> Result<(), Pending> {
        if self.bytes > 0 && self.bytes + pending.cost() > self.limit {
            return Err(pending);
        }
        self.bytes += pending.cost();
        self.items.push_back(pending);
        Ok(())
    }

    /// Takes records while they fit into `room` bytes of a segment; a first one that does not fit is taken alone up to
    /// the limit `otherwise`.
    pub(crate) fn take(&mut self, room: u64, otherwise: u64) -> Vec<Pending> {
        let first = self.items.front().map_or(0, Pending::encoded_len);
        let room = if first <= room { room } else { otherwise };
        let mut sum = 0;
        let fits = |item: &&Pending| {
            sum += item.encoded_len();
            sum <= room
        };
        let count = self.items.iter().take_while(fits).count().max(1).min(self.items.len());
        self.items.drain(..count).collect()
    }

    /// Takes everything, for an error that concerns all.
    pub(crate) fn take_all(&mut self) -> Vec<Pending> {
        let all: Vec<Pending> = self.items.drain(..).collect();
        self.release(cost_of(&all));
        all
    }

    /// Makes room for others once records that were taken are finished.
    pub(crate) fn release(&mut self, cost: u64) {
        debug_assert!(cost <= self.bytes);
        self.bytes = self.bytes.saturating_sub(cost);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn bytes(&self) -> ByteSize {
        ByteSize(self.bytes)
    }

    pub(crate) fn full(&self) -> AppendError {
        AppendError::QueueFull { queued: ByteSize(self.bytes), limit: ByteSize(self.limit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(len: usize) -> Pending {
        Pending { payload: vec![0; len].into(), points: 1, done: Box::new(|_| {}) }
    }

    #[test]
    fn a_full_queue_gives_the_record_back_until_room_is_released() {
        let mut queue = Queue::new(ByteSize(1000));
        assert!(queue.push(pending(500)).is_ok());
        assert!(queue.push(pending(500)).is_err());
        let taken = queue.take(10_000, 10_000);
        assert!(queue.push(pending(500)).is_err(), "what is being committed still takes memory");
        queue.release(cost_of(&taken));
        assert!(queue.push(pending(500)).is_ok());
    }

    #[test]
    fn a_record_larger_than_the_queue_fits_alone() {
        let mut queue = Queue::new(ByteSize(100));
        assert!(queue.push(pending(500)).is_ok());
        assert!(queue.push(pending(1)).is_err());
    }

    #[test]
    fn records_are_taken_while_they_fit() {
        let mut queue = Queue::new(ByteSize(10_000));
        for len in [80, 80, 180, 80] {
            assert!(queue.push(pending(len)).is_ok());
        }
        let lens = |batch: Vec<Pending>| batch.iter().map(|p| p.payload.len()).collect::<Vec<_>>();
        assert_eq!(lens(queue.take(250, 1000)), [80, 80]);
        assert_eq!(lens(queue.take(50, 300)), [180, 80]);
        assert!(queue.is_empty());
    }
}
