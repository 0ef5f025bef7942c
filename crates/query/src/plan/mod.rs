//! What is asked, free of any query language.

pub mod expr;
mod select;

use model::{FieldType, TimeRange, WindowNs};

use crate::aggregate::Registry;

pub use select::{Column, Dimension, FillWith, MeasurementRef, NameOrPattern, Select, Source, Windowing};

/// A question to a store.
#[derive(Debug, Clone)]
pub enum Plan {
    /// Stored points as they are.
    Series(SeriesPlan),
    /// Computed values, over windows or over the whole range.
    Aggregate(AggregatePlan),
}

/// Which points a question is about.
#[derive(Debug, Clone)]
pub struct Selection {
    /// InfluxDB's database.
    pub database: String,
    /// Retention policy; `None` is the database's default one.
    pub retention_policy: Option<String>,
    /// Name of the measurement.
    pub measurement: String,
    /// Fields wanted, in this order; empty means all.
    pub fields: Vec<String>,
    /// Conditions on tags; all must hold.
    pub filter: Vec<TagPredicate>,
    /// Times wanted.
    pub range: TimeRange,
    /// How series are put together in the answer.
    pub group_by: GroupBy,
}

/// Series of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// One series a tag set.
    All,
    /// One series a combination of these tags' values; none: everything in one.
    Tags(Vec<String>),
    /// Everything in one series; raw points then carry their tags as columns (as InfluxQL's `SELECT *`).
    #[default]
    Nothing,
}

/// A condition on one tag. A series without the tag counts as having the empty value.
#[derive(Debug, Clone)]
pub struct TagPredicate {
    /// Tag key.
    pub key: String,
    /// What its value must be.
    pub matches: TagMatch,
}

/// How a tag's value is compared.
#[derive(Debug, Clone)]
pub enum TagMatch {
    /// Equal.
    Is(String),
    /// Not equal.
    IsNot(String),
    /// Equal to one of these.
    In(Vec<String>),
    /// Found by the regular expression.
    Like(regex::Regex),
    /// Not found by it.
    NotLike(regex::Regex),
}

/// Order of points by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

/// Stored points.
#[derive(Debug, Clone)]
pub struct SeriesPlan {
    /// Which points.
    pub selection: Selection,
    /// Their order.
    pub order: Order,
    /// At most so many rows a series of the answer.
    pub limit: Option<usize>,
    /// Rows passed over first, a series.
    pub offset: usize,
}

/// Computed values.
#[derive(Debug, Clone)]
pub struct AggregatePlan {
    /// Which points.
    pub selection: Selection,
    /// What is computed of each field selected, one column each.
    pub aggregates: Vec<Aggregate>,
    /// Windows; `None`: the whole range is one.
    pub window: Option<Window>,
    /// What stands in windows without points.
    pub fill: Fill,
    /// Order of the windows.
    pub order: Order,
    /// At most so many windows a series of the answer.
    pub limit: Option<usize>,
}

impl AggregatePlan {
    /// Leaves out columns that a field's type does not have, such as the smallest of texts. The first column of each field is
    /// what was asked for by name and stays, so that it is refused with a reason.
    pub fn fit_to_types(&mut self, kind_of: &dyn Fn(&str) -> Option<FieldType>) {
        let mut seen: Vec<String> = Vec::new();
        self.aggregates.retain(|aggregate| {
            if !seen.contains(&aggregate.field) {
                seen.push(aggregate.field.clone());
                return true;
            }
            let function = Registry::shared().get(&aggregate.function);
            kind_of(&aggregate.field).is_none_or(|kind| function.is_ok_and(|f| f.accepts(kind)))
        });
    }
}

/// One function over one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Registered name in lower case: `mean`, `count`, ...
    pub function: String,
    /// Further arguments, such as the N of `percentile`.
    pub arguments: Vec<f64>,
    /// Field it is computed of.
    pub field: String,
    /// Column name in the answer.
    pub alias: String,
}

/// Windows of time.
#[derive(Debug, Clone)]
pub enum Window {
    /// Of a fixed length, aligned to the epoch plus an offset.
    Fixed {
        /// Length.
        width: WindowNs,
        /// Shift of every window, in nanoseconds, `0 <= offset < width`.
        offset_ns: i64,
    },
    /// Of whole calendar units in a time zone: days of 23 to 25 hours, ISO weeks, months.
    Calendar {
        /// How many units a window has, at least 1.
        count: u32,
        /// The unit.
        unit: CalendarUnit,
        /// IANA name, such as `Europe/Berlin`.
        time_zone: String,
    },
}

/// Units of calendar windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarUnit {
    /// Midnight to midnight.
    Day,
    /// Monday to Monday (ISO 8601).
    Week,
    /// From the first of a month.
    Month,
    /// From the first of January.
    Year,
}

/// Value of a window without points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Fill {
    /// The window is left out.
    #[default]
    None,
    /// The window stands there without a value.
    Null,
    /// The value of the window before it.
    Previous,
    /// On a straight line between its neighbours.
    Linear,
    /// This number.
    Value(f64),
}
