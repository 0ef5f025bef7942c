//! Ranges of time deleted from one column, or from one set of columns.

use model::{Seq, TimeRange, TimestampNs};

/// Values inside this range are gone from everything whose newest record is older than `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeletedRange {
    pub(crate) range: TimeRange,
    pub(crate) seq: Seq,
}

/// Ranges in the order of time that do not overlap: of deletions of the same instant only the newest counts, since it covers whatever
/// an older one does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DeletedRanges(Vec<DeletedRange>);

impl DeletedRanges {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, DeletedRange> {
        self.0.iter()
    }

    /// Adds a range that is not older than those that are there: it is joined with those of the same position that it touches, and
    /// takes the place of older ones where it meets them.
    pub(super) fn add(&mut self, mut new: DeletedRange) {
        let from = self.0.partition_point(|d| d.range.end < new.range.start);
        let to = self.0.partition_point(|d| d.range.start <= new.range.end);
        let touched = self.0.get(from..to).unwrap_or_default();
        for same in touched.iter().filter(|d| d.seq == new.seq) {
            new.range.start = new.range.start.min(same.range.start);
            new.range.end = new.range.end.max(same.range.end);
        }
        let older = touched.iter().filter(|d| d.seq != new.seq);
        let before = older.clone().map(|d| DeletedRange { range: before(d.range, new.range.start), ..*d });
        let after = older.map(|d| DeletedRange { range: after(d.range, new.range.end), ..*d });
        let pieces: Vec<_> = before.chain([new]).chain(after).filter(|d| !d.range.is_empty()).collect();
        self.0.splice(from..to, pieces);
    }

    /// Forgets those that `is_needed` says no to.
    pub(super) fn retain(&mut self, is_needed: impl Fn(&DeletedRange) -> bool) {
        self.0.retain(is_needed);
    }

    /// The ranges that meet `first..=last` and are newer than `last_seq`, in the order of time.
    pub(super) fn about(
        &self,
        first: TimestampNs,
        last: TimestampNs,
        last_seq: Seq,
    ) -> impl Iterator<Item = TimeRange> {
        let from = self.0.partition_point(|d| d.range.end <= first);
        let rest = self.0.get(from..).unwrap_or_default();
        rest.iter().take_while(move |d| d.range.start <= last).filter(move |d| last_seq < d.seq).map(|d| d.range)
    }

    /// True when there are such ranges.
    pub(super) fn meet(&self, first: TimestampNs, last: TimestampNs, last_seq: Seq) -> bool {
        self.about(first, last, last_seq).next().is_some()
    }
}

/// The part of a range before an instant.
fn before(range: TimeRange, instant: TimestampNs) -> TimeRange {
    TimeRange::new(range.start, range.end.min(instant))
}

/// The part of a range from an instant on.
fn after(range: TimeRange, instant: TimestampNs) -> TimeRange {
    TimeRange::new(range.start.max(instant), range.end)
}
