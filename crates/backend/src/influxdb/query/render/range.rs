//! WHERE: the filter, and the times wanted.

use influxql::ast::{BinaryOp, Expr};
use model::{TimeRange, TimestampNs};
use query::plan::{FillWith, Select};

use super::filter::{filter, part};
use super::{Around, Said, names, not_sayable};

/// All that a point must fulfil. Bounds that the query around this one has are left to it: they are not the same when it looks
/// beyond its range.
pub(super) fn condition(plan: &Select, outer: Option<&Around<'_>>) -> Said<Option<Expr>> {
    let mut parts = Vec::new();
    if let Some(of) = &plan.filter {
        parts.push(part(filter(of)?));
    }
    parts.extend(bounds(plan.range, outer.map_or(TimeRange::ALL, |outer| outer.range)));
    if let Some(end) = last_window(plan, outer)? {
        parts.push(end);
    }
    Ok(names::all(parts))
}

/// `time >= start AND time < end`, nanoseconds both.
pub(in super::super) fn bounds(range: TimeRange, outer: TimeRange) -> Vec<Expr> {
    let start =
        (range.start != outer.start && range.start != TimestampNs::MIN).then(|| time(BinaryOp::GreaterEq, range.start));
    let end = (range.end != outer.end && range.end != TimestampNs::MAX).then(|| time(BinaryOp::Less, range.end));
    start.into_iter().chain(end).collect()
}

/// Windows without an end would end now. Where empty ones are left out, the end of time will do.
fn last_window(plan: &Select, outer: Option<&Around<'_>>) -> Said<Option<Expr>> {
    let is_open = plan.window.is_some() && !plan.window_inherited && plan.range.end == TimestampNs::MAX;
    if !is_open {
        return Ok(None);
    }
    if plan.fill != FillWith::None || outer.is_some() {
        return not_sayable("windows up to the last point");
    }
    Ok(Some(time(BinaryOp::Less, TimestampNs::MAX)))
}

fn time(op: BinaryOp, at: TimestampNs) -> Expr {
    let time = Expr::Reference { name: "time".to_owned(), cast: None };
    names::binary(time, op, Expr::Integer(at.0))
}
