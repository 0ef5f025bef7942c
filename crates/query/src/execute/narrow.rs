//! A limit on windows saves reading the rest of the range: which part of it is enough.

use model::{TimeRange, TimestampNs};

use super::computed::Work;
use crate::plan::{FillWith, Order};
use crate::store::Extent;

/// A part of a range that is enough under a condition.
pub(super) struct Narrow {
    pub(super) range: TimeRange,
    /// Start of the window from which those asked for are counted: there must be points in it.
    pub(super) must_have: Option<TimestampNs>,
}

/// The part of `range` that holds the windows asked for; `None` when everything must be read. Windows are all there only where
/// empty ones are filled, and a straight line needs the windows behind its end, as does a value that is repeated towards them.
pub(super) fn range(work: &mut Work<'_, '_, '_>, range: TimeRange) -> Option<Narrow> {
    let plan = work.layout.plan;
    let windows = &work.layout.windows;
    let width = windows.regular()?;
    let count = i64::try_from(plan.limit?.checked_add(plan.offset)?).ok()?;
    let looks_beyond = match plan.fill {
        FillWith::None | FillWith::Linear => true,
        FillWith::Previous => plan.order != plan.direction,
        FillWith::Null | FillWith::Value(_) | FillWith::Exactly(_) => false,
    };
    if looks_beyond || !work.layout.calls.are_all_plain() {
        return None;
    }
    let length = width.checked_mul(count)?;
    let (narrow, must_have) = match plan.order {
        Order::Ascending => {
            let is_open = range.start == TimestampNs::MIN;
            let first = if is_open { extent(work, range)?.first } else { range.start };
            let start = windows.containing(first).start;
            let end = start.saturating_add(length);
            (TimeRange::new(range.start, end.min(range.end)), is_open.then_some(start))
        }
        Order::Descending => {
            let is_open = range.end == TimestampNs::MAX;
            let last = if is_open { extent(work, range)?.last } else { range.end.saturating_add(-1) };
            let window = windows.containing(last);
            let start = window.end.saturating_add(-length);
            (TimeRange::new(start.max(range.start), range.end), is_open.then_some(window.start))
        }
    };
    (narrow != range && !narrow.is_empty()).then_some(Narrow { range: narrow, must_have })
}

/// Where the points of the group are.
fn extent(work: &mut Work<'_, '_, '_>, range: TimeRange) -> Option<Extent> {
    let mut whole: Option<Extent> = None;
    let mut some = Vec::new();
    for member in &work.group.members {
        let Some(view) = work.views.get(member.view) else { continue };
        for slot in 0..view.slots.len() {
            work.feed.extents(member, slot, range, &mut some);
        }
        for extent in some.drain(..) {
            whole = Some(whole.map_or(extent, |w| Extent {
                first: w.first.min(extent.first),
                last: w.last.max(extent.last),
                count: w.count + extent.count,
            }));
        }
    }
    whole
}
