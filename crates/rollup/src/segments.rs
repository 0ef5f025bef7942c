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
    /// Where it may have rows: whole windows, ascending, not overlapping. Elsewhere there is nothing, and no points either.
    pub(crate) rows: Vec<TimeRange>,
    /// What it does not tell, or not rightly: as `rows`.
    pub(crate) dirty: Vec<TimeRange>,
    /// Rows of earlier windows are not shown.
    pub(crate) visible_from: TimestampNs,
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
        let mut found = Vec::new();
        let inside = self.whole_windows(range);
        let mut at = inside.start;
        while at < inside.end {
            if let Some(dirty) = holding(&self.dirty, at) {
                at = dirty.end;
                continue;
            }
            let limit = next_start(&self.dirty, at).unwrap_or(inside.end).min(inside.end);
            let step = match holding(&self.rows, at) {
                Some(_) => self.grid.containing(at),
                // Nothing was ever written there.
                None => TimeRange::new(at, next_start(&self.rows, at).unwrap_or(limit).min(limit)),
            };
            if holding(&self.rows, at).is_none() || suffices(step.start, step.end.saturating_add(-1)) {
                join(&mut found, step);
            }
            if step.end <= at {
                break;
            }
            at = step.end;
        }
        found
    }

    /// The whole windows inside `range` whose rows are shown, as one stretch.
    fn whole_windows(&self, range: TimeRange) -> TimeRange {
        let range = TimeRange::new(range.start.max(self.visible_from), range.end);
        if range.is_empty() {
            return range;
        }
        let (first, last) = (self.grid.containing(range.start), self.grid.containing(range.end.saturating_add(-1)));
        let start = if first.start >= range.start { first.start } else { first.end };
        let end = if last.end <= range.end { last.end } else { last.start };
        TimeRange::new(start, end)
    }
}

/// The stretch that holds `time`.
fn holding(stretches: &[TimeRange], time: TimestampNs) -> Option<TimeRange> {
    let next = stretches.partition_point(|stretch| stretch.end <= time);
    stretches.get(next).copied().filter(|stretch| stretch.contains(time))
}

/// Start of the first stretch behind `time`.
fn next_start(stretches: &[TimeRange], time: TimestampNs) -> Option<TimestampNs> {
    stretches.get(stretches.partition_point(|stretch| stretch.start <= time)).map(|stretch| stretch.start)
}

/// Adds a stretch behind the others; one that meets the last makes it longer.
fn join(found: &mut Vec<TimeRange>, stretch: TimeRange) {
    match found.last_mut().filter(|last| last.end == stretch.start) {
        Some(last) => last.end = stretch.end,
        None => found.push(stretch),
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

    fn candidate(grid: &Grid, rows: TimeRange, dirty: Vec<TimeRange>) -> Candidate<'_> {
        Candidate { grid, rows: vec![rows], dirty, visible_from: TimestampNs::MIN }
    }

    #[test]
    fn the_coarsest_tier_answers_its_whole_clean_windows_and_finer_ones_the_rest() {
        let (hours, tens) = (grid("1h"), grid("10m"));
        let candidates = [
            candidate(&hours, minutes(0, 300), vec![minutes(120, 180)]),
            candidate(&tens, minutes(0, 320), vec![minutes(130, 150)]),
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
            (300, 330, Some(1)),
        ];
        assert_eq!(shown(&found), expected);
    }

    #[test]
    fn windows_that_do_not_fit_the_question_are_left_to_finer_tiers() {
        let (hours, tens) = (grid("1h"), grid("10m"));
        let candidates =
            [candidate(&hours, minutes(0, 120), Vec::new()), candidate(&tens, minutes(0, 120), Vec::new())];
        let half = |first: TimestampNs, last: TimestampNs| first.0 / (30 * MINUTE) == last.0 / (30 * MINUTE);
        assert_eq!(shown(&segments(minutes(0, 120), &candidates, &half)), [(0, 120, Some(1))]);
        assert_eq!(shown(&segments(minutes(0, 120), &candidates, &|_, _| false)), [(0, 120, None)]);
    }

    #[test]
    fn what_is_past_its_time_is_left_to_others() {
        let hours = grid("1h");
        let visible =
            Candidate { visible_from: TimestampNs(90 * MINUTE), ..candidate(&hours, minutes(0, 240), Vec::new()) };
        assert_eq!(shown(&segments(minutes(0, 240), &[visible], &|_, _| true)), [(0, 120, None), (120, 240, Some(0))]);
    }

    #[test]
    fn a_range_without_end_and_rows_far_apart_are_divided_without_going_through_what_lies_between() {
        let seconds = grid("1s");
        let far =
            |minute: i64| TimeRange::new(TimestampNs(minute * MINUTE), TimestampNs(minute * MINUTE + 1_000_000_000));
        let rows = vec![far(-10_000_000), far(0), far(10_000_000)];
        let asked = std::cell::Cell::new(0);
        let suffices = |_: TimestampNs, _: TimestampNs| {
            asked.set(asked.get() + 1);
            true
        };
        let sparse = Candidate { grid: &seconds, rows, dirty: vec![far(0)], visible_from: TimestampNs::MIN };
        let found = segments(TimeRange::ALL, &[sparse], &suffices);
        assert_eq!((found.len(), asked.get()), (3, 2), "{found:?}");
        assert_eq!((found[1].range, found[1].tier), (far(0), None));
        assert_eq!((found[0].range.start, found[2].range.end), (TimestampNs::MIN, TimestampNs::MAX));
    }

    #[test]
    fn stretches_that_meet_become_one() {
        let found = united(vec![minutes(5, 7), minutes(0, 2), minutes(2, 3), minutes(6, 9), minutes(4, 4)]);
        assert_eq!(found, [minutes(0, 3), minutes(5, 9)]);
    }
}
