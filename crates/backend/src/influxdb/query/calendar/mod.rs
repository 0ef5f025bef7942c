//! Windows that InfluxQL does not have: calendar months and years, and days where clocks are changed. Each is a question of its
//! own, over its range; the answers are put together to rows. Only where a window's row says nothing of other windows: one value a
//! function, and empty windows left out or null.

mod division;
mod gathered;

use model::TimestampNs;
use query::plan::expr::{AggregateCall, Expr};
use query::plan::{Column, FillWith, Order, Select, Source, Windowing};

use super::after::{After, Cut};

pub(super) use division::Division;

/// True when the windows of a plan can be asked for one by one.
pub(super) fn is_divisible(plan: &Select) -> bool {
    let is_calendar = matches!(plan.window, Some(Windowing::Calendar { .. })) && !plan.window_inherited;
    let is_open = plan.range.start == TimestampNs::MIN || (plan.range.end == TimestampNs::MAX && fills(plan));
    let is_stored = plan.sources.iter().all(|source| matches!(source, Source::Measurement(_)));
    let takes_all_series = plan.series_limit.is_none() && plan.series_offset == 0;
    let cuts_by_function = plan.limit_each && plan.columns.len() > 1 && (plan.limit.is_some() || plan.offset > 0);
    let is_filled_so = match plan.fill {
        FillWith::None => plan.columns.iter().all(|column| is_of_windows(&column.expr)),
        FillWith::Null => plan.columns.iter().all(|column| plain(column).is_some()),
        _ => false,
    };
    let goes_forwards = plan.direction == Order::Ascending;
    is_calendar && !is_open && is_stored && takes_all_series && !cuts_by_function && is_filled_so && goes_forwards
}

fn fills(plan: &Select) -> bool {
    plan.fill != FillWith::None
}

/// True when an expression is made of functions that give one value a window.
fn is_of_windows(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(call) => is_plain(call),
        Expr::Literal(_) => true,
        Expr::Math { args, .. } => args.iter().all(is_of_windows),
        Expr::Binary { left, right, .. } => is_of_windows(left) && is_of_windows(right),
        _ => false,
    }
}

/// The function that a column is by itself.
pub(super) fn plain(column: &Column) -> Option<&AggregateCall> {
    match &column.expr {
        Expr::Aggregate(call) if is_plain(call) => Some(call),
        _ => None,
    }
}

fn is_plain(call: &AggregateCall) -> bool {
    let picks_several = matches!(call.function.as_str(), "top" | "bottom" | "sample" | "distinct");
    !picks_several && call.function != query::pick::INTEGRAL && matches!(*call.of, Expr::Reference(_))
}

/// What is left to do with the rows: order and limit, which no question had.
pub(super) fn after(plan: &Select) -> After {
    let cut = Cut { offset: plan.offset, limit: plan.limit.unwrap_or(usize::MAX) };
    let is_cut = plan.limit.is_some() || plan.offset > 0;
    let is_turned = plan.order == Order::Descending;
    After { rows_are_turned: is_turned, cut: is_cut.then_some(cut), ..After::default() }
}
