//! The plan of a query: what InfluxQL's SELECT and the JSON requests have in common, checked as far as that is possible without
//! knowing what a store holds. Wildcards and patterns are still in it; execution expands them.

use std::sync::Arc;

use model::{TimeRange, WindowNs};
use regex::Regex;

use super::expr::Expr;
use crate::result::Cell;

/// A query.
#[derive(Debug, Clone)]
pub struct Select {
    /// Columns of the answer besides the time, at least one.
    pub columns: Vec<Column>,
    /// Name of the time column.
    pub time_name: String,
    /// Where points come from, at least one.
    pub sources: Vec<Source>,
    /// What a point must fulfil; says nothing of time.
    pub filter: Option<Expr>,
    /// Times wanted; without a lower bound it starts at the smallest time there is, without an upper one it ends at the largest.
    pub range: TimeRange,
    /// Windows; `None`: the whole range is one.
    pub window: Option<Windowing>,
    /// The windows were not asked for here but by the query around this one.
    pub window_inherited: bool,
    /// Tags that are grouped by.
    pub group_by: Vec<Dimension>,
    /// What stands in windows without points, and (not by default) where a row has no value.
    pub fill: FillWith,
    /// Order of the rows by time.
    pub order: Order,
    /// Which way time is gone through: that decides what comes before what for fill and functions over sequences, and turns the
    /// order of the series round. In InfluxQL it is the order of the rows; JSON requests go forwards and turn the rows only.
    pub direction: Order,
    /// Limit and offset are those of each function by itself, as in InfluxQL; where the times of functions differ there are then
    /// more rows.
    pub limit_each: bool,
    /// At most so many rows a series.
    pub limit: Option<usize>,
    /// Rows passed over first, a series.
    pub offset: usize,
    /// At most so many series.
    pub series_limit: Option<usize>,
    /// Series passed over first.
    pub series_offset: usize,
    /// IANA name of the zone that windows are aligned to and times are printed in.
    pub time_zone: Option<String>,
}

/// A column of an answer.
#[derive(Debug, Clone)]
pub struct Column {
    /// What is computed.
    pub expr: Expr,
    /// Its name where one was given.
    pub alias: Option<String>,
}

/// Where points come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A measurement, or those that fit a pattern.
    Measurement(MeasurementRef),
    /// The rows of another query.
    Subquery(Box<Select>),
}

/// A measurement, or those that fit a pattern.
#[derive(Debug, Clone)]
pub struct MeasurementRef {
    /// Database.
    pub database: String,
    /// Retention policy; `None` is the database's default one.
    pub policy: Option<String>,
    /// Which.
    pub name: NameOrPattern,
}

/// One name or all that are found by a regular expression.
#[derive(Debug, Clone)]
pub enum NameOrPattern {
    /// One.
    Name(String),
    /// All that fit.
    Pattern(Arc<Regex>),
}

/// What series of the answer are made of.
#[derive(Debug, Clone)]
pub enum Dimension {
    /// One tag.
    Tag(String),
    /// Tags whose keys are found by a regular expression.
    Like(Arc<Regex>),
    /// Every tag.
    All,
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

/// Windows of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Windowing {
    /// Of a fixed length, aligned to the epoch (in the query's time zone) plus an offset.
    Fixed {
        /// Length.
        width: WindowNs,
        /// Shift of every window, in nanoseconds; of any size and sign.
        offset_ns: i64,
    },
    /// Of whole calendar units in the query's time zone (UTC without one).
    Calendar {
        /// How many units a window has, at least 1.
        count: u32,
        /// The unit.
        unit: CalendarUnit,
    },
}

/// Units of calendar windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// What stands where there is nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum FillWith {
    /// A window without points stands there without a value.
    #[default]
    Null,
    /// It is left out.
    None,
    /// The value of the window before it.
    Previous,
    /// On a straight line between its neighbours.
    Linear,
    /// This number, an integer or a float, made one of the column's type.
    Value(Cell),
    /// This number; where the column's type cannot hold it, it stands there as it is.
    Exactly(Cell),
}
