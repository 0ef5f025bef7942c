//! The request for stored points.

use model::TimeRange;
use serde::Deserialize;
use serde_json::Value;

use super::common::{self, OneOrMany, OrderWord, Place, TagFilter};
use super::filter::filter;
use super::{RequestContext, TimeReader};
use crate::plan::expr::{Expr, Kinds};
use crate::plan::{Column, FillWith, Order, Select};
use crate::{QueryError, Shortcuts};

/// `POST /api/v1/query/series`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesRequest {
    /// Database; the server's own by default.
    pub database: Option<String>,
    /// Retention policy; the database's default one by default.
    pub retention_policy: Option<String>,
    /// Measurement.
    pub measurement: String,
    /// Fields, one or a list; all by default, also spelt `*`.
    pub fields: Option<OneOrMany>,
    /// Values of tags, one or a list of which any may hold: `{"channel": "1001", "type": ["m", "s"]}`.
    #[serde(default)]
    pub tags: TagFilter,
    /// First time: RFC 3339, a date with or without time of day (UTC), an integer epoch, or relative as `now-1h`. Open by default.
    #[serde(alias = "start_time")]
    pub start: Option<Value>,
    /// Last time, which is still inside; spelt as `start`. A date alone is its midnight. Open by default.
    #[serde(alias = "end_time")]
    pub end: Option<Value>,
    /// Tags that make a series of the answer each; `["*"]` for all; by default one series with the tags as columns.
    pub group_by: Option<OneOrMany>,
    /// `asc` or `desc` by time; newest first by default.
    pub order: Option<OrderWord>,
    /// Most rows a series.
    pub limit: Option<usize>,
    /// Rows passed over first, a series.
    #[serde(default)]
    pub offset: usize,
    /// Whether the answer may come from and go to the cache; true by default.
    #[serde(default = "common::on")]
    pub cacheable: bool,
}

impl SeriesRequest {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] with key and place.
    pub fn parse(body: &[u8]) -> Result<Self, QueryError> {
        super::parse(body)
    }

    /// Which ways around points may be taken; stored points come from no rollup.
    pub const fn shortcuts(&self) -> Shortcuts {
        Shortcuts { rollups: true, cache: self.cacheable }
    }

    /// The plan.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] with the key, what was found and what is expected.
    pub fn into_plan(self, context: &RequestContext) -> Result<Select, QueryError> {
        let range = self.range(context)?;
        let group_by = self.group_by.map(common::group_by).transpose()?.unwrap_or_default();
        let limit = common::limit(self.limit)?;
        let place =
            Place { database: self.database, retention_policy: self.retention_policy, measurement: self.measurement };
        Ok(Select {
            columns: columns(self.fields, group_by.is_empty()),
            time_name: common::TIME.to_owned(),
            sources: vec![place.into_source(context)?],
            filter: filter(self.tags)?,
            range,
            window: None,
            window_inherited: false,
            group_by,
            fill: FillWith::Null,
            order: self.order.map_or(Order::Descending, Order::from),
            direction: Order::Ascending,
            limit_each: false,
            limit,
            offset: self.offset,
            series_limit: None,
            series_offset: 0,
            time_zone: None,
        })
    }

    fn range(&self, context: &RequestContext) -> Result<TimeRange, QueryError> {
        common::range(&TimeReader::new(context), self.start.as_ref(), self.end.as_ref())
    }
}

/// The fields wanted; behind them all tags, where everything goes into one series.
fn columns(fields: Option<OneOrMany>, with_tags: bool) -> Vec<Column> {
    let all = |kinds| Column { expr: Expr::All(kinds), alias: None };
    let fields = fields.map(OneOrMany::into_vec).unwrap_or_default();
    let mut columns: Vec<Column> = match fields.as_slice() {
        [] => vec![all(Kinds::Fields)],
        [star] if star == "*" => vec![all(Kinds::Fields)],
        _ => fields.into_iter().map(named).collect(),
    };
    columns.extend(with_tags.then(|| all(Kinds::Tags)));
    columns
}

fn named(field: String) -> Column {
    Column { expr: Expr::Reference(common::field(field.clone())), alias: Some(field) }
}
