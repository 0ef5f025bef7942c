//! The segments of a journal, oldest first. The last one is being written or will be continued.

use std::collections::VecDeque;

use model::{ByteSize, Seq};

use crate::segment::{Mark, Segment};

/// All segments on the disk.
#[derive(Debug, Default)]
pub(crate) struct Segments(VecDeque<Segment>);

/// Where a reader finds a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Names the segment.
    pub(crate) first: Seq,
    /// Where to start reading.
    pub(crate) mark: Mark,
    /// Where the segment ends.
    pub(crate) end: u64,
    /// First sequence number that is not in the segment.
    pub(crate) limit: Seq,
}

/// How much stands after a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lag {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) points: u64,
}

impl Segments {
    /// Adds an empty segment that starts with `first`.
    pub(crate) fn start(&mut self, first: Seq) {
        debug_assert!(self.0.back().is_none_or(|s| s.end().seq <= first));
        self.0.push_back(Segment::new(first, self.points()));
    }

    pub(crate) fn push(&mut self, segment: Segment) {
        self.0.push_back(segment);
    }

    /// Takes note of a record at the end of the last segment.
    pub(crate) fn push_record(&mut self, points: u32, len: u64) {
        debug_assert!(!self.0.is_empty());
        if let Some(last) = self.0.back_mut() {
            last.push(points, len);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn last(&self) -> Option<&Segment> {
        self.0.back()
    }

    /// Where the oldest retained record stands.
    pub(crate) fn oldest(&self) -> Option<Mark> {
        self.0.front().map(Segment::start)
    }

    /// Space on the disk.
    pub(crate) fn used(&self) -> ByteSize {
        ByteSize(self.0.iter().map(|s| s.end().offset).sum())
    }

    /// Points up to the end.
    pub(crate) fn points(&self) -> u64 {
        self.0.back().map_or(0, |s| s.end().points)
    }

    /// First sequence number after the oldest segment; `None` unless another one follows it.
    pub(crate) fn oldest_limit(&self) -> Option<Seq> {
        self.0.get(1).map(|s| s.start().seq)
    }

    /// Takes the oldest segment off; the last one always stays, since it tells the next sequence number.
    pub(crate) fn pop_oldest(&mut self) -> Option<Segment> {
        if self.0.len() > 1 { self.0.pop_front() } else { None }
    }

    /// Undoes [`Segments::pop_oldest`].
    pub(crate) fn restore_oldest(&mut self, segment: Segment) {
        self.0.push_front(segment);
    }

    /// The segment that holds `seq`, which is at or after the oldest record and before `next`.
    pub(crate) fn place_of(&self, seq: Seq, next: Seq) -> Option<Place> {
        let after = self.0.partition_point(|s| s.start().seq <= seq);
        let segment = self.0.get(after.checked_sub(1)?)?;
        let limit = self.0.get(after).map_or(next, |s| s.start().seq);
        Some(Place { first: segment.start().seq, mark: segment.mark_before(seq), end: segment.end().offset, limit })
    }

    /// What stands after `seq`; bytes and points are estimated inside a block of 64 KiB.
    pub(crate) fn lag(&self, seq: Seq) -> Lag {
        let mut lag = Lag::default();
        for segment in self.0.iter().rev().take_while(|s| s.end().seq > seq.next()) {
            let part = lag_in(segment, seq);
            lag.records += part.records;
            lag.bytes += part.bytes;
            lag.points += part.points;
        }
        lag
    }
}

/// What of `segment` stands after `seq`, estimated as in [`Segments::lag`].
pub(crate) fn lag_in(segment: &Segment, seq: Seq) -> Lag {
    let (from, end) = (segment.estimate(seq.next()), segment.end());
    Lag { records: end.seq.0 - from.seq.0, bytes: end.offset - from.offset, points: end.points - from.points }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments 1..=10, 11..=20, 21..=30 of records with 3 points and 100 bytes.
    fn three() -> Segments {
        let mut segments = Segments::default();
        for first in [1, 11, 21] {
            segments.start(Seq(first));
            (0..10).for_each(|_| segments.push_record(3, 100));
        }
        segments
    }

    #[test]
    fn a_position_is_found_in_its_segment() {
        let segments = three();
        let place = segments.place_of(Seq(20), Seq(31)).unwrap();
        assert_eq!((place.first, place.limit, place.end), (Seq(11), Seq(21), 1024));
        assert_eq!(segments.place_of(Seq(25), Seq(31)).unwrap().limit, Seq(31));
    }

    #[test]
    fn the_lag_counts_what_stands_after_a_position() {
        let segments = three();
        assert_eq!(segments.lag(Seq(30)), Lag::default());
        assert_eq!(segments.lag(Seq(15)), Lag { records: 15, bytes: 1500, points: 45 });
        assert_eq!(segments.lag(Seq(0)), Lag { records: 30, bytes: 3000, points: 90 });
    }

    #[test]
    fn the_last_segment_is_never_taken_off() {
        let mut segments = three();
        assert_eq!(segments.pop_oldest().unwrap().start().seq, Seq(1));
        assert_eq!(segments.pop_oldest().unwrap().start().seq, Seq(11));
        assert!(segments.pop_oldest().is_none());
        assert_eq!(segments.points(), 90);
    }
}
