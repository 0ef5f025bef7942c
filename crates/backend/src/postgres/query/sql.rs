//! The statements by which points and what is known of them are read. Values are parameters always: `$1` the series, `$2` and `$3`
//! the range, then those of the condition and the windows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::{FieldType, TimeRange, TimestampNs};
use postgres::Row;
use query::{Cell, Summary};

use super::bins::Bins;
use super::condition::Condition;
use super::stream::{Ask, Decode, Parameter};
use super::uses::{Rows, Use};
use crate::postgres::encode::system_time;
use crate::postgres::known::Field;
use crate::postgres::names::Relation;
use query::plan::Order;

/// Number of the first parameter behind series and range.
const NEXT: usize = 4;

/// A field of a table, and which of its rows count.
pub(super) struct From<'a> {
    pub(super) table: &'a Relation,
    pub(super) field: &'a Field,
    pub(super) condition: &'a Condition,
    pub(super) range: TimeRange,
}

/// One value of one series.
pub(super) type SeriesPoint = (i32, TimestampNs, Cell);

/// What is known of the points of one series and one window.
pub(super) type SeriesSummary = (i32, Summary);

impl From<'_> {
    /// The points of one series, in the order of time; with `rows` those at one end, from that end on.
    pub(super) fn points(&self, series: i32, rows: Option<Rows>) -> Ask {
        let (condition, values) = self.condition.render(NEXT);
        let order = if rows.is_some_and(|rows| rows.order == Order::Descending) { "DESC" } else { "ASC" };
        let limit = rows.map(|rows| format!(" LIMIT {}", rows.count)).unwrap_or_default();
        let sql = format!(
            "SELECT series, time, {} FROM {} WHERE series = $1::int4 AND {}{condition} ORDER BY time {order}{limit}",
            self.value(),
            self.table,
            self.is_inside(),
        );
        Ask { sql, parameters: self.parameters(Box::new(series), values, Vec::new()) }
    }

    /// Count, sum and extremes of each series and window. What nobody uses is null.
    pub(super) fn summaries(&self, series: Vec<i32>, bins: &Bins, used: Use) -> Ask {
        let (condition, values) = self.condition.render(NEXT);
        let (bin, bin_values) = bins.render(NEXT + values.len());
        // A constant is no expression to group by.
        let groups = if *bins == Bins::One { "series".to_owned() } else { format!("series, {bin}") };
        let column = &self.field.column;
        let is_float = self.field.kind == FieldType::Float;
        let call = |function: &str, is_used: bool| {
            if is_float && is_used { format!("{function}({column})") } else { "NULL::float8".to_owned() }
        };
        let sql = format!(
            "SELECT series, min(time), max(time), count(*), {}, {}, {} FROM {} WHERE series = ANY($1::int4[]) AND {}{condition} \
             GROUP BY {groups} ORDER BY series, 2",
            call("sum", used.sum),
            call("min", used.min),
            call("max", used.max),
            self.table,
            self.is_inside(),
        );
        Ask { sql, parameters: self.parameters(Box::new(series), values, bin_values) }
    }

    /// The points of each series and window that are first, last, smallest or largest, as far as that is used; some may come twice.
    pub(super) fn chosen(&self, series: Vec<i32>, bins: &Bins, used: Use) -> Ask {
        let (condition, values) = self.condition.render(NEXT);
        let (bin, bin_values) = bins.render(NEXT + values.len());
        let mut parts = Vec::new();
        for (is_used, order, is_edge) in [
            (used.first, "time", true),
            (used.last, "time DESC", true),
            (used.min, "o, time", false),
            (used.max, "o DESC, time", false),
        ] {
            if is_used && is_edge && *bins == Bins::One {
                parts.push(self.edge(order, &condition));
            } else if is_used {
                parts.push(self.distinct(order, &bin, &condition));
            }
        }
        let sql = format!("SELECT id, time, v FROM ({}) AS chosen ORDER BY 1, 2", parts.join(" UNION ALL "));
        Ask { sql, parameters: self.parameters(Box::new(series), values, bin_values) }
    }

    /// One point of each series, found by the index.
    fn edge(&self, order: &str, condition: &str) -> String {
        format!(
            "(SELECT s.id, e.time, e.v FROM unnest($1::int4[]) AS s (id) CROSS JOIN LATERAL (SELECT time, {} AS v FROM {} \
             WHERE series = s.id AND {}{condition} ORDER BY {order} LIMIT 1) AS e)",
            self.value(),
            self.table,
            self.is_inside(),
        )
    }

    /// One point of each series and window.
    fn distinct(&self, order: &str, bin: &str, condition: &str) -> String {
        format!(
            "(SELECT DISTINCT ON (id, bin) id, time, v FROM (SELECT series AS id, time, {} AS v, {} AS o, {bin} AS bin FROM {} \
             WHERE series = ANY($1::int4[]) AND {}{condition}) AS p ORDER BY id, bin, {order})",
            self.value(),
            self.field.column,
            self.table,
            self.is_inside(),
        )
    }

    /// The column as the client reads it, which has no type for `numeric`.
    fn value(&self) -> String {
        match self.field.kind {
            FieldType::Unsigned => format!("{}::text", self.field.column),
            _ => self.field.column.to_string(),
        }
    }

    fn is_inside(&self) -> String {
        format!("time >= $2::timestamptz AND time < $3::timestamptz AND {} IS NOT NULL", self.field.column)
    }

    fn parameters(&self, series: Parameter, condition: Vec<Parameter>, bins: Vec<Parameter>) -> Vec<Parameter> {
        let [start, end] = bounds(self.range);
        let mut all: Vec<Parameter> = vec![series, Box::new(start), Box::new(end)];
        all.extend(condition);
        all.extend(bins);
        all
    }
}

/// Bounds in whole microseconds: the first one not before the start, and the first one not before the end.
pub(super) fn bounds(range: TimeRange) -> [SystemTime; 2] {
    let up = |time: TimestampNs| time.0.div_euclid(1000) + i64::from(time.0.rem_euclid(1000) > 0);
    [range.start, range.end].map(|time| system_time(up(time)))
}

/// How rows of points of a type are read.
pub(super) fn decoder(kind: FieldType) -> Decode<SeriesPoint> {
    match kind {
        FieldType::Float => |row| point(row, Cell::Float(row.try_get(2)?)),
        FieldType::Integer => |row| point(row, Cell::Integer(row.try_get(2)?)),
        FieldType::Boolean => |row| point(row, Cell::Boolean(row.try_get(2)?)),
        FieldType::String => |row| point(row, Cell::String(row.try_get(2)?)),
        FieldType::Unsigned => |row| {
            let digits: &str = row.try_get(2)?;
            // A number that somebody else has put there may be too large.
            point(row, digits.parse().map_or(Cell::Null, Cell::Unsigned))
        },
    }
}

fn point(row: &Row, cell: Cell) -> Result<SeriesPoint, postgres::Error> {
    Ok((row.try_get(0)?, nanos(row.try_get(1)?), cell))
}

pub(super) fn summary(row: &Row) -> Result<SeriesSummary, postgres::Error> {
    let number = |index: usize| row.try_get::<_, Option<f64>>(index).map(Option::unwrap_or_default);
    let count: i64 = row.try_get(3)?;
    let summary = Summary {
        count: count.unsigned_abs(),
        first_time: nanos(row.try_get(1)?),
        last_time: nanos(row.try_get(2)?),
        sum: number(4)?,
        min: number(5)?,
        max: number(6)?,
        first: 0.0,
        last: 0.0,
        ..Summary::default()
    };
    Ok((row.try_get(0)?, summary))
}

fn nanos(time: SystemTime) -> TimestampNs {
    let nanos = |d: Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
    TimestampNs(match time.duration_since(UNIX_EPOCH) {
        Ok(after) => nanos(after),
        Err(before) => nanos(before.duration()).saturating_neg(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::names::Ident;

    #[test]
    fn bounds_are_the_first_microseconds_that_are_not_before_them() {
        let of = |start, end| bounds(TimeRange::new(TimestampNs(start), TimestampNs(end))).map(|time| nanos(time).0);
        assert_eq!(of(0, 1000), [0, 1000]);
        assert_eq!(of(1, 1001), [1000, 2000]);
        assert_eq!(of(-1, -1000), [0, -1000]);
        assert_eq!(of(i64::MIN, i64::MIN), [i64::MIN / 1000 * 1000; 2]);
    }

    #[test]
    fn names_are_quoted_and_values_are_parameters() {
        let field = Field { column: Ident::column("a\"b"), kind: FieldType::Float };
        let table = Relation::new(&Ident::schema("d;", None), Ident::table("m'"));
        let range = TimeRange::new(TimestampNs(0), TimestampNs(1000));
        let from = From { table: &table, field: &field, condition: &Condition::default(), range };
        let all = Use { first: true, max: true, sum: true, ..Use::default() };
        let regular = Bins::Regular { width: 60_000_000, origin: 0 };
        let asked = [
            from.points(1, Some(Rows { order: Order::Descending, count: 3 })),
            from.summaries(vec![1], &regular, all),
            from.chosen(vec![1], &regular, all),
            from.chosen(vec![1], &Bins::One, all),
        ];
        let lengths = [3, 4, 4, 3];
        for (ask, length) in asked.iter().zip(lengths) {
            assert!(ask.sql.contains("\"d;\".\"m'\"") && ask.sql.contains("\"a\"\"b\""), "{}", ask.sql);
            assert_eq!(ask.parameters.len(), length, "{}", ask.sql);
        }
        assert!(asked[0].sql.ends_with("ORDER BY time DESC LIMIT 3"), "{}", asked[0].sql);
        assert!(asked[1].sql.contains("sum(\"a\"\"b\"), NULL::float8, max("), "{}", asked[1].sql);
    }
}
