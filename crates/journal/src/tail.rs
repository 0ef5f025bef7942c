//! The latest committed records in memory, for consumers that keep up. Without holes: what is in front is older.

use std::collections::VecDeque;
use std::sync::Arc;

use model::{ByteSize, Seq};

/// A committed record.
#[derive(Debug, Clone)]
pub(crate) struct TailRecord {
    pub(crate) seq: Seq,
    pub(crate) points: u32,
    /// Points of all retained records up to and including this one.
    pub(crate) points_end: u64,
    pub(crate) payload: Arc<[u8]>,
}

/// What a record takes besides its payload.
const ITEM_OVERHEAD: u64 = 64;

impl TailRecord {
    fn cost(&self) -> u64 {
        self.payload.len() as u64 + ITEM_OVERHEAD
    }
}

/// The latest records, as many as fit.
pub(crate) struct Tail {
    records: VecDeque<TailRecord>,
    bytes: u64,
    limit: u64,
}

impl Tail {
    pub(crate) fn new(limit: ByteSize) -> Self {
        Self { records: VecDeque::new(), bytes: 0, limit: limit.0 }
    }

    /// Adds the newest record and lets go of the oldest ones that no longer fit.
    pub(crate) fn push(&mut self, record: TailRecord) {
        debug_assert!(self.records.back().is_none_or(|last| last.seq.next() == record.seq));
        self.bytes += record.cost();
        self.records.push_back(record);
        while self.bytes > self.limit {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes -= oldest.cost();
        }
    }

    /// The record with this number, if it is still here.
    pub(crate) fn get(&self, seq: Seq) -> Option<&TailRecord> {
        let first = self.records.front()?.seq;
        let index = usize::try_from(seq.0.checked_sub(first.0)?).ok()?;
        self.records.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_records_leave_when_the_memory_is_used() {
        let mut tail = Tail::new(ByteSize(500));
        for seq in 7..20 {
            tail.push(TailRecord { seq: Seq(seq), points: 1, points_end: seq, payload: vec![0; 100].into() });
        }
        let held: Vec<u64> = (0..30).filter(|seq| tail.get(Seq(*seq)).is_some()).collect();
        assert_eq!(held, [17, 18, 19]);
        assert_eq!(tail.get(Seq(18)).unwrap().points_end, 18);
    }

    #[test]
    fn a_record_larger_than_the_memory_is_not_kept() {
        let mut tail = Tail::new(ByteSize(50));
        tail.push(TailRecord { seq: Seq(1), points: 1, points_end: 1, payload: vec![0; 100].into() });
        assert!(tail.get(Seq(1)).is_none());
    }
}
