//! Values that wait for their request, slot by slot. A request takes a full chunk of one slot; when values are old enough to go
//! but too few to fill one, those of all idle slots of a bucket go together and occupy all these slots.

use std::collections::VecDeque;
use std::time::Instant;

use model::{BucketId, Seq};

use crate::routes::bucket_of;
use crate::values::{Item, Values};

/// Bytes of one request at most, unless a single value is larger: what stores take in one body is bounded.
const BYTES_MAX: usize = 4 << 20;

/// Spare memory kept, in requests for each shard.
const SPARE_MAX: usize = 2;

/// The slots of one lane.
pub(crate) struct Slots {
    slots: Vec<Slot>,
    shards: usize,
    bytes: usize,
    full: usize,
    /// Memory of requests that are done. Without it a tenth of the time goes into memory that the system has to clear.
    spare: Vec<Values>,
}

#[derive(Default)]
struct Slot {
    /// Only the last one takes further values.
    chunks: VecDeque<Chunk>,
    /// First record of the values under way.
    under_way: Option<Seq>,
}

struct Chunk {
    values: Values,
    first: Seq,
    since: Instant,
    full: bool,
}

/// When and under which number values arrive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) seq: Seq,
    pub(crate) now: Instant,
    /// Values of a full chunk.
    pub(crate) size: usize,
}

/// Which values may go although they do not fill a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Due {
    /// Those that arrived up to then.
    Since(Instant),
    All,
}

/// Values taken out for a request. Their slots are occupied until [`Slots::release`].
pub(crate) struct Taken {
    pub(crate) values: Values,
    pub(crate) bucket: BucketId,
    pub(crate) slots: Vec<usize>,
}

impl Slots {
    pub(crate) fn new(shards: usize) -> Self {
        Self { slots: Vec::new(), shards, bytes: 0, full: 0, spare: Vec::new() }
    }

    /// Adds a value.
    #[inline]
    pub(crate) fn push(&mut self, slot: usize, arrival: Arrival, item: Item<'_>) {
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, Slot::default);
        }
        let Some(slot) = self.slots.get_mut(slot) else { return };
        let chunk = slot.open_chunk(arrival, &mut self.spare);
        let before = chunk.values.bytes();
        chunk.values.push(item);
        let bytes = chunk.values.bytes();
        self.bytes += bytes - before;
        if chunk.values.len() >= arrival.size || bytes >= BYTES_MAX {
            chunk.full = true;
            self.full += 1;
        }
    }

    /// Full chunks that wait.
    pub(crate) fn full(&self) -> usize {
        self.full
    }

    /// Memory of the values that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Values that wait.
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().flat_map(|slot| &slot.chunks).map(|chunk| chunk.values.len()).sum()
    }

    /// Those that wait.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        let chunks = self.slots.iter().flat_map(|slot| &slot.chunks);
        chunks.flat_map(|chunk| chunk.values.iter(0..chunk.values.len()))
    }

    /// Values that wait and have no fate yet, counted one slot after another.
    pub(crate) fn first_time(&self) -> u64 {
        self.slots.iter().flat_map(|slot| &slot.chunks).map(|chunk| chunk.values.first_time() as u64).sum()
    }

    /// True when nothing waits and nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| slot.chunks.is_empty() && slot.under_way.is_none())
    }

    /// First record with a value that waits or is under way.
    pub(crate) fn oldest(&self) -> Option<Seq> {
        let waiting = |slot: &Slot| slot.chunks.front().map(|chunk| chunk.first);
        self.slots.iter().flat_map(|slot| [slot.under_way, waiting(slot)]).flatten().min()
    }

    /// Values for the next request of at most `size`, if some are ready; the oldest first.
    pub(crate) fn take(&mut self, size: usize, due: Due) -> Option<Taken> {
        let is_ready = |chunk: &Chunk| match due {
            Due::Since(then) => chunk.full || chunk.since <= then,
            Due::All => true,
        };
        let first = self.first_idle(is_ready)?;
        self.take_of(self.companions(first, size))
    }

    /// The idle slot with the oldest chunk that is meant.
    fn first_idle(&self, is_meant: impl Fn(&Chunk) -> bool) -> Option<usize> {
        let idle = self.slots.iter().enumerate().filter(|(_, slot)| slot.under_way.is_none());
        let fronts = idle.filter_map(|(index, slot)| Some((slot.chunks.front()?, index)));
        let meant = fronts.filter(|(chunk, _)| is_meant(chunk)).map(|(chunk, index)| (chunk.first, index));
        meant.min().map(|(_, index)| index)
    }

    /// `first`, and those other idle slots of its bucket whose values fit into the same request.
    fn companions(&self, first: usize, size: usize) -> Vec<usize> {
        let start = first - first % self.shards;
        let others = (start..start + self.shards).filter(|slot| *slot != first);
        let (mut chosen, mut values, mut bytes) = (Vec::with_capacity(self.shards), 0, 0);
        for index in [first].into_iter().chain(others) {
            let Some(chunk) = self.slots.get(index).filter(|s| s.under_way.is_none()).and_then(|s| s.chunks.front())
            else {
                continue;
            };
            let fits = values + chunk.values.len() <= size && bytes + chunk.values.bytes() <= BYTES_MAX;
            if fits || chosen.is_empty() {
                values += chunk.values.len();
                bytes += chunk.values.bytes();
                chosen.push(index);
            }
        }
        chosen
    }

    /// Takes the first chunk of each of these slots.
    fn take_of(&mut self, slots: Vec<usize>) -> Option<Taken> {
        let mut taken: Option<Taken> = None;
        for index in slots {
            let Some(slot) = self.slots.get_mut(index) else { continue };
            let Some(chunk) = slot.chunks.pop_front() else { continue };
            slot.under_way = Some(chunk.first);
            self.bytes -= chunk.values.bytes();
            self.full -= usize::from(chunk.full);
            match &mut taken {
                None => {
                    let bucket = bucket_of(index, self.shards);
                    taken = Some(Taken { values: chunk.values, bucket, slots: vec![index] });
                }
                Some(taken) => {
                    taken.values.append(&chunk.values);
                    taken.slots.push(index);
                }
            }
        }
        taken
    }

    /// Takes the memory of values that are done.
    pub(crate) fn recycle(&mut self, mut values: Values) {
        if self.spare.len() < self.shards * SPARE_MAX && values.bytes() <= BYTES_MAX {
            values.clear();
            self.spare.push(values);
        }
    }

    /// The values of a request have their fates; its slots are idle again.
    pub(crate) fn release(&mut self, slots: &[usize]) {
        for index in slots {
            if let Some(slot) = self.slots.get_mut(*index) {
                slot.under_way = None;
            }
        }
    }
}

impl Slot {
    /// The chunk that takes the next value.
    #[inline]
    fn open_chunk(&mut self, arrival: Arrival, spare: &mut Vec<Values>) -> &mut Chunk {
        if self.chunks.back().is_none_or(|chunk| chunk.full) {
            let Arrival { seq, now, .. } = arrival;
            let values = spare.pop().unwrap_or_default();
            self.chunks.push_back(Chunk { values, first: seq, since: now, full: false });
        }
        let last = self.chunks.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "one was pushed above unless there was one")]
        &mut self.chunks[last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ColumnId, FieldValue, TimestampNs};
    use std::time::Duration;

    const SHARDS: usize = 4;

    struct Bench {
        slots: Slots,
        start: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self { slots: Slots::new(SHARDS), start: Instant::now() }
        }

        /// Adds values of one record, `size` being that of a full chunk.
        fn add(&mut self, seq: u64, slot: usize, count: usize, size: usize) {
            let arrival = Arrival { seq: Seq(seq), now: self.start + Duration::from_secs(seq), size };
            let item = |i| Item {
                column: ColumnId(slot as u32),
                time: TimestampNs(i),
                value: FieldValue::Float(0.0),
                again: false,
            };
            (0..count).for_each(|i| self.slots.push(slot, arrival, item(i as i64)));
        }

        fn take(&mut self, until: u64) -> Option<Taken> {
            self.slots.take(10, Due::Since(self.start + Duration::from_secs(until)))
        }
    }

    #[test]
    fn a_full_chunk_goes_at_once_and_others_when_they_are_old_enough() {
        let mut bench = Bench::new();
        bench.add(1, 0, 3, 10);
        bench.add(2, 1, 12, 10);
        assert_eq!(bench.slots.full(), 1);
        let taken = bench.take(0).unwrap();
        assert_eq!((taken.values.len(), taken.bucket), (10, BucketId(0)));
        assert!(bench.take(0).is_none());
        assert_eq!(bench.take(1).unwrap().values.len(), 3);
    }

    #[test]
    fn few_values_that_are_old_enough_do_not_wait_for_later_ones_that_are_many() {
        let mut bench = Bench::new();
        bench.add(1, 0, 3, 10);
        bench.add(2, 5, 30, 10);
        assert_eq!(bench.take(1).unwrap().bucket, BucketId(0));
    }

    #[test]
    fn a_slot_has_one_request_under_way_and_keeps_the_order() {
        let mut bench = Bench::new();
        bench.add(1, 0, 25, 10);
        let first = bench.take(9).unwrap();
        assert_eq!(first.values.get(0).unwrap().time, TimestampNs(0));
        assert!(bench.take(9).is_none());
        bench.slots.release(&first.slots);
        let second = bench.take(9).unwrap();
        assert_eq!(second.values.get(0).unwrap().time, TimestampNs(10));
        bench.slots.release(&second.slots);
        assert_eq!(bench.take(9).unwrap().values.len(), 5);
    }

    #[test]
    fn few_values_of_all_idle_slots_of_a_bucket_go_together() {
        let mut bench = Bench::new();
        (0..4).for_each(|slot| bench.add(1 + slot as u64, slot, 2, 10));
        bench.add(1, 4, 2, 10);
        let taken = bench.take(1).unwrap();
        assert_eq!((taken.values.len(), taken.bucket, taken.slots.len()), (8, BucketId(0), 4));
        let other = bench.take(1).unwrap();
        assert_eq!((other.values.len(), other.bucket), (2, BucketId(1)));
        assert!(!bench.slots.is_empty());
        bench.slots.release(&taken.slots);
        bench.slots.release(&other.slots);
        assert!(bench.slots.is_empty());
    }

    #[test]
    fn what_goes_together_fits_into_one_request() {
        let mut bench = Bench::new();
        (0..4).for_each(|slot| bench.add(1, slot, 4, 10));
        assert_eq!(bench.take(1).unwrap().values.len(), 8);
        assert_eq!(bench.take(1).unwrap().values.len(), 8);
        assert!(bench.take(1).is_none());
    }

    #[test]
    fn the_oldest_record_is_that_of_anything_not_done() {
        let mut bench = Bench::new();
        assert_eq!(bench.slots.oldest(), None);
        bench.add(3, 1, 10, 10);
        bench.add(4, 1, 1, 10);
        bench.add(5, 2, 1, 10);
        let taken = bench.take(0).unwrap();
        assert_eq!(bench.slots.oldest(), Some(Seq(3)));
        bench.slots.release(&taken.slots);
        assert_eq!(bench.slots.oldest(), Some(Seq(4)));
    }

    #[test]
    fn what_waits_is_counted_until_it_is_taken() {
        let mut bench = Bench::new();
        bench.add(1, 0, 25, 10);
        bench.add(1, 5, 2, 10);
        assert_eq!((bench.slots.len(), bench.slots.first_time(), bench.slots.iter().count()), (27, 27, 27));
        assert_eq!(bench.slots.bytes(), 27 * 24);
        bench.take(0).unwrap();
        assert_eq!((bench.slots.len(), bench.slots.first_time(), bench.slots.full()), (17, 17, 1));
    }
}
