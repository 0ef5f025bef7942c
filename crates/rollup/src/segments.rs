//! Which stretches of a range are answered by which tier: for every window of the coarsest one that will do, else of a finer one,
//! else by the points themselves.

use model::{TimeRange, TimestampNs};
use query::execute::Grid;

/// A stretch and what it is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) range: TimeRange,
    /// Index into the tiers; `None`: points.
    pub(crate) tier: Option<usize>,
}

/// One tier, as far as one column is concerned.
pub(crate) struct Candidate<'a> {
    pub(crate) grid: &'a Grid,
    /// From the start of its first row to the end of its last one; empty when it has none.
    pub(crate) rows: TimeRange,
    /// What it does not tell, or not rightly: ascending, not overlapping.
    pub(crate) dirty: Vec<TimeRange>,
}

/// Says whether a window's summary is as good as its points, by its first and last instant.
pub(crate) type Suffices<'s> = &'s dyn Fn(TimestampNs, TimestampNs) -> bool;

/// Divides a range; the candidates come coarsest first. The segments ascend, meet, and make up the whole range.
pub(crate) fn segments(range: TimeRange, candidates: &[Candidate<'_>], suffices: Suffices<'_>) -> Vec<Segment> {
    let mut out = Vec::new();
    divide(range, 0, candidates, suffices, &mut out);
    out
}

fn divide(range: TimeRange, tier: usize, candidates: &[Candidate<'_>], suffices: Suffices<'_>, out: &mut Vec<Segment>) {
    if range.is_empty() {
        return;
    }
    let Some(candidate) = candidates.get(tier) else { return push(out, Segment { range, tier: None }) };
    let mut rest = range.start;
    for stretch in candidate.usable(range, suffices) {
        divide(TimeRange::new(rest, stretch.start), tier + 1, candidates, suffices, out);
        push(out, Segment { range: stretch, tier: Some(tier) });
        rest = stretch.end;
    }
    divide(TimeRange::new(rest, range.end), tier + 1, candidates, suffices, out);
}

fn push(out: &mut Vec<Segment>, segment: Segment) {
    match out.last_mut().filter(|last| last.tier == segment.tier && last.range.end == segment.range.start) {
        Some(last) => last.range.end = segment.range.end,
        None => out.push(segment),
    }
}

impl Candidate<'_> {
    /// Stretches of whole windows inside `range` that it can answer, ascending.
    fn usable(&self, range: TimeRange, suffices: Suffices<'_>) -> Vec<TimeRange> {
        let inside = TimeRange::new(range.start.max(self.rows.start), range.end.min(self.rows.end));
        let mut found: Vec<TimeRange> = Vec::new();
        if inside.is_empty() {
            return found;
        }
        let mut window = self.grid.containing(inside.start);
        let mut dirty = self.dirty.iter().copied().peekable();
        while window.start < inside.end {
            while dirty.next_if(|stretch| stretch.end <= window.start).is_some() {}
            let is_clean = dirty.peek().is_none_or(|stretch| stretch.start >= window.end);
            let is_whole = window.start >= range.start && window.end <= range.end;
            if is_whole && is_clean && suffices(window.start, window.end.saturating_add(-1)) {
                match found.last_mut().filter(|last| last.end == window.start) {
                    Some(last) => last.end = window.end,
                    None => found.push(window),
                }
            }
            if window.end == TimestampNs::MAX {
                break;
            }
            window = self.grid.containing(window.end);
        }
        found
    }
}

/// Ascending stretches that do not overlap, of any; neighbours that meet become one.
pub(crate) fn united(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut out: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use query::request::parse_interval;

    const MINUTE: i64 = 60_000_000_000;

    fn minutes(start: i64, end: i64) -> TimeRange {
        TimeRange::new(TimestampNs(start * MINUTE), TimestampNs(end * MINUTE))
    }

    fn grid(interval: &str) -> Grid {
        Grid::new(&parse_interval(interval, None).unwrap(), None).unwrap()
    }

    fn shown(segments: &[Segment]) -> Vec<(i64, i64, Option<usize>)> {
        segments.iter().map(|s| (s.range.start.0 / MINUTE, s.range.end.0 / MINUTE, s.tier)).collect()
    }

    #[test]
    fn the_coarsest_tier_answers_its_whole_clean_windows_and_finer_ones_the_rest() {
        let (hours, tens) = (grid("1h"), grid("10m"));
        let candidates = [
            Candidate { grid: &hours, rows: minutes(0, 300), dirty: vec![minutes(120, 180)] },
            Candidate { grid: &tens, rows: minutes(0, 320), dirty: vec![minutes(130, 150)] },
        ];
        let found = segments(minutes(5, 330), &candidates, &|_, _| true);
        let expected = [
            (5, 10, None),
            (10, 60, Some(1)),
            (60, 120, Some(0)),
            (120, 130, Some(1)),
            (130, 150, None),
            (150, 180, Some(1)),
            (180, 300, Some(0)),
            (300, 320, Some(1)),
            (320, 330, None),
        ];
        assert_eq!(shown(&found), expected);
    }

    #[test]
    fn windows_that_do_not_fit_the_question_are_left_to_finer_tiers() {
        let (hours, tens) = (grid("1h"), grid("10m"));
        let candidates = [
            Candidate { grid: &hours, rows: minutes(0, 120), dirty: Vec::new() },
            Candidate { grid: &tens, rows: minutes(0, 120), dirty: Vec::new() },
        ];
        let half = |first: TimestampNs, last: TimestampNs| first.0 / (30 * MINUTE) == last.0 / (30 * MINUTE);
        assert_eq!(shown(&segments(minutes(0, 120), &candidates, &half)), [(0, 120, Some(1))]);
        assert_eq!(shown(&segments(minutes(0, 120), &candidates, &|_, _| false)), [(0, 120, None)]);
    }

    #[test]
    fn an_open_range_is_divided_where_rows_are() {
        let hours = grid("1h");
        let candidates = [Candidate { grid: &hours, rows: minutes(60, 240), dirty: Vec::new() }];
        let found = segments(TimeRange::ALL, &candidates, &|_, _| true);
        assert_eq!(found.len(), 3);
        assert_eq!((found[1].range, found[1].tier), (minutes(60, 240), Some(0)));
    }

    #[test]
    fn stretches_that_meet_become_one() {
        let found = united(vec![minutes(5, 7), minutes(0, 2), minutes(2, 3), minutes(6, 9), minutes(4, 4)]);
        assert_eq!(found, [minutes(0, 3), minutes(5, 9)]);
    }
}
