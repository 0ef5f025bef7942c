//! Questions to VictoriaMetrics. Every plan is executed here, by hissrv's own execution; what comes from the store are the points of one
//! column after another ([`points`]) or, where the functions of the plan are content with that, sums of them over the plan's own
//! windows ([`summaries`]), computed there. So an answer is exact whatever was asked, and little travels for the usual questions.
//!
//! Everything is a float. Of several values in one millisecond the largest counts.

mod api;
mod export;
mod selector;

mod points;

mod rollup;
mod spans;
mod summaries;

mod latest;

use query::execute::{Options, Sink};
use query::store::{Place, SeriesQuery};
use query::{Cancel, Limits, QueryError, QueryResult, Report, Select};

use crate::{Query, StorageBackend, remote};

use super::VictoriaMetrics;
use super::client::query_error;
use api::Api;
pub(super) use points::VmPoints;

impl StorageBackend for VictoriaMetrics {
    fn name(&self) -> &'static str {
        "victoriametrics"
    }
}

impl Query for VictoriaMetrics {
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
        remote::run(&self.points(options.limits)?, plan, options, sink)
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        latest::latest(&self.points(&Limits::default())?, place, query, cancel)
    }
}

impl VictoriaMetrics {
    /// What one query asks.
    pub(super) fn points(&self, limits: &Limits) -> Result<VmPoints<'_>, QueryError> {
        let api = Api::new(self.shared.client.query()?, limits);
        let known = self.shared.known_or_learnt().map_err(query_error)?;
        Ok(VmPoints::new(&self.shared, api, known))
    }
}
