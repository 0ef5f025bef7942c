//! Tells functions of the points beside windows, series by series, as far as they ask for it, see [`Beside`].
//!
//! The last point of one window is handed to the next. The newest point before the range is read once a series, the oldest one
//! behind it only where something depends on it. Not here: what functions make of them.

use model::{FieldType, SeriesId, TimeRange, TimestampNs, Values};

use super::feed::{Feed, Reach};
use super::folds::Partial;
use super::group::{Data, Member};
use crate::QueryError;
use crate::aggregate::{Beside, Run, View};
use crate::plan::Order;
use crate::scan::{Parts, Summary};
use crate::store::Track;

/// What windows beside each other need of summaries, whatever the functions themselves need.
pub(super) const NEEDED: Parts = Parts::ENDS.and(Parts::FIRST).and(Parts::LAST);

/// A way through the points of one field of one series.
pub(super) struct Walk {
    pub(super) series: SeriesId,
    pub(super) leaf: usize,
    slot: usize,
    kind: FieldType,
    /// The newest point so far.
    last: Option<Track>,
    /// Its window; `None`: it lies before the range.
    window: Option<TimeRange>,
}

impl Walk {
    /// Remembers the newest point.
    pub(super) fn leave_at(&mut self, last: Track) {
        self.last = Some(last);
    }

    /// First and last point of a summary.
    pub(super) fn ends(&self, summary: &Summary) -> (Track, Track) {
        let end = |time, value: f64| {
            let values = match self.kind {
                FieldType::Integer => Values::Integer(vec![value as i64]),
                FieldType::Unsigned => Values::Unsigned(vec![value as u64]),
                FieldType::Float | FieldType::Boolean | FieldType::String => Values::Float(vec![value]),
            };
            Track { times: vec![time], values }
        };
        (end(summary.first_time, summary.first), end(summary.last_time, summary.last))
    }
}

/// One point of a column.
pub(super) fn point(times: &[TimestampNs], values: &Values, index: usize) -> Track {
    let times = times.get(index).copied().into_iter().collect();
    Track { times, values: values.slice(index, index + 1) }
}

impl Partial<'_> {
    /// Starts with a series, at the newest point before the range; `None` where no function looks beside its windows.
    pub(super) fn set_out(
        &self,
        feed: &mut Feed<'_>,
        member: &Member,
        series: SeriesId,
        leaf: usize,
        slot: usize,
    ) -> Result<Option<Walk>, QueryError> {
        let start = self.pass.range.start;
        // Most at last: a limit that is missing.
        let reach = |beside: Beside| beside.longest_ns().unwrap_or(i64::MAX);
        let Some(reach) = self.beside(leaf).map(reach).max() else { return Ok(None) };
        let kind = feed.views.get(member.view).and_then(|view| view.slots.get(slot));
        let Some(kind) = kind.map(|slot| slot.kind) else { return Ok(None) };
        let range = TimeRange::new(before(start, reach), start);
        let last = feed.nearest(member, slot, range, Order::Descending)?;
        Ok(Some(Walk { series, leaf, slot, kind, last, window: None }))
    }

    /// How the functions of a field look beside their windows, those that do.
    fn beside(&self, leaf: usize) -> impl Iterator<Item = Beside> {
        let all = self.pass.wanted.iter().filter(move |wanted| wanted.leaf == leaf);
        all.map(|wanted| wanted.function.beside(&wanted.arguments)).filter(|beside| *beside != Beside::Nothing)
    }

    /// Goes on to a point, which is the first of what is to be added next.
    pub(super) fn come_to(&mut self, walk: &mut Walk, first: &Track) -> Result<(), QueryError> {
        let Some(&time) = first.times.first() else { return Ok(()) };
        let window = self.pass.windows.containing(time);
        if walk.window == Some(window) {
            return Ok(());
        }
        if let Some(last) = walk.last.take() {
            self.go_through(walk, &last, Some(first), window.start)?;
            self.tell(walk, window, Some(&last), None, |_| true)?;
        }
        walk.window = Some(window);
        Ok(())
    }

    /// Ends with a series, at the oldest point behind the range.
    pub(super) fn arrive(&mut self, feed: &mut Feed<'_>, member: &Member, mut walk: Walk) -> Result<(), QueryError> {
        let Some(last) = walk.last.take() else { return Ok(()) };
        let end = self.pass.range.end;
        let after = TimeRange::new(end, self.look_ahead(&walk, &last));
        let after = feed.nearest(member, walk.slot, after, Order::Ascending)?;
        self.go_through(&walk, &last, after.as_ref(), end)
    }

    /// Up to where a point behind the range makes a difference.
    fn look_ahead(&self, walk: &Walk, last: &Track) -> TimestampNs {
        let end = self.pass.range.end;
        let time = last.times.first().copied().unwrap_or(end);
        let has_windows_left = walk.window.is_none_or(|window| window.end < end);
        let ahead = |beside| match beside {
            Beside::Lines { longest_ns: None } => TimestampNs::MAX,
            Beside::Lines { longest_ns: Some(longest) } => time.saturating_add(longest).saturating_add(1),
            Beside::Steps { longest_ns: None } if has_windows_left => TimestampNs::MAX,
            Beside::Steps { .. } | Beside::Before | Beside::Nothing => end,
        };
        self.beside(walk.leaf).map(ahead).max().unwrap_or(end)
    }

    /// Leaves the window of the point `last`, and tells the windows from there to `until`, which have no points.
    fn go_through(
        &mut self,
        walk: &Walk,
        last: &Track,
        next: Option<&Track>,
        until: TimestampNs,
    ) -> Result<(), QueryError> {
        let mut at = self.pass.range.start;
        if let Some(window) = walk.window {
            self.tell(walk, window, None, next, |beside| matches!(beside, Beside::Lines { .. }))?;
            at = window.end;
        }
        let (Some(&from), to) = (last.times.first(), next.and_then(|next| next.times.first().copied())) else {
            return Ok(());
        };
        while at < until {
            self.pass.job.check()?;
            self.count_memory()?;
            let window = self.pass.windows.containing(at);
            let is_known = self.tell(walk, window, Some(last), next, |beside| beside.reaches(from, to, at))?;
            if !is_known || window.end <= at {
                break;
            }
            at = window.end;
        }
        Ok(())
    }

    /// Tells the functions of a field whose way of looking fits of the points beside a window; false where there are none.
    fn tell(
        &mut self,
        walk: &Walk,
        window: TimeRange,
        before: Option<&Track>,
        after: Option<&Track>,
        fits: impl Fn(Beside) -> bool,
    ) -> Result<bool, QueryError> {
        if !self.beside(walk.leaf).any(&fits) || (before.is_none() && after.is_none()) {
            return Ok(false);
        }
        let place = self.place(window)?;
        for (fold, wanted) in self.folds.iter_mut().zip(self.pass.wanted) {
            let beside = wanted.function.beside(&wanted.arguments);
            let Some(fold) = fold.as_mut().filter(|_| wanted.leaf == walk.leaf && beside != Beside::Nothing) else {
                continue;
            };
            if fits(beside) {
                before.iter().for_each(|before| fold.enter(place, &run(walk.series, before)));
                after.iter().for_each(|after| fold.leave(place, &run(walk.series, after)));
            }
        }
        Ok(true)
    }
}

/// So much earlier; no limit reaches to the beginning.
fn before(time: TimestampNs, ns: i64) -> TimestampNs {
    if ns == i64::MAX { TimestampNs::MIN } else { time.saturating_add(-ns) }
}

fn run(series: SeriesId, point: &Track) -> Run<'_> {
    Run { series, times: &point.times, values: View::of(&point.values, 0..1) }
}

impl Feed<'_> {
    /// The first point of a field of a member inside `range`, or the last one. `None` also where points must fulfil a condition on a
    /// field, or are rows of a subquery: that would be a search without an end.
    fn nearest(
        &mut self,
        member: &Member,
        slot: usize,
        range: TimeRange,
        order: Order,
    ) -> Result<Option<Track>, QueryError> {
        let Some(view) = self.views.get(member.view).filter(|_| !range.is_empty()) else { return Ok(None) };
        let is_filtered = view.filter.as_ref().is_some_and(|filter| !filter.slots.is_empty());
        let Data::Stored(columns) = &member.data else { return Ok(None) };
        if is_filtered {
            return Ok(None);
        }
        let Some(track) = self.track(view, columns, slot, range, Reach { order, rows: Some(1) })? else {
            return Ok(None);
        };
        self.let_go(&track);
        let index = if order == Order::Ascending { 0 } else { track.times.len().saturating_sub(1) };
        Ok(track.times.get(index).map(|_| point(&track.times, &track.values, index)))
    }
}
