//! Where the points of a plan end, for windows that end there.

use model::{TimeRange, TimestampNs};
use query::QueryError;
use query::plan::expr::{AggregateCall, Expr};
use query::plan::{Column, FillWith, Order, Select};

use super::answer::Budget;
use super::calendar::plain;
use super::render::{self, Scene};
use super::{Ask, ask, tables};

/// The column that counts the points of windows without an end, where all columns are of one field and empty windows null. Asked up to
/// the last point of all series, a server gives windows behind the last point of each: those in which nothing is counted.
pub(super) fn counting(plan: &Select) -> Option<usize> {
    let is_open = plan.window.is_some() && plan.range.end == TimestampNs::MAX && plan.range.start != TimestampNs::MIN;
    let goes_forwards = plan.direction == Order::Ascending;
    let is_one_field = fields(plan).len() == 1 && plan.columns.iter().all(|column| plain(column).is_some());
    let counts = |column: &Column| plain(column).is_some_and(|call| call.function == "count");
    let count = plan.columns.iter().position(counts)?;
    (is_open && goes_forwards && is_one_field && plan.fill == FillWith::Null).then_some(count)
}

/// The plan over one range without windows, all of it in the order of time.
pub(super) fn whole(plan: &Select, range: TimeRange) -> Select {
    Select {
        range,
        window: None,
        fill: FillWith::None,
        order: Order::Ascending,
        direction: Order::Ascending,
        limit: None,
        offset: 0,
        time_zone: None,
        ..plan.clone()
    }
}

/// The time of the newest point that the functions of a plan read; the smallest time there is without any.
///
/// # Errors
/// The server's, which is asked for each field.
pub(super) fn last_point(asker: &dyn Ask, plan: &Select, budget: &Budget<'_>) -> Result<TimestampNs, QueryError> {
    let mut newest = TimestampNs::MIN;
    for field in fields(plan) {
        let column = Column { expr: Expr::Aggregate(last(field)), alias: None };
        let plan = Select { columns: vec![column], group_by: Vec::new(), ..whole(plan, plan.range) };
        let question = render::question(&plan, &Scene { into: false, kinds: &[] });
        let question = question.map_err(|error| QueryError::invalid(error.to_string()))?;
        ask(asker, &question, budget, &mut |part| {
            let times = tables::times(part.cells.0.first().map(Vec::as_slice).unwrap_or_default())?;
            newest = times.into_iter().fold(newest, TimestampNs::max);
            Ok(())
        })?;
    }
    Ok(newest)
}

/// `last(field)`
fn last(field: &Expr) -> AggregateCall {
    AggregateCall {
        function: "last".to_owned(),
        label: "last".to_owned(),
        of: Box::new(field.clone()),
        keys: Vec::new(),
        arguments: Vec::new(),
    }
}

/// The fields that functions are computed of, each once.
pub(super) fn fields(plan: &Select) -> Vec<&Expr> {
    let mut fields = Vec::new();
    plan.columns.iter().for_each(|column| add_fields(&column.expr, &mut fields));
    fields
}

fn add_fields<'e>(expr: &'e Expr, fields: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Aggregate(call) => {
            let known = fields
                .iter()
                .any(|field| matches!((field, &*call.of), (Expr::Reference(a), Expr::Reference(b)) if a == b));
            if !known {
                fields.push(&call.of);
            }
        }
        Expr::Math { args, .. } => args.iter().for_each(|arg| add_fields(arg, fields)),
        Expr::Binary { left, right, .. } => {
            add_fields(left, fields);
            add_fields(right, fields);
        }
        _ => {}
    }
}
