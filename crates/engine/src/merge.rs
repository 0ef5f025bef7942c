//! Runs of points put into one order of time, piece by piece: in memory are only those that overlap where the merge stands.

use std::borrow::Borrow;
use std::vec;

use model::TimestampNs;

use crate::points::Points;

/// Points that are handed out at once, about, where runs overlap.
const PIECE: usize = 16_384;

/// A run of points whose turn has not come yet. Its points ascend by time, without repetition.
pub(crate) struct Waiting<R> {
    /// No point is before it.
    pub(crate) first: TimestampNs,
    pub(crate) run: R,
}

/// Hands out the points of all runs in the order of time; of equal times the one of the run that stands later in `runs` stays. A
/// run is loaded when its turn comes; it may turn out to have no points.
pub(crate) fn merge<R, P: Borrow<Points>, E>(
    runs: Vec<Waiting<R>>,
    load: impl FnMut(R) -> Result<Option<P>, E>,
    mut visit: impl FnMut(&Points) -> Result<(), E>,
) -> Result<(), E> {
    let mut runs: Vec<(usize, Waiting<R>)> = runs.into_iter().enumerate().collect();
    runs.sort_by_key(|(order, waiting)| (waiting.first, *order));
    let mut merge = Merge { waiting: runs.into_iter(), open: Vec::new(), load };
    while let Some(end) = merge.open_next()? {
        merge.hand_out(end, &mut visit)?;
    }
    Ok(())
}

/// A merge under way.
struct Merge<R, P, F> {
    waiting: vec::IntoIter<(usize, Waiting<R>)>,
    open: Vec<Open<P>>,
    load: F,
}

/// A run that was loaded.
struct Open<P> {
    order: usize,
    points: P,
    /// So many of its points were handed out.
    done: usize,
}

impl<R, P: Borrow<Points>, E, F: FnMut(R) -> Result<Option<P>, E>> Merge<R, P, F> {
    /// Loads the runs that begin before the first open one ends, and tells when that is; `None` when all is done.
    fn open_next(&mut self) -> Result<Option<TimestampNs>, E> {
        let mut end = self.open.iter().filter_map(Open::last).min();
        while self.waiting.as_slice().first().is_some_and(|(_, next)| end.is_none_or(|end| next.first <= end)) {
            let Some((order, Waiting { run, .. })) = self.waiting.next() else { break };
            let Some(points) = (self.load)(run)? else { continue };
            let run = Open { order, points, done: 0 };
            let Some(last) = run.last() else { continue };
            end = Some(end.map_or(last, |end| end.min(last)));
            self.open.push(run);
        }
        Ok(end)
    }

    /// Hands out what the open runs have up to `end`, which no waiting run begins before.
    fn hand_out(&mut self, end: TimestampNs, visit: &mut impl FnMut(&Points) -> Result<(), E>) -> Result<(), E> {
        if let [Open { points, done: 0, .. }] = self.open.as_slice() {
            visit(points.borrow())?;
            self.open.clear();
            return Ok(());
        }
        self.open.sort_unstable_by_key(|run| run.order);
        let share = (PIECE / self.open.len()).max(1);
        let end = self.open.iter().filter_map(|run| run.after(share)).fold(end, TimestampNs::min);
        let parts = self.open.iter_mut().filter_map(|run| run.take(end)).collect();
        self.open.retain(|run| run.done < run.points.borrow().times.len());
        Points::merge(parts).map_or(Ok(()), |points| visit(&points))
    }
}

impl<P: Borrow<Points>> Open<P> {
    fn last(&self) -> Option<TimestampNs> {
        self.points.borrow().times.last().copied()
    }

    /// Where the run stands when so many more points of it were handed out; its end when it has fewer.
    fn after(&self, more: usize) -> Option<TimestampNs> {
        let rest = self.points.borrow().times.get(self.done..).unwrap_or_default();
        rest.get(more.saturating_sub(1)).or(rest.last()).copied()
    }

    /// A copy of the points up to and with `end` that were not handed out yet; `None` when there are none.
    fn take(&mut self, end: TimestampNs) -> Option<Points> {
        let (points, from) = (self.points.borrow(), self.done);
        let rest = points.times.get(from..).unwrap_or_default();
        self.done = from + rest.partition_point(|time| *time <= end);
        (from < self.done).then(|| points.slice(from, self.done))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use model::Values;

    use super::*;

    fn points(times: impl IntoIterator<Item = i64>, value: i64) -> Points {
        let times: Vec<TimestampNs> = times.into_iter().map(TimestampNs).collect();
        let values = Values::Integer(vec![value; times.len()]);
        Points { times, values }
    }

    fn merged(runs: Vec<Points>) -> Vec<Points> {
        let waiting =
            runs.into_iter().map(|run| Waiting { first: run.times.first().copied().unwrap_or(TimestampNs(0)), run });
        let mut pieces = Vec::new();
        let visit = |piece: &Points| -> Result<(), Infallible> {
            pieces.push(piece.clone());
            Ok(())
        };
        merge(waiting.collect(), |run| Ok(Some(run)), visit).unwrap();
        pieces
    }

    #[test]
    fn any_runs_come_out_as_if_they_were_sorted_together() {
        for seed in 1..200i64 {
            let run = |n: i64| {
                let step = 1 + (seed * 31 + n * 17) % 13;
                points((0..(seed * 7 + n * 5) % 40).map(|i| (n * seed * 3) % 50 + i * step), n)
            };
            let runs: Vec<Points> = (0..seed % 9).map(run).collect();
            let together = Points::merge(runs.clone()).filter(|all| !all.times.is_empty());
            let together = together.map(|all| Points::from_written(&all.times, &all.values));
            let pieces = merged(runs);
            assert!(pieces.iter().zip(pieces.iter().skip(1)).all(|(a, b)| a.times.last() < b.times.first()), "{seed}");
            assert_eq!(Points::merge(pieces), together, "{seed}");
        }
    }

    #[test]
    fn of_many_runs_that_all_overlap_a_piece_is_no_larger_than_of_few() {
        let runs: Vec<Points> = (0..300).map(|n| points((0..1000).map(|i| i * 300 + n * 7 % 300), n)).collect();
        let pieces = merged(runs);
        assert!(pieces.iter().all(|piece| piece.times.len() <= PIECE));
        assert_eq!(pieces.iter().map(|piece| piece.times.len()).sum::<usize>(), 300_000);
    }

    #[test]
    fn runs_that_do_not_overlap_come_as_they_are_and_one_at_a_time() {
        let (loaded, runs) = (Cell::new(0), vec![points(10..20, 1), points(0..10, 2), points(20..30, 3)]);
        let waiting = runs.iter().map(|run| Waiting { first: run.times[0], run });
        let load = |run| {
            loaded.set(loaded.get() + 1);
            Ok::<_, Infallible>(Some(run))
        };
        let mut seen = Vec::new();
        let visit = |piece: &Points| {
            seen.push((loaded.get(), piece.times[0].0));
            Ok(())
        };
        merge(waiting.collect(), load, visit).unwrap();
        assert_eq!(seen, [(1, 0), (2, 10), (3, 20)]);
    }

    #[test]
    fn an_error_ends_it() {
        let waiting = vec![Waiting { first: TimestampNs(0), run: points(0..3, 1) }];
        assert_eq!(merge(waiting, |_| Err::<Option<Points>, _>("no"), |_| Ok(())), Err("no"));
    }
}
