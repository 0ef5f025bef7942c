//! Executes a [`Select`] over a [`Store`].
//!
//! Sources become [`Input`]s (a measurement's series, or the rows of a subquery), these are put together to groups by the tags
//! grouped by, and every group is answered by itself: either row by row ([`raw`]) or by computing the functions asked for and
//! joining their results by time ([`computed`]). Groups are answered on several threads, and so are the series of a large
//! group. What is held is counted against the limits; a limit met is an error that names it. Not here: what a plan is
//! (`plan`), what the functions compute (`aggregate`, `pick`, `transform`, `eval`), how an answer looks to a client.

mod beside;
mod cached;
mod calendar;
mod calls;
mod cast;
mod complete;
mod computed;
mod drawn;
mod edges;
mod feed;
mod fill;
mod folds;
mod group;
mod input;
mod job;
mod keys;
mod layout;
mod limit;
mod narrow;
mod parallel;
mod points;
mod predicate;
mod prepare;
mod raw;
mod rows;
mod sequence;
mod several;
mod slices;
mod subquery;
mod tracks;
mod windowed;
mod windows;

use crate::aggregate::Registry;
use crate::cache::Access;
use crate::plan::Select;
use crate::store::Store;
use crate::{Cancel, Limits, Report, Shortcuts};
use crate::{QueryError, Table};

use model::{TimeRange, TimestampNs};

use job::Job;
pub(crate) use prepare::has_calls;
pub use windows::Grid;
use windows::Windows;
pub(crate) use windows::find_zone;

/// Takes the tables of an answer, in order. [`QueryError::Enough`] ends the answer early.
pub type Sink<'a> = &'a mut dyn FnMut(Table) -> Result<(), QueryError>;

/// What the plan itself does not say.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Bounds of the query.
    pub limits: &'a Limits,
    /// Stops it.
    pub cancel: &'a Cancel,
    /// Functions known.
    pub registry: &'a Registry,
    /// Threads it may use, at least 1.
    pub threads: usize,
    /// The rows are written back: `top` and `bottom` then show no columns for their tags.
    pub into: bool,
    /// Ways around reading points that may be taken.
    pub shortcuts: Shortcuts,
    /// Results of earlier queries; used only where the shortcuts say so.
    pub cache: Option<Access<'a>>,
}

/// Answers `plan` from `store`; the tables go to `sink` while the rest is still being computed. Returns what the reader should know,
/// such as damaged parts. Blocks.
///
/// # Errors
/// [`QueryError`]: the plan does not fit what is stored, a limit was met, the query was cancelled, or the sink refused.
pub fn execute(plan: &Select, store: &dyn Store, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
    let job = Job::new(plan, store, options);
    match prepare::run(&job, plan, options.into, sink) {
        Ok(()) | Err(QueryError::Enough) => {}
        Err(error) => return Err(error),
    }
    let cache = job.session.close();
    let mut warnings = store.warnings();
    warnings.append(&mut job.into_warnings());
    Ok(Report { warnings, provenance: store.provenance(), cache })
}

/// The window of a plan that holds `time`; the plan's whole range where it has no windows.
///
/// # Errors
/// [`QueryError::Invalid`]: there is no such time zone.
pub fn window_containing(plan: &Select, time: TimestampNs) -> Result<TimeRange, QueryError> {
    Ok(Windows::new(plan)?.containing(time))
}
