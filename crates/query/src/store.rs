//! What a store must offer so that plans can be executed over it.

use std::ops::ControlFlow;

use model::{ColumnId, FieldType, FieldValue, TimeRange, TimestampNs, Values};
use regex::Regex;

use crate::QueryError;
use crate::report::Provenance;
use crate::scan::{Piece, ScanReport, Wish};

/// Database and retention policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Database.
    pub database: String,
    /// Retention policy; `None` is the database's default one.
    pub policy: Option<String>,
}

/// Fields and tags of a measurement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Field keys with their types, sorted.
    pub fields: Vec<(String, FieldType)>,
    /// Tag keys, sorted.
    pub tags: Vec<String>,
}

/// Which series are wanted, and what of them.
#[derive(Debug, Clone, Default)]
pub struct SeriesQuery {
    /// Name of the measurement.
    pub measurement: String,
    /// Fields wanted; series that have none of them are left out, unless...
    pub fields: Vec<String>,
    /// ... those are wanted, too.
    pub without_fields: bool,
    /// Conditions on tags; all must hold.
    pub filter: Vec<TagCondition>,
    /// Keys of the tags that are to be told.
    pub tags: Vec<String>,
}

/// A condition on one tag. A series without the tag counts as having the empty value.
#[derive(Debug, Clone)]
pub struct TagCondition {
    /// Tag key.
    pub key: String,
    /// What its value must be.
    pub matches: TagMatch,
}

/// How a tag's value is compared.
#[derive(Debug, Clone)]
pub enum TagMatch {
    /// Equal to one of these.
    In(Vec<String>),
    /// Equal to none of these.
    NotIn(Vec<String>),
    /// Found by the regular expression.
    Like(std::sync::Arc<Regex>),
    /// Not found by it.
    NotLike(std::sync::Arc<Regex>),
}

impl TagMatch {
    /// Whether a value (empty where the tag is missing) is wanted.
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            Self::In(wanted) => wanted.iter().any(|w| w == value),
            Self::NotIn(unwanted) => unwanted.iter().all(|w| w != value),
            Self::Like(pattern) => pattern.is_match(value),
            Self::NotLike(pattern) => !pattern.is_match(value),
        }
    }
}

/// A series of the store.
#[derive(Debug, Clone)]
pub struct StoredSeries {
    /// Values of the tags wanted, in the order wanted; `None` where it has no such tag.
    pub tags: Vec<Option<String>>,
    /// Columns of the fields wanted, in the order wanted; `None` where it has no such field.
    pub columns: Vec<Option<ColumnId>>,
}

/// A store that queries can be executed over.
pub trait Store: Sync {
    /// Names of all measurements, sorted.
    ///
    /// # Errors
    /// [`QueryError::NotFound`] when database or retention policy do not exist.
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError>;

    /// Fields and tags of a measurement; empty when there is none of the name.
    ///
    /// # Errors
    /// As for [`Store::measurements`].
    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError>;

    /// The series wanted, always in the same order.
    ///
    /// # Errors
    /// As for [`Store::measurements`].
    fn series(&self, place: &Place, query: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError>;

    /// What every answer's reader should know, such as parts of the store that are missing.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// From which tiers values came that readers of this store have handed out, once a query is done.
    fn provenance(&self) -> Vec<Provenance> {
        Vec::new()
    }

    /// Access to columns for one thread of one query.
    fn reader(&self) -> Box<dyn Reader + '_>;
}

/// Where the points of a column are, without reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Time of the first point, or a time before it.
    pub first: TimestampNs,
    /// Time of the last point, or a time after it.
    pub last: TimestampNs,
    /// Number of points, at least 1; may count points twice that were overwritten.
    pub count: u64,
}

/// Reads columns. One query has one for each of its threads.
pub trait Reader: Send {
    /// Hands out the points of `column` inside `range`, oldest piece first. The wish is asked for each run whose summary is at hand,
    /// wholly inside `range`; where it takes it, the summary comes instead of the points. Damaged parts are left out and named in
    /// the report.
    fn scan(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        wish: &Wish<'_>,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ScanReport;

    /// The newest point of `column` inside `range`, given to `visit` when there is one.
    fn latest(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> ScanReport;

    /// Points of `column` before this time are past what is kept and not handed out any more, whether they are gone or not. It moves
    /// with time, forwards only: where it may move back, the cache of results must be cleared.
    fn kept_since(&mut self, _column: ColumnId) -> TimestampNs {
        TimestampNs::MIN
    }

    /// Runs of points of `column` that meet `range`, in no particular order; they may overlap. Cheap.
    fn extents(&mut self, column: ColumnId, range: TimeRange, out: &mut Vec<Extent>);
}

/// Points of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Track {
    pub(crate) times: Vec<TimestampNs>,
    pub(crate) values: Values,
}

impl Track {
    /// Memory held.
    pub(crate) fn bytes(&self) -> usize {
        self.times.capacity() * size_of::<TimestampNs>() + self.values.bytes()
    }
}
