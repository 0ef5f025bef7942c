//! The engine as something plans can be run over. Lives for one query.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use catalog::Catalog;
use engine::{Engine, ScanCache};
use model::{ColumnId, FieldValue, TimeRange, TimestampNs};
use query::scan::ScanReport;
use query::{ColumnSource, Piece, QueryError, Selection, SeriesColumns, Summary};

use super::select;

/// Engine and names for one query, with what it has decoded and may need again.
pub(super) struct EngineSource<'a> {
    catalog: &'a Catalog,
    engine: &'a Engine,
    cache: Mutex<ScanCache>,
}

impl<'a> EngineSource<'a> {
    pub(super) fn new(catalog: &'a Catalog, engine: &'a Engine) -> Self {
        Self { catalog, engine, cache: Mutex::default() }
    }
}

impl ColumnSource for EngineSource<'_> {
    fn columns(&self, selection: &Selection) -> Result<Vec<SeriesColumns>, QueryError> {
        select::columns(&self.catalog.read(), selection)
    }

    fn scan(
        &self,
        column: ColumnId,
        range: TimeRange,
        summary_suffices: &dyn Fn(TimestampNs, TimestampNs) -> bool,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<ScanReport, QueryError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let report = self.engine.scan(column, range, &mut cache, summary_suffices, &mut |piece| visit(to_query(piece)));
        Ok(ScanReport { damaged: report.damaged })
    }

    fn latest(
        &self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> Result<ScanReport, QueryError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ScanReport { damaged: self.engine.latest(column, range, &mut cache, visit).damaged })
    }
}

pub(super) fn to_query(piece: engine::Piece<'_>) -> Piece<'_> {
    match piece {
        engine::Piece::Points { times, values } => Piece::Points { times, values },
        engine::Piece::Summary(s) => Piece::Summary(Summary {
            count: s.count,
            first_time: s.first_time,
            last_time: s.last_time,
            sum: s.sum,
            min: s.min,
            max: s.max,
            first: s.first,
            last: s.last,
        }),
    }
}
