//! The request for computed values.
//!
//! | `aggregate_type` | rows | columns |
//! |---|---|---|
//! | `time_window` | one a window | `value` (the function, `mean` by default), `count`, `min`, `max`, `stddev` |
//! | `statistical` | one | the function under its own name; without one: `count`, `mean`, `min`, `max`, `stddev`, `sum`, `q1`, `median`, `q3`, `spread`, `first`, `last`, `p95`, `coverage` |
//! | `custom` | as the query says | as the query says; no other keys than `database`, `retention_policy`, `cacheable` and `rollups` |
//!
//! A single function of those that choose a point (`first`, `last`, `min`, `max`, `percentile`) shows the time of its point in the one row of
//! `statistical`. With several fields every column is named `FIELD_COLUMN`, such as `voltage_max`.

use model::TimestampNs;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::common::{self, OneOrMany, OrderWord, Place, TagFilter};
use super::filter::filter;
use super::{RequestContext, TimeReader, custom, parse_interval};
use crate::aggregate::Registry;
use crate::execute::find_zone;
use crate::plan::expr::{AggregateCall, Expr};
use crate::plan::{Column, Dimension, FillWith, Order, Select, Windowing};
use crate::result::Cell;
use crate::{QueryError, Shortcuts};

/// The field of points in the EMS, taken where a request names none.
pub(super) const DEFAULT_FIELD: &str = "value";
const DEFAULT_INTERVAL: &str = "1h";
const DEFAULT_FUNCTION: &str = "mean";

/// What every window shows beside the value asked for.
const BESIDE_THE_VALUE: [&str; 4] = ["count", "min", "max", "stddev"];
/// What the statistical summary shows; a number: the percentile of this rank.
const SUMMARY: [(&str, Option<f64>); 14] = [
    ("count", None),
    ("mean", None),
    ("min", None),
    ("max", None),
    ("stddev", None),
    ("sum", None),
    ("q1", Some(25.0)),
    ("median", None),
    ("q3", Some(75.0)),
    ("spread", None),
    ("first", None),
    ("last", None),
    ("p95", Some(95.0)),
    ("coverage", None),
];

/// `POST /api/v1/query/aggregate`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregateRequest {
    /// `time_window`, `statistical` or `custom`.
    pub aggregate_type: AggregateType,
    /// Aggregate function, in any case.
    pub function: Option<String>,
    /// Its further arguments, such as `[95]` for `percentile`.
    #[serde(default)]
    pub arguments: Vec<f64>,
    /// Database; the server's own by default.
    pub database: Option<String>,
    /// Retention policy; the database's default one by default.
    pub retention_policy: Option<String>,
    /// Measurement; needed unless the type is `custom`.
    #[serde(default)]
    pub measurement: String,
    /// Fields, one or a list; `value` by default.
    pub fields: Option<OneOrMany>,
    /// Values of tags, one or a list of which any may hold.
    #[serde(default, alias = "tags")]
    pub filters: TagFilter,
    /// First time, spelt as in a series request; needed for `time_window`, else open by default.
    #[serde(alias = "start_time")]
    pub start: Option<Value>,
    /// Last time, which is still inside. Open by default.
    #[serde(alias = "end_time")]
    pub end: Option<Value>,
    /// Length of the windows of `time_window`; `1h` by default.
    pub interval: Option<String>,
    /// IANA name of the zone on whose clocks days, weeks, months and years start, and dates without an offset are read. UTC by default,
    /// and then days have 24 hours.
    pub time_zone: Option<String>,
    /// What stands in windows without points: `none` (they are left out, the default), `null`, `previous`, `linear`, or a number.
    #[serde(default, deserialize_with = "read_fill")]
    pub fill: Option<FillWith>,
    /// Tags that make a series of the answer each; `["*"]`, the default, for all; `[]` for one series.
    pub group_by: Option<OneOrMany>,
    /// `asc` (the default) or `desc` by time.
    pub order: Option<OrderWord>,
    /// Most windows a series.
    pub limit: Option<usize>,
    /// One SELECT in InfluxQL, for the type `custom`.
    pub custom_query: Option<String>,
    /// Whether the answer may come from and go to the cache; true by default.
    #[serde(default = "common::on")]
    pub cacheable: bool,
    /// Whether values may be computed of rollups; true by default, else of points only.
    #[serde(default = "common::on")]
    pub rollups: bool,
}

/// Kinds of aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateType {
    /// A row a window of time.
    TimeWindow,
    /// One row over the whole range.
    Statistical,
    /// A query in InfluxQL.
    Custom,
}

impl AggregateRequest {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] with key and place.
    pub fn parse(body: &[u8]) -> Result<Self, QueryError> {
        super::parse(body)
    }

    /// Which ways around points may be taken.
    pub const fn shortcuts(&self) -> Shortcuts {
        Shortcuts { rollups: self.rollups, cache: self.cacheable }
    }

    /// The plan.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] with the key, what was found and what is expected.
    pub fn into_plan(self, context: &RequestContext) -> Result<Select, QueryError> {
        self.check_type_specific_keys()?;
        if self.aggregate_type == AggregateType::Custom {
            return custom::plan(self, context);
        }
        let reader = self.time_reader(context)?;
        let range = common::range(&reader, self.start.as_ref(), self.end.as_ref())?;
        if self.aggregate_type == AggregateType::TimeWindow && range.start == TimestampNs::MIN {
            return Err(missing("start", "the first time of the windows, such as `now-24h`"));
        }
        let window = self.window()?;
        // The zone is that of calendar units; windows of a fixed length are aligned to the epoch.
        let time_zone = self.time_zone.clone().filter(|_| matches!(window, Some(Windowing::Calendar { .. })));
        let columns = self.columns()?;
        let fill = self.fill.unwrap_or(FillWith::None);
        let group_by = self.group_by.map(common::group_by).transpose()?.unwrap_or(vec![Dimension::All]);
        let limit = common::limit(self.limit)?;
        let place =
            Place { database: self.database, retention_policy: self.retention_policy, measurement: self.measurement };
        Ok(Select {
            columns,
            time_name: common::TIME.to_owned(),
            sources: vec![place.into_source(context)?],
            filter: filter(self.filters)?,
            range,
            window,
            window_inherited: false,
            group_by,
            fill,
            order: self.order.map_or(Order::Ascending, Order::from),
            direction: Order::Ascending,
            limit_each: false,
            limit,
            offset: 0,
            series_limit: None,
            series_offset: 0,
            time_zone,
        })
    }

    /// Refuses keys that would have no effect, so that nobody believes they had one.
    fn check_type_specific_keys(&self) -> Result<(), QueryError> {
        match self.aggregate_type {
            AggregateType::Custom => custom::check_keys(self),
            _ if self.custom_query.is_some() => Err(misplaced("custom_query", "custom")),
            AggregateType::Statistical if self.interval.is_some() => Err(misplaced("interval", "time_window")),
            AggregateType::Statistical if self.fill.is_some() => Err(misplaced("fill", "time_window")),
            _ if self.function.is_none() && !self.arguments.is_empty() => {
                Err(missing("function", "the function that `arguments` are for"))
            }
            _ => Ok(()),
        }
    }

    fn time_reader(&self, context: &RequestContext) -> Result<TimeReader, QueryError> {
        let reader = TimeReader::new(context);
        match &self.time_zone {
            Some(name) => Ok(reader.in_zone(find_zone(name)?)),
            None => Ok(reader),
        }
    }

    fn window(&self) -> Result<Option<Windowing>, QueryError> {
        if self.aggregate_type != AggregateType::TimeWindow {
            return Ok(None);
        }
        let interval = self.interval.as_deref().unwrap_or(DEFAULT_INTERVAL);
        parse_interval(interval, self.time_zone.as_deref()).map(Some)
    }

    fn field_names(&self) -> Result<Vec<String>, QueryError> {
        let fields = match &self.fields {
            Some(fields) => fields.clone().into_vec(),
            None => vec![DEFAULT_FIELD.to_owned()],
        };
        if fields.is_empty() || fields.iter().any(|field| field == "*") {
            return Err(QueryError::invalid("`fields` must name the fields to compute of"));
        }
        Ok(fields)
    }

    fn columns(&self) -> Result<Vec<Column>, QueryError> {
        let fields = self.field_names()?;
        let computations = self.computations();
        computations.iter().try_for_each(Computation::check)?;
        let name = |field: &str, column: &str| match fields.as_slice() {
            [_] => column.to_owned(),
            _ => format!("{field}_{column}"),
        };
        let of_field = |field: &String| {
            let column = |c: &Computation| c.column(field, name(field, &c.name));
            computations.iter().map(column).collect::<Vec<_>>()
        };
        Ok(fields.iter().flat_map(of_field).collect())
    }

    /// What is computed of every field.
    fn computations(&self) -> Vec<Computation> {
        let function = self.function.as_ref().map(|function| function.to_ascii_lowercase());
        match (self.aggregate_type, function) {
            (AggregateType::TimeWindow, function) => {
                let function = function.unwrap_or_else(|| DEFAULT_FUNCTION.to_owned());
                let value = Computation { name: "value".to_owned(), function, arguments: self.arguments.clone() };
                std::iter::once(value).chain(BESIDE_THE_VALUE.map(Computation::plain)).collect()
            }
            (_, Some(function)) => {
                vec![Computation { name: function.clone(), function, arguments: self.arguments.clone() }]
            }
            (_, None) => SUMMARY.map(|(name, rank)| Computation::of_summary(name, rank)).to_vec(),
        }
    }
}

/// A function that is computed of every field.
#[derive(Clone)]
struct Computation {
    name: String,
    function: String,
    arguments: Vec<f64>,
}

impl Computation {
    fn plain(function: &str) -> Self {
        Self { name: function.to_owned(), function: function.to_owned(), arguments: Vec::new() }
    }

    fn of_summary(name: &str, rank: Option<f64>) -> Self {
        match rank {
            None => Self::plain(name),
            Some(rank) => Self { function: "percentile".to_owned(), arguments: vec![rank], name: name.to_owned() },
        }
    }

    /// Refuses functions that are not registered, those among them that only InfluxQL has, and wrong arguments.
    fn check(&self) -> Result<(), QueryError> {
        let function = Registry::shared().get(&self.function)?;
        let checked = function.check_arguments(&self.arguments);
        checked.map_err(|expected| QueryError::invalid(format!("{}() {expected}", self.function)))
    }

    fn column(&self, field: &str, alias: String) -> Column {
        let call = AggregateCall {
            function: self.function.clone(),
            label: self.function.clone(),
            of: Box::new(Expr::Reference(common::field(field.to_owned()))),
            keys: Vec::new(),
            arguments: self.arguments.iter().map(|&number| Cell::Float(number)).collect(),
        };
        Column { expr: Expr::Aggregate(call), alias: Some(alias) }
    }
}

pub(super) fn missing(key: &str, expected: &str) -> QueryError {
    QueryError::invalid(format!("`{key}` is missing: expected {expected}"))
}

fn misplaced(key: &str, kind: &str) -> QueryError {
    QueryError::invalid(format!("`{key}` is only for the `aggregate_type` `{kind}`"))
}

/// A word, a number, or JSON's null, which is the word `null`.
fn read_fill<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FillWith>, D::Error> {
    let found = Value::deserialize(deserializer)?;
    let fill = match &found {
        Value::Null => Some(FillWith::Null),
        Value::Number(number) => fill_number(number).map(FillWith::Exactly),
        Value::String(word) => fill_word(word),
        _ => None,
    };
    let expected = "expected `none`, `null`, `previous`, `linear` or a number";
    fill.map(Some).ok_or_else(|| serde::de::Error::custom(format!("`fill` is {found}: {expected}")))
}

fn fill_number(number: &serde_json::Number) -> Option<Cell> {
    number.as_i64().map(Cell::Integer).or_else(|| number.as_f64().map(Cell::Float))
}

fn fill_word(word: &str) -> Option<FillWith> {
    Some(match word {
        "none" => FillWith::None,
        "null" => FillWith::Null,
        "previous" => FillWith::Previous,
        "linear" => FillWith::Linear,
        _ => return None,
    })
}
