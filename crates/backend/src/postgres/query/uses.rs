//! What a plan does with the values of each field, and so how little of them has to be read: the extremes or the ends of each window
//! instead of all points, or the first rows of each series.

use std::collections::HashMap;

use query::plan::expr::{Cast, Expr, Kinds, Reference};
use query::plan::{FillWith, Order, Select};

/// Rows that are sorted the other way round in memory, at most.
const NEWEST_MAX: usize = 100_000;

/// What is done with the values of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Use {
    /// `first` is computed.
    pub(super) first: bool,
    /// `last` is computed.
    pub(super) last: bool,
    /// `min`, or something with it.
    pub(super) min: bool,
    /// `max`, or something with it.
    pub(super) max: bool,
    /// They are counted.
    pub(super) count: bool,
    /// They are added up.
    pub(super) sum: bool,
    /// Something that needs all points.
    pub(super) all: bool,
}

impl Use {
    /// All points are needed.
    const ALL: Self = Self { first: false, last: false, min: false, max: false, count: false, sum: false, all: true };

    /// Whether counts, sums and extremes of a window are enough (and its ends, where they are used, too).
    pub(super) fn is_summed(self) -> bool {
        !self.all && (self.count || self.sum || self.min || self.max)
    }

    /// Whether the ends and extremes of a window say as much as all of its points.
    pub(super) fn is_reducible(self) -> bool {
        !(self.count || self.sum || self.all) && (self.first || self.last || self.min || self.max)
    }

    fn join(self, other: Self) -> Self {
        Self {
            first: self.first || other.first,
            last: self.last || other.last,
            min: self.min || other.min,
            max: self.max || other.max,
            count: self.count || other.count,
            sum: self.sum || other.sum,
            all: self.all || other.all,
        }
    }

    fn of_function(name: &str) -> Self {
        let none = Self::default();
        match name {
            "first" => Self { first: true, ..none },
            "last" => Self { last: true, ..none },
            "min" => Self { min: true, ..none },
            "max" => Self { max: true, ..none },
            "count" => Self { count: true, ..none },
            "sum" | "mean" => Self { count: true, sum: true, ..none },
            "spread" => Self { min: true, max: true, ..none },
            _ => Self { all: true, ..none },
        }
    }
}

/// Which rows of each series are enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) order: Order,
    pub(super) count: usize,
}

/// What a plan does with fields.
#[derive(Debug, Default)]
pub(super) struct Uses {
    by_field: HashMap<String, Use>,
    /// What is done with every field.
    every: Use,
    /// Rows of each series that are enough; `None`: all.
    pub(super) rows: Option<Rows>,
}

impl Uses {
    /// Of a plan whose sources are all measurements. `is_filtered`: points are left out after they were read.
    pub(super) fn of(plan: &Select, is_filtered: bool) -> Self {
        if is_filtered {
            return Self::everything();
        }
        let mut uses = Self { rows: rows(plan), ..Self::default() };
        plan.columns.iter().for_each(|column| uses.note(&column.expr));
        uses
    }

    /// Of a plan that is not looked at closer.
    pub(super) fn everything() -> Self {
        Self { every: Use::ALL, ..Self::default() }
    }

    /// What is done with the values of a field.
    pub(super) fn of_field(&self, field: &str) -> Use {
        self.by_field.get(field).map_or(self.every, |of_field| of_field.join(self.every))
    }

    fn note(&mut self, expr: &Expr) {
        match expr {
            Expr::Aggregate(call) => {
                let used = Use::of_function(&call.function);
                self.add(&call.of, used);
                // The values of other fields are looked up at chosen points.
                call.keys.iter().for_each(|key| self.add_reference(key, Use::ALL));
            }
            Expr::Transform(call) => self.note(&call.of),
            Expr::Math { args, .. } => args.iter().for_each(|arg| self.note(arg)),
            Expr::Binary { left, right, .. } => {
                self.note(left);
                self.note(right);
            }
            leaf => self.add(leaf, Use::ALL),
        }
    }

    fn add(&mut self, of: &Expr, used: Use) {
        match of {
            Expr::Reference(reference) => self.add_reference(reference, used),
            Expr::All(Kinds::Tags) | Expr::Literal(_) | Expr::Pattern(_) => {}
            Expr::All(_) | Expr::Like(_) => self.every = self.every.join(used),
            other => self.note(other),
        }
    }

    fn add_reference(&mut self, reference: &Reference, used: Use) {
        // Values that are converted first may be equal where they were not.
        let used = if matches!(reference.cast, Some(Cast::Type(_))) { Use::ALL } else { used };
        if reference.cast != Some(Cast::Tag) {
            let known = self.by_field.entry(reference.name.clone()).or_default();
            *known = known.join(used);
        }
    }
}

/// With a limit, the rows at one end of each series are enough: the answer's rows are the first ones of all of them. A value that
/// is repeated from the row before would need more.
fn rows(plan: &Select) -> Option<Rows> {
    let is_raw = plan.columns.iter().all(|column| !has_call(&column.expr));
    let count = plan.limit?.checked_add(plan.offset)?;
    let is_small = plan.order == Order::Ascending || count <= NEWEST_MAX;
    let is_enough = is_raw && is_small && plan.fill != FillWith::Previous && i64::try_from(count).is_ok();
    is_enough.then_some(Rows { order: plan.order, count })
}

fn has_call(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(_) | Expr::Transform(_) => true,
        Expr::Math { args, .. } => args.iter().any(has_call),
        Expr::Binary { left, right, .. } => has_call(left) || has_call(right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;
    use query::compile::{Context, Dialect, compile};

    fn plan(query: &str) -> Select {
        let parsed = influxql::parse(query, &influxql::Params::default(), &influxql::Limits::default()).unwrap();
        let [influxql::ast::Statement::Select(select)] = parsed.as_slice() else { panic!("{query}") };
        let (now, database) = (TimestampNs(0), Some("d".to_owned()));
        compile(select, &Context { now, database, policy: None, dialect: Dialect::Extended, into: false }).unwrap()
    }

    fn reducible(query: &str, field: &str) -> bool {
        Uses::of(&plan(query), false).of_field(field).is_reducible()
    }

    #[test]
    fn ends_and_extremes_are_enough_where_nothing_else_is_asked_of_a_field() {
        assert!(reducible("SELECT last(v), max(v) + min(v) FROM m", "v"));
        assert!(reducible("SELECT last(*) FROM m", "anything"));
        assert!(reducible("SELECT last(v), mean(w) FROM m", "v"));
        for query in [
            "SELECT last(v), mean(v) FROM m",
            "SELECT last(v), mean(*) FROM m",
            "SELECT last(v::integer) FROM m",
            "SELECT last(w), v FROM m",
            "SELECT difference(v) FROM m",
            "SELECT stddev(v), max(v) FROM m",
            "SELECT top(w, v, 3) FROM m",
        ] {
            assert!(!reducible(query, "v"), "{query}");
        }
        assert!(!Uses::of(&plan("SELECT last(v) FROM m"), true).of_field("v").is_reducible());
    }

    #[test]
    fn a_limit_is_a_limit_for_each_series_unless_rows_depend_on_those_before() {
        let rows = |query: &str| Uses::of(&plan(query), false).rows.map(|rows| (rows.order, rows.count));
        assert_eq!(rows("SELECT v FROM m LIMIT 10 OFFSET 5"), Some((Order::Ascending, 15)));
        assert_eq!(rows("SELECT v, w FROM m ORDER BY time DESC LIMIT 10"), Some((Order::Descending, 10)));
        assert_eq!(rows("SELECT v FROM m"), None);
        assert_eq!(rows("SELECT max(v) FROM m LIMIT 10"), None);
        assert_eq!(rows("SELECT v FROM m fill(previous) LIMIT 10"), None);
        assert_eq!(rows("SELECT v FROM m ORDER BY time DESC LIMIT 1000000"), None);
    }
}
