//! A query held to a range of time.

use influxql::ast::{BinaryOp, Expr, Select};
use model::{TimeRange, TimestampNs};

/// The query over these times only. As in InfluxDB, what its WHERE says of time does not count; what subqueries say does.
pub(super) fn within(select: &Select, range: TimeRange) -> Select {
    let compared = |op, at: TimestampNs| {
        let time = Expr::Reference { name: "time".to_owned(), cast: None };
        binary(op, time, Expr::Integer(at.0))
    };
    let times = and(compared(BinaryOp::GreaterEq, range.start), compared(BinaryOp::Less, range.end));
    let condition = match select.condition.as_ref().and_then(without_time) {
        Some(own) => and(Expr::Paren(Box::new(own)), times),
        None => times,
    };
    Select { condition: Some(condition), ..select.clone() }
}

/// What is left of a condition without comparisons with time.
fn without_time(condition: &Expr) -> Option<Expr> {
    match condition {
        Expr::Paren(inner) => without_time(inner).map(|inner| Expr::Paren(Box::new(inner))),
        Expr::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
            match (without_time(left), without_time(right)) {
                (Some(left), Some(right)) => Some(binary(*op, left, right)),
                (left, right) => left.or(right),
            }
        }
        Expr::Binary { left, right, .. } if is_time(left) || is_time(right) => None,
        other => Some(other.clone()),
    }
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Reference { name, .. } if name.eq_ignore_ascii_case("time"))
}

fn and(left: Expr, right: Expr) -> Expr {
    binary(BinaryOp::And, left, right)
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use influxql::ast::Statement;

    fn held(condition: &str) -> String {
        let text = format!("SELECT mean(v) INTO y FROM m{condition} GROUP BY time(1m)");
        let parsed = influxql::parse(&text, &influxql::Params::new(), &influxql::Limits::default()).unwrap();
        let Some(Statement::Select(select)) = parsed.into_iter().next() else { panic!("{text}") };
        let held = within(&select, TimeRange::new(TimestampNs(60), TimestampNs(120))).to_string();
        held.split(" WHERE ").nth(1).and_then(|rest| rest.split(" GROUP BY ").next()).unwrap().to_owned()
    }

    #[test]
    fn the_range_joins_the_conditions_and_replaces_those_of_time() {
        let range = "time >= 60 AND time < 120";
        assert_eq!(held(""), range);
        assert_eq!(held(" WHERE a = 'x' OR b = 'y'"), format!("(a = 'x' OR b = 'y') AND {range}"));
        assert_eq!(held(" WHERE time > now() - 1h"), range);
        assert_eq!(held(" WHERE (5 < TIME AND a = 'x') AND time < 7"), format!("((a = 'x')) AND {range}"));
    }
}
