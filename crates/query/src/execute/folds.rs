//! One pass over the series of a group: every piece of every column is cut at the borders of windows and fed to the functions.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use model::{FieldType, SeriesId, TimeRange, TimestampNs, Values};

use super::edges::{self, Walk};
use super::feed::{Feed, Part};
use super::group::{Group, Meaning, Member, View};
use super::job::Job;
use super::parallel;
use super::windows::Windows;
use crate::QueryError;
use crate::aggregate::{AggregateFunction, Fold, Picked, Place, Run, View as ValuesView, Wants, check_type, new_fold};
use crate::scan::{Parts, Wish};

/// Series that one thread takes at once, at least: below, starting a thread costs more than it saves.
const SERIES_A_BLOCK: usize = 32;

/// A function that is computed of a field.
pub(super) struct Wanted<'p> {
    pub(super) function: &'p dyn AggregateFunction,
    pub(super) arguments: Vec<f64>,
    /// The field, as a leaf of the query.
    pub(super) leaf: usize,
    /// Its name.
    pub(super) field: &'p str,
    pub(super) wants: Wants,
}

/// What the functions gave, window by window.
pub(super) struct Folded {
    /// Starts of the windows that have points, ascending.
    pub(super) starts: Vec<TimestampNs>,
    /// By function, then by window; `None` where the function has seen no point of its field.
    pub(super) picked: Vec<Vec<Option<Picked>>>,
    /// Type of the field of each function; `None` where the group has it not.
    pub(super) kinds: Vec<Option<FieldType>>,
}

/// One pass for all of `wanted`.
pub(super) struct Pass<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) views: &'a [View],
    pub(super) windows: &'a Windows,
    pub(super) range: TimeRange,
    pub(super) wanted: &'a [Wanted<'a>],
}

impl<'a> Pass<'a> {
    /// Reads the members of a group on this thread, or on several when there are many.
    pub(super) fn run(&self, group: &Group, feed: &mut Feed<'_>, threads: usize) -> Result<Folded, QueryError> {
        let kinds = self.kinds()?;
        let block = group.members.len().div_ceil(threads * 4).max(SERIES_A_BLOCK);
        if threads <= 1 || group.members.len() <= block {
            let mut partial = Partial::new(self, &kinds);
            partial.read(feed, &group.members, 0)?;
            return Ok(partial.finish(kinds));
        }
        let blocks: Vec<(usize, &[Member])> =
            group.members.chunks(block).enumerate().map(|(i, members)| (i * block, members)).collect();
        let read = |feed: &mut Feed<'_>, (first, members): &(usize, &[Member])| {
            let mut partial = Partial::new(self, &kinds);
            partial.read(feed, members, *first)?;
            Ok(partial)
        };
        let partials = parallel::map(&blocks, threads, 1, &|| Feed::new(self.job, self.views), &read)?;
        let mut whole = Partial::new(self, &kinds);
        partials.into_iter().for_each(|partial| whole.merge(partial));
        Ok(whole.finish(kinds))
    }

    /// Type of the field of each function.
    pub(super) fn kinds(&self) -> Result<Vec<Option<FieldType>>, QueryError> {
        self.wanted.iter().map(|wanted| self.kind(wanted)).collect()
    }

    fn kind(&self, wanted: &Wanted<'_>) -> Result<Option<FieldType>, QueryError> {
        let kind = self.views.iter().find_map(|view| slot_of(view, wanted.leaf).and_then(|slot| view.slots.get(slot)));
        let Some(kind) = kind.map(|slot| slot.kind) else { return Ok(None) };
        check_type(wanted.function, wanted.field, kind)?;
        Ok(Some(kind))
    }
}

pub(super) fn slot_of(view: &View, leaf: usize) -> Option<usize> {
    match view.meanings.get(leaf) {
        Some(&Meaning::Field(slot)) => Some(slot),
        _ => None,
    }
}

/// What some of the members gave.
pub(super) struct Partial<'a> {
    pub(super) pass: &'a Pass<'a>,
    windows: WindowIndex,
    /// The fields that functions are computed of, each once.
    leaves: Vec<usize>,
    pub(super) folds: Vec<Option<Box<dyn Fold + 'a>>>,
    held: usize,
}

impl<'a> Partial<'a> {
    fn new(pass: &'a Pass<'a>, kinds: &[Option<FieldType>]) -> Self {
        let fold = |(wanted, kind): (&'a Wanted<'a>, &Option<FieldType>)| {
            kind.map(|kind| new_fold(wanted.function, &wanted.arguments, kind, wanted.wants))
        };
        Self {
            folds: pass.wanted.iter().zip(kinds).map(fold).collect(),
            pass,
            leaves: leaves(pass.wanted),
            windows: WindowIndex::default(),
            held: 0,
        }
    }

    /// Reads members, the first of which has the number `first` in its group.
    fn read(&mut self, feed: &mut Feed<'_>, members: &[Member], first: usize) -> Result<(), QueryError> {
        for (number, member) in (first..).zip(members) {
            for at in 0..self.leaves.len() {
                let Some(&leaf) = self.leaves.get(at) else { continue };
                let Some(slot) = self.pass.views.get(member.view).and_then(|view| slot_of(view, leaf)) else {
                    continue;
                };
                self.read_field(feed, member, SeriesId(number as u32), leaf, slot)?;
            }
            self.count_memory()?;
        }
        Ok(())
    }

    fn read_field(
        &mut self,
        feed: &mut Feed<'_>,
        member: &Member,
        series: SeriesId,
        leaf: usize,
        slot: usize,
    ) -> Result<(), QueryError> {
        let pass = self.pass;
        let mut walk = self.set_out(feed, member, series, leaf, slot)?;
        let parts = self.parts(leaf).map(|parts| if walk.is_some() { parts.and(edges::NEEDED) } else { parts });
        let wish = Wish { parts, suffices: &|first, last| pass.windows.containing(first).contains(last) };
        feed.points(member, slot, pass.range, &wish, &mut |part| match part {
            Part::Points(times, values) => {
                self.add_points(series, leaf, times, values, walk.as_mut())?;
                self.count_memory()
            }
            Part::Summary(summary) => {
                if let Some(walk) = &mut walk {
                    let (first, last) = walk.ends(summary);
                    self.come_to(walk, &first)?;
                    walk.leave_at(last);
                }
                let place = self.place(self.window_of(summary.first_time))?;
                self.of_leaf(leaf).for_each(|fold| fold.add_summary(place, series, summary));
                Ok(())
            }
        })?;
        walk.map_or(Ok(()), |walk| self.arrive(feed, member, walk))
    }

    /// What summaries must tell to be as good as points for all functions of a field.
    fn parts(&mut self, leaf: usize) -> Option<Parts> {
        self.of_leaf(leaf).try_fold(Parts::NONE, |all, fold| fold.parts().map(|parts| all.and(parts)))
    }

    fn of_leaf(&mut self, leaf: usize) -> impl Iterator<Item = &mut Box<dyn Fold + 'a>> {
        let folds = self.folds.iter_mut().zip(self.pass.wanted);
        folds.filter(move |(_, wanted)| wanted.leaf == leaf).filter_map(|(fold, _)| fold.as_mut())
    }

    fn add_points(
        &mut self,
        series: SeriesId,
        leaf: usize,
        times: &[TimestampNs],
        values: &Values,
        mut walk: Option<&mut Walk>,
    ) -> Result<(), QueryError> {
        let mut from = 0;
        while let Some(rest) = times.get(from..)
            && let Some(&first) = rest.first()
        {
            let window = self.window_of(first);
            // Where a zone's clocks are set forward, the window of a point may end before it.
            let (inside, _) = rest.split_at(length_before(rest, window.end).max(1));
            let to = from + inside.len();
            let run = Run { series, times: inside, values: ValuesView::of(values, from..to) };
            if let Some(walk) = &mut walk {
                self.come_to(walk, &edges::point(times, values, from))?;
                walk.leave_at(edges::point(times, values, to - 1));
            }
            let place = self.place(window)?;
            self.of_leaf(leaf).for_each(|fold| fold.add(place, &run));
            from = to;
        }
        Ok(())
    }

    /// The window that holds `time`. What calendars and clocks say takes long to ask; mostly it is a window that was met before.
    fn window_of(&self, time: TimestampNs) -> TimeRange {
        let windows = self.pass.windows;
        let known = if windows.is_partition() { self.windows.holding(time) } else { None };
        known.unwrap_or_else(|| windows.containing(time))
    }

    /// The place of a window in all functions.
    pub(super) fn place(&mut self, window: TimeRange) -> Result<Place, QueryError> {
        let (number, is_new) = self.windows.number(window);
        if is_new {
            self.pass.job.check_windows(number + 1)?;
        }
        let range = self.pass.range;
        let span = TimeRange::new(window.start.max(range.start), window.end.min(range.end));
        Ok(Place { window: number, span })
    }

    pub(super) fn count_memory(&mut self) -> Result<(), QueryError> {
        let bytes = self.windows.bytes() + self.folds.iter().flatten().map(|fold| fold.bytes()).sum::<usize>();
        let grown = bytes.saturating_sub(self.held);
        self.held = self.held.max(bytes);
        if grown > 0 { self.pass.job.hold(grown) } else { Ok(()) }
    }

    /// Takes in what members after its own gave.
    fn merge(&mut self, other: Self) {
        let numbers: Vec<usize> = other.windows.windows.iter().map(|&window| self.windows.number(window).0).collect();
        self.folds.iter_mut().flatten().for_each(|fold| fold.grow(self.windows.windows.len()));
        self.held += other.held;
        for (fold, more) in self.folds.iter_mut().flatten().zip(other.folds.into_iter().flatten()) {
            fold.merge(more, &numbers);
        }
    }

    fn finish(self, kinds: Vec<Option<FieldType>>) -> Folded {
        let starts: Vec<TimestampNs> = self.windows.windows.iter().map(|window| window.start).collect();
        let mut order: Vec<usize> = (0..starts.len()).collect();
        order.sort_unstable_by_key(|&i| starts.get(i));
        let arranged = |fold: Option<Box<dyn Fold + 'a>>| {
            let mut picked = fold.map(Fold::finish).unwrap_or_default();
            order.iter().map(|&i| picked.get_mut(i).and_then(Option::take)).collect()
        };
        let picked = self.folds.into_iter().map(arranged).collect();
        self.pass.job.release(self.held);
        Folded { starts: order.iter().filter_map(|&i| starts.get(i).copied()).collect(), picked, kinds }
    }
}

fn leaves(wanted: &[Wanted<'_>]) -> Vec<usize> {
    let mut leaves: Vec<usize> = wanted.iter().map(|wanted| wanted.leaf).collect();
    leaves.sort_unstable();
    leaves.dedup();
    leaves
}

/// Numbers of windows by their start, in the order in which they were met. One series meets them in the order of time, and so
/// does the next: the window asked for mostly follows the one before, or is the first again.
#[derive(Default)]
struct WindowIndex {
    windows: Vec<TimeRange>,
    /// Number given last.
    last: usize,
    /// Filled only once a window comes out of this order.
    numbers: HashMap<TimestampNs, usize, RandomState>,
}

impl WindowIndex {
    /// The window met last, the one after it, or the first, if `time` is in it.
    fn holding(&self, time: TimestampNs) -> Option<TimeRange> {
        let likely = [self.last, self.last + 1, 0].into_iter().filter_map(|n| self.windows.get(n).copied());
        likely.into_iter().find(|window| window.contains(time))
    }

    /// The window's number, and whether it is new.
    fn number(&mut self, window: TimeRange) -> (usize, bool) {
        let start = window.start;
        let is_it = |n: &usize| self.windows.get(*n).is_some_and(|known| known.start == start);
        if let Some(number) = [self.last, self.last + 1, 0].into_iter().find(is_it) {
            self.last = number;
            return (number, false);
        }
        let is_newest = self.numbers.is_empty() && self.windows.last().is_none_or(|last| last.start < start);
        if is_newest {
            return self.add(window);
        }
        if self.numbers.is_empty() {
            self.numbers = self.windows.iter().map(|known| known.start).zip(0..).collect();
        }
        if let Some(&number) = self.numbers.get(&start) {
            self.last = number;
            return (number, false);
        }
        self.numbers.insert(start, self.windows.len());
        self.add(window)
    }

    fn add(&mut self, window: TimeRange) -> (usize, bool) {
        self.last = self.windows.len();
        self.windows.push(window);
        (self.last, true)
    }

    fn bytes(&self) -> usize {
        self.windows.len() * size_of::<TimeRange>()
            + self.numbers.len() * (size_of::<TimestampNs>() + size_of::<usize>() + 1)
    }
}

/// How many of the ascending `times` lie before `end`. Doubles its step, since windows are mostly much shorter than pieces.
fn length_before(times: &[TimestampNs], end: TimestampNs) -> usize {
    let mut step = 1;
    while times.get(step).is_some_and(|&time| time < end) {
        step *= 2;
    }
    let (low, high) = (step / 2, step.min(times.len()));
    low + times.get(low..high).unwrap_or_default().partition_point(|&time| time < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_before_a_border_is_found_at_every_length() {
        for len in 0..40i64 {
            let times: Vec<_> = (0..len).map(TimestampNs).collect();
            for end in 1..45 {
                let expected = end.min(len) as usize;
                assert_eq!(length_before(&times, TimestampNs(end)), expected, "{len} times before {end}");
            }
        }
    }
}
