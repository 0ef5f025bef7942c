//! The request for points that draw a curve.
//!
//! | `method` | points of a series and field | which |
//! |---|---|---|
//! | `m4` | at most 4 a pixel | of each pixel column the first, the last, the smallest and the largest |
//! | `minmax` | at most 2 a pixel | the smallest and the largest |
//! | `lttb` | as many as pixels, or all where there are no more | by the largest triangles (see [`crate::plot`]) |
//!
//! Every field is a series of the answer by itself, with the columns `time` and the field, since its points have their own times: a
//! column of each field side by side would be mostly nulls. Texts and booleans keep the first and the last point of each pixel
//! column.

use serde::Deserialize;
use serde_json::Value;

use super::aggregate::{DEFAULT_FIELD, missing};
use super::common::{self, OneOrMany, Place, TagFilter};
use super::filter::filter;
use super::{RequestContext, TimeReader};
use crate::execute::find_zone;
use crate::plan::expr::{AggregateCall, Expr};
use crate::plan::{Column, Dimension, FillWith, Order, Select};
use crate::plot::{Method, pixel_columns};
use crate::result::Cell;
use crate::{QueryError, Shortcuts};

/// Widest plot; the largest screens have fewer pixels.
const MAX_WIDTH_PX: u32 = 10_000;
/// Most fields of a request, each of which is a query of its own.
const MAX_FIELDS: usize = 100;

/// `POST /api/v1/query/plot`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlotRequest {
    /// Database; the server's own by default.
    pub database: Option<String>,
    /// Retention policy; the database's default one by default.
    pub retention_policy: Option<String>,
    /// Measurement.
    pub measurement: String,
    /// Fields, one or a list of at most 100; `value` by default.
    pub fields: Option<OneOrMany>,
    /// Values of tags, one or a list of which any may hold.
    #[serde(default, alias = "tags")]
    pub filters: TagFilter,
    /// First time, spelt as in a series request; needed.
    #[serde(alias = "start_time")]
    pub start: Option<Value>,
    /// Last time, which is still inside; now by default.
    #[serde(alias = "end_time")]
    pub end: Option<Value>,
    /// Width of the plot in pixels, 1 to 10000. There are at most as many pixel columns; fewer where a column is a round
    /// number of seconds, minutes, hours or days long.
    pub width_px: u32,
    /// Which points of each pixel column; `m4` by default.
    #[serde(default)]
    pub method: Method,
    /// Tags that make a series of the answer each; `["*"]`, the default, for all; `[]` for one series.
    pub group_by: Option<OneOrMany>,
    /// IANA name of the zone on whose clocks dates without an offset are read; UTC by default.
    pub time_zone: Option<String>,
    /// Whether the answer may come from and go to the cache; true by default.
    #[serde(default = "common::on")]
    pub cacheable: bool,
    /// Whether points may be found by rollups; true by default, else by points only.
    #[serde(default = "common::on")]
    pub rollups: bool,
}

impl PlotRequest {
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

    /// The plans, one a field.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] with the key, what was found and what is expected.
    pub fn into_plans(self, context: &RequestContext) -> Result<Vec<Select>, QueryError> {
        let reader = self.time_reader(context)?;
        if self.start.is_none() {
            return Err(missing("start", "the first time of the plot, such as `now-24h`"));
        }
        let now = Value::from("now");
        let range = common::range(&reader, self.start.as_ref(), Some(self.end.as_ref().unwrap_or(&now)))?;
        let width_px = self.width_px()?;
        let fields = self.field_names()?;
        let group_by = self.group_by.map(common::group_by).transpose()?.unwrap_or(vec![Dimension::All]);
        let place =
            Place { database: self.database, retention_policy: self.retention_policy, measurement: self.measurement };
        let plan = Select {
            columns: Vec::new(),
            time_name: common::TIME.to_owned(),
            sources: vec![place.into_source(context)?],
            filter: filter(self.filters)?,
            range,
            window: pixel_columns(range, self.method.columns(width_px)),
            window_inherited: false,
            group_by,
            fill: FillWith::None,
            order: Order::Ascending,
            direction: Order::Ascending,
            limit_each: false,
            limit: None,
            offset: 0,
            series_limit: None,
            series_offset: 0,
            time_zone: None,
        };
        let of_field = |field| Select { columns: vec![column(self.method, field, width_px)], ..plan.clone() };
        Ok(fields.into_iter().map(of_field).collect())
    }

    fn time_reader(&self, context: &RequestContext) -> Result<TimeReader, QueryError> {
        let reader = TimeReader::new(context);
        match &self.time_zone {
            Some(name) => Ok(reader.in_zone(find_zone(name)?)),
            None => Ok(reader),
        }
    }

    fn width_px(&self) -> Result<usize, QueryError> {
        if (1..=MAX_WIDTH_PX).contains(&self.width_px) {
            return Ok(self.width_px as usize);
        }
        let found = self.width_px;
        Err(QueryError::invalid(format!("`width_px` is {found}: expected a number of pixels from 1 to {MAX_WIDTH_PX}")))
    }

    fn field_names(&self) -> Result<Vec<String>, QueryError> {
        let fields = match &self.fields {
            Some(fields) => fields.clone().into_vec(),
            None => vec![DEFAULT_FIELD.to_owned()],
        };
        if fields.is_empty() || fields.iter().any(|field| field == "*") {
            return Err(QueryError::invalid("`fields` must name the fields to plot"));
        }
        if fields.len() > MAX_FIELDS {
            let found = fields.len();
            return Err(QueryError::invalid(format!("`fields` names {found} fields: expected at most {MAX_FIELDS}")));
        }
        Ok(fields)
    }
}

fn column(method: Method, field: String, width_px: usize) -> Column {
    let call = AggregateCall {
        function: method.name().to_owned(),
        label: method.name().to_owned(),
        of: Box::new(Expr::Reference(common::field(field.clone()))),
        keys: Vec::new(),
        arguments: match method {
            Method::Lttb => vec![Cell::Integer(width_px as i64)],
            Method::M4 | Method::MinMax => Vec::new(),
        },
    };
    Column { expr: Expr::Aggregate(call), alias: Some(field) }
}
