//! Typed query plans and their execution over any store that can scan columns.
//!
//! JSON requests ([`request`]) and InfluxQL ([`compile`]) become the same [`plan::Select`], which [`execute`] runs over a [`store::Store`].
//! Not here: HTTP, storage, the catalog.

pub mod aggregate;
mod answer;
pub mod cache;
mod collect;
pub mod compile;
pub mod eval;
pub mod execute;
mod limits;
pub mod pick;
pub mod plan;
pub mod plot;
mod report;
pub mod request;
pub mod response;
pub mod result;
pub mod scan;
pub mod store;
pub mod transform;

pub use answer::{Answer, Level, Message, Outcome};
pub use collect::{collect, collect_each};
pub use limits::{Cancel, Limits};
pub use plan::{Order, Select};
pub use report::{CacheUse, Provenance, Report, Shortcuts};
pub use request::{AggregateRequest, PlotRequest, RequestContext, SeriesRequest};
pub use result::{Cell, QueryError, QueryResult, ResultSeries, Table};
pub use scan::{Parts, Piece, Summary, Summing, Wish};
