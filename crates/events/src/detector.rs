//! Many watched columns by a small number of the caller's, such as the column id. Fed with slices of samples; how they are cut makes no difference.

use model::TimestampNs;

use crate::column::Column;
use crate::columns::Columns;
use crate::error::LoadError;
use crate::event::Event;
use crate::rules::{Rules, Watch};
use crate::state;

/// What became of samples and columns since the detector was made. A loaded state does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Samples that were looked at.
    pub samples: u64,
    /// Samples left out, since they are not newer than the newest of their column.
    pub late: u64,
    /// Samples left out, since they are NaN or infinite.
    pub not_finite: u64,
    /// Samples of columns that were not added.
    pub unknown: u64,
    /// Columns not taken, since `max_columns` were watched.
    pub refused_columns: u64,
    /// Events given.
    pub events: u64,
}

/// What became of [`Detector::add`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// Watched from now on.
    New,
    /// Watched already, and goes on.
    Known,
    /// Watched as something else so far; begins anew.
    Replaced,
    /// Not watched, since `max_columns` are. Counted.
    Full,
}

/// Where a column stands after its samples so far.
#[derive(Debug, Clone)]
pub struct Standpoint(Column);

impl Standpoint {
    /// Time of its newest sample; `None` before the first.
    pub fn last(&self) -> Option<TimestampNs> {
        self.0.state.last
    }
}

/// The state of many watched columns. Bounded by `max_columns`; no clock, so that the same samples give the same events at any time.
///
/// What a column's events are depends on its samples before: on the last `anomalies.window` of them, and on whether its level was reached earlier
/// and not left since. To make a part of history again, begin some time before it and leave out the events before its start.
#[derive(Debug, Clone)]
pub struct Detector {
    rules: Rules,
    columns: Columns,
    stats: Stats,
}

impl Detector {
    /// Without columns.
    pub fn new(rules: &Rules) -> Self {
        Self { rules: rules.clone(), columns: Columns::default(), stats: Stats::default() }
    }

    /// Watches a column, if it is not watched already. `watch` is one of the rules that the detector was made with.
    pub fn add(&mut self, key: u32, watch: Watch) -> Added {
        let added = match self.columns.get(key) {
            Some(known) if known.watch.is_same(&watch) => return Added::Known,
            Some(_) => Added::Replaced,
            None if self.columns.len() >= self.rules.max_columns() => {
                self.stats.refused_columns += 1;
                return Added::Full;
            }
            None => Added::New,
        };
        self.columns.insert(key, Column::new(watch));
        added
    }

    /// Forgets a column, such as one that was dropped. True when it was watched.
    pub fn remove(&mut self, key: u32) -> bool {
        self.columns.remove(key).is_some()
    }

    /// Where a column stands; it is forgotten here.
    pub fn take(&mut self, key: u32) -> Option<Standpoint> {
        self.columns.remove(key).map(Standpoint)
    }

    /// Goes on from where a detector of the same rules stands that has seen the same newest sample, perhaps after others before it. True when it
    /// does.
    pub fn adopt(&mut self, key: u32, Standpoint(other): Standpoint) -> bool {
        let Some(column) = self.columns.get_mut(key) else { return false };
        let fits = column.watch.is_same(&other.watch) && column.state.last == other.state.last;
        if fits {
            *column = other;
        }
        fits
    }

    /// Goes on from where a detector of the same rules stands that has seen newer samples, or the same newest one: those between do not come here.
    /// A column that was not added is, if there is room. True when it does.
    pub fn overtake(&mut self, key: u32, Standpoint(other): Standpoint) -> bool {
        let fits = match self.columns.get(key) {
            Some(column) => column.watch.is_same(&other.watch) && column.state.last <= other.state.last,
            None => self.columns.len() < self.rules.max_columns(),
        };
        if fits {
            self.columns.insert(key, other);
        }
        fits
    }

    /// Whether a column is watched.
    pub fn watches(&self, key: u32) -> bool {
        self.columns.get(key).is_some()
    }

    /// Number of columns that are watched.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// True when no column is watched.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Looks at samples of one column, each later than the one before, and appends what there is to tell, in the order of the samples.
    ///
    /// Samples that are not newer than the newest of their column, not finite, or of an unknown column are left out and counted. Of slices
    /// of different lengths the rest of the longer one is not looked at. A sample gives at most five events (level, state, status, anomaly or change;
    /// invented ones are extra), and most give none.
    pub fn feed(&mut self, key: u32, times: &[TimestampNs], values: &[f64], out: &mut Vec<Event>) {
        let Some(column) = self.columns.get_mut(key) else {
            self.stats.unknown += times.len().min(values.len()) as u64;
            return;
        };
        let before = out.len();
        column.feed(times, values, out, &mut self.stats);
        self.stats.events += (out.len() - before) as u64;
    }

    /// What became of samples and columns.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Everything that [`Detector::load`] needs in order to go on exactly here; equal states give equal bytes. About 100 bytes a column and 8 a
    /// sample of its window.
    pub fn save(&self) -> Vec<u8> {
        state::encode(self.rules.fingerprint(), &self.columns)
    }

    /// A detector that goes on where the saved one was.
    ///
    /// # Errors
    /// The state is damaged, of another version, or of other rules: begin anew with [`Detector::new`] then.
    pub fn load(rules: &Rules, saved: &[u8]) -> Result<Self, LoadError> {
        let columns = state::decode(rules, saved)?;
        Ok(Self { rules: rules.clone(), columns, stats: Stats::default() })
    }
}
