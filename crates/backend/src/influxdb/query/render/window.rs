//! GROUP BY time: windows of a fixed length. Calendar days and weeks have one too, in a zone whose clocks are not changed in the
//! range asked for.

use influxql::ast::Expr;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::TimestampNs;
use query::plan::{CalendarUnit, FillWith, Select, Windowing};

use super::{Around, Said, expr, not_sayable};

const SECOND_NS: i64 = 1_000_000_000;
const DAY_NS: i64 = 86_400 * SECOND_NS;
const WEEK_NS: i64 = 7 * DAY_NS;
/// Weeks are counted from Monday 1969-12-29.
const FIRST_MONDAY_NS: i64 = -3 * DAY_NS;

/// Length and shift of windows, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Width {
    width: i64,
    offset: i64,
}

impl Width {
    /// `time(width, offset)`. With an offset, be it of nothing, whole days are no days of the calendar to a hissrv either.
    pub(super) fn dimension(self) -> Expr {
        let is_alone = self.offset == 0 && self.width % DAY_NS != 0;
        let offset = (!is_alone).then_some(Expr::Duration(self.offset));
        let args = std::iter::once(Expr::Duration(self.width)).chain(offset).collect();
        Expr::Call { name: "time".to_owned(), args }
    }
}

/// The windows of a plan that asks for some itself.
pub(super) fn of(plan: &Select, outer: Option<&Around<'_>>) -> Said<Option<Width>> {
    let inherited = outer.and_then(|outer| outer.window);
    let width = match &plan.window {
        None if inherited.is_some() && expr::has_calls(plan) => return not_sayable("no windows inside of some"),
        None => return Ok(None),
        Some(window) if plan.window_inherited && inherited == Some(window) => return Ok(None),
        Some(_) if plan.window_inherited => return not_sayable("windows of a query that has none"),
        Some(Windowing::Fixed { width, offset_ns }) => Width { width: width.get(), offset: *offset_ns },
        Some(Windowing::Calendar { count, unit }) => calendar(plan, i64::from(*count), *unit)?,
    };
    // The real server would begin at the smallest time there is.
    let starts_anywhere = plan.range.start == TimestampNs::MIN && plan.fill != FillWith::None;
    if starts_anywhere && width.offset != 0 {
        return not_sayable("shifted windows from the first point on");
    }
    Ok(Some(width))
}

/// The zone that windows are aligned to and times are printed in.
pub(super) fn zone(plan: &Select) -> Option<&str> {
    let is_calendar = matches!(plan.window, Some(Windowing::Calendar { .. }));
    plan.time_zone.as_deref().filter(|_| !is_calendar)
}

fn calendar(plan: &Select, count: i64, unit: CalendarUnit) -> Said<Width> {
    let (unit_ns, first) = match unit {
        CalendarUnit::Day => (DAY_NS, 0),
        CalendarUnit::Week => (WEEK_NS, FIRST_MONDAY_NS),
        CalendarUnit::Month | CalendarUnit::Year => return not_sayable("windows of calendar months and years"),
    };
    let lengths = unit_ns.checked_mul(count).and_then(|width| Some((width, clocks(plan, width)?)));
    match lengths {
        // A straight line over time is not rounded as one over the numbers of the windows.
        Some((width, ahead)) if plan.fill != FillWith::Linear => {
            Ok(Width { width, offset: first.saturating_sub(ahead) % width })
        }
        _ => not_sayable("windows of calendar units whose length changes"),
    }
}

/// What the clocks of the plan's zone are ahead of UTC, in nanoseconds, when that is the same in all its windows.
fn clocks(plan: &Select, width: i64) -> Option<i64> {
    let zone = match plan.time_zone.as_deref() {
        Some(name) => TimeZone::get(name).ok()?,
        None => TimeZone::UTC,
    };
    let (from, to) = (plan.range.start.saturating_add(-width), plan.range.end.saturating_add(width));
    let from = Timestamp::from_nanosecond(i128::from(from.0)).ok()?;
    let change = zone.following(from).next();
    if change.is_some_and(|change| change.timestamp().as_nanosecond() <= i128::from(to.0)) {
        return None;
    }
    Some(i64::from(zone.to_offset(from).seconds()) * SECOND_NS)
}
