//! Typed query plans and their execution over any store that can scan columns.
//!
//! JSON requests (and, later, InfluxQL) become a [`Plan`]; the embedded engine runs it through [`exec`], remote stores will get
//! it rendered in their own language. Not here: HTTP, storage, the catalog.

pub mod aggregate;
mod answer;
pub mod compile;
pub mod eval;
pub mod exec;
pub mod execute;
pub mod pick;
pub mod plan;
pub mod request;
pub mod response;
pub mod result;
pub mod scan;
pub mod store;
pub mod transform;

pub use answer::{Answer, Outcome};
pub use exec::{Cancel, Limits, run};
pub use plan::{
    Aggregate, AggregatePlan, Fill, GroupBy, Order, Plan, Selection, SeriesPlan, TagMatch, TagPredicate, Window,
};
pub use request::{AggregateRequest, RequestContext, SeriesRequest};
pub use result::{Cell, QueryError, QueryResult, ResultSeries, Table};
pub use scan::{ColumnSource, FieldColumn, Piece, SeriesColumns, Summary};
