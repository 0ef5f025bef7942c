//! Which days have been written to since they were archived. Told by the applier of every write before its sender is; durable before
//! the journal forgets the record. A crash makes days due again that are archived already, never the other way round.
//!
//! ```text
//! file = crc32c of the rest, 8 hexadecimal digits | line feed | JSON: {"last_run_ns": .., "due": [[measurement, [[day, day], ..]], ..]}
//! ```
//! Without a file, or with a damaged one, every day is due.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::{Catalog, is_hidden};
use engine::Touched;
use model::{MeasurementId, TimestampNs};
use pipeline::Observer;
use serde::{Deserialize, Serialize};
use vfs::{Fs, replace_durably};

use crate::day::Day;
use crate::days::Days;
use crate::error::Error;

/// The days that are due, by measurement.
pub struct Ledger {
    catalog: Arc<Catalog>,
    fs: Arc<dyn Fs>,
    path: PathBuf,
    state: Mutex<State>,
    /// Held while the file is written, so that an older state never replaces a newer one.
    writing: Mutex<()>,
}

#[derive(Default)]
struct State {
    due: BTreeMap<MeasurementId, Days>,
    /// Being archived: due again should that fail, or a crash come.
    taken: Option<(MeasurementId, Days)>,
    /// For each measurement the day that was marked last, so that its next value costs a look only.
    marked: Vec<Option<Day>>,
    last_run: Option<TimestampNs>,
    /// True when the file says something else.
    is_changed: bool,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    last_run_ns: Option<i64>,
    due: Vec<(u32, Vec<(Day, Day)>)>,
}

impl Ledger {
    /// Opens the ledger in the file at `path`; its folder is made when it is missing.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn open(fs: Arc<dyn Fs>, path: &Path, catalog: Arc<Catalog>) -> Result<Self, Error> {
        if let Some(folder) = path.parent() {
            fs.create_dir_all(folder).map_err(|source| Error::io("create folder", folder, source))?;
        }
        let stored = if fs.exists(path) {
            let bytes = fs.read(path).map_err(|source| Error::io("read", path, source))?;
            let stored = parse(&bytes);
            if stored.is_none() {
                tracing::warn!(path = %path.display(), "the archive's list of days is damaged: every day is archived again");
            }
            stored
        } else {
            None
        };
        let ledger = Self { catalog, fs, path: path.to_owned(), state: Mutex::default(), writing: Mutex::default() };
        match stored {
            Some(stored) => ledger.lock().load(stored),
            None => ledger.lost_track(),
        }
        Ok(ledger)
    }

    /// Looks at the file without changing anything: a sentence if it is damaged. Where there is none, every day is due.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn verify(fs: &dyn Fs, path: &Path) -> Result<Option<String>, Error> {
        if !fs.exists(path) {
            return Ok(None);
        }
        let bytes = fs.read(path).map_err(|source| Error::io("read", path, source))?;
        Ok(parse(&bytes).is_none().then(|| format!("{}: damaged", path.display())))
    }

    /// To be called at a start without an archive: writes will not be told, so what the file says would be wrong later.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget(fs: &dyn Fs, path: &Path) -> Result<(), Error> {
        if !fs.exists(path) {
            return Ok(());
        }
        let removed = fs.remove(path).and_then(|()| fs.sync_dir(path.parent().unwrap_or(Path::new("."))));
        removed.map_err(|source| Error::io("remove", path, source))
    }

    /// Number of runs of days that are due; none when everything is archived.
    pub fn due_runs(&self) -> usize {
        self.lock().all_due().map(|(_, days)| days.runs().len()).sum()
    }

    /// When the archiver was through the last time.
    pub(crate) fn last_run(&self) -> Option<TimestampNs> {
        self.lock().last_run
    }

    pub(crate) fn set_last_run(&self, now: TimestampNs) {
        let mut state = self.lock();
        state.last_run = Some(now);
        state.is_changed = true;
    }

    /// The days of a measurement that are due, those being archived included.
    pub(crate) fn due(&self, measurement: MeasurementId) -> Days {
        let state = self.lock();
        let mut days = state.due.get(&measurement).cloned().unwrap_or_default();
        if let Some((_, taken)) = state.taken.as_ref().filter(|(id, _)| *id == measurement) {
            days.extend(taken);
        }
        days
    }

    /// Takes the days before `end` that are due. Give back with [`Ledger::put_back`] what is not archived then.
    pub(crate) fn take(&self, measurement: MeasurementId, end: Day) -> Days {
        let mut state = self.lock();
        debug_assert!(state.taken.is_none(), "one measurement after another");
        let days = state.due.get_mut(&measurement).map(|days| days.split_before(end)).unwrap_or_default();
        // IMPORTANT: before anything is read: a value that comes later marks its day again.
        if let Some(marked) = state.marked.get_mut(measurement.index()) {
            *marked = None;
        }
        state.taken = Some((measurement, days.clone()));
        days
    }

    /// A day taken is archived.
    pub(crate) fn archived(&self, day: Day) {
        let mut state = self.lock();
        if let Some((_, days)) = &mut state.taken {
            days.remove(day);
        }
        state.is_changed = true;
    }

    /// Ends what [`Ledger::take`] began: `days` are due again, the others have no values.
    pub(crate) fn put_back(&self, days: &Days) {
        let mut state = self.lock();
        let Some((measurement, _)) = state.taken.take() else { return };
        let due = state.due.entry(measurement).or_default();
        due.extend(days);
        if due.is_empty() {
            state.due.remove(&measurement);
        }
        state.is_changed = true;
    }

    /// Forgets measurements that do not exist any more.
    pub(crate) fn retain(&self, exists: impl Fn(MeasurementId) -> bool) {
        let mut state = self.lock();
        let before = state.due.len();
        state.due.retain(|id, _| exists(*id));
        state.is_changed |= state.due.len() != before;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn all_due(&self) -> impl Iterator<Item = (MeasurementId, &Days)> {
        let taken = self.taken.iter().map(|(id, days)| (*id, days));
        self.due.iter().map(|(id, days)| (*id, days)).chain(taken)
    }

    /// `is_archived`: whether the measurement can ever be archived.
    fn mark(&mut self, measurement: MeasurementId, day: Day, is_archived: impl FnOnce() -> bool) {
        let index = measurement.index();
        if self.marked.get(index) == Some(&Some(day)) {
            return;
        }
        if self.marked.len() <= index {
            self.marked.resize(index + 1, None);
        }
        if let Some(marked) = self.marked.get_mut(index) {
            *marked = Some(day);
        }
        if !is_archived() {
            return;
        }
        self.due.entry(measurement).or_default().insert(day);
        self.is_changed = true;
    }

    fn load(&mut self, stored: Stored) {
        self.last_run = stored.last_run_ns.map(TimestampNs);
        for (id, runs) in stored.due {
            let days = self.due.entry(MeasurementId(id)).or_default();
            runs.into_iter().for_each(|(first, last)| days.insert_run(first, last));
        }
    }

    fn store(&self) -> Stored {
        let mut due: BTreeMap<MeasurementId, Days> = BTreeMap::new();
        self.all_due().for_each(|(id, days)| due.entry(id).or_default().extend(days));
        let due = due.into_iter().map(|(id, days)| (id.0, days.runs().to_vec()));
        Stored { last_run_ns: self.last_run.map(|t| t.0), due: due.collect() }
    }
}

fn parse(bytes: &[u8]) -> Option<Stored> {
    let (crc, json) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    let is_whole = u32::from_str_radix(crc, 16).ok()? == crc32c::crc32c(json.as_bytes());
    serde_json::from_str(json).ok().filter(|_| is_whole)
}

impl Observer for Ledger {
    /// Marks the days of what was written. Deletions are no reason to archive a day again: the archive only grows.
    fn changed(&self, touched: &Touched) {
        // IMPORTANT: names first, as everywhere: nobody asks for names with the state locked.
        let names = self.catalog.read();
        let mut state = self.lock();
        for (column, time) in &touched.written {
            if let Some(info) = names.column_info(*column) {
                // Rows of rollups are made of what is archived, and are not archived themselves.
                let is_shown = || names.bucket_names(info.bucket).is_some_and(|(_, policy)| !is_hidden(policy));
                state.mark(info.measurement, Day::of(*time), is_shown);
            }
        }
    }

    fn lost_track(&self) {
        let names = self.catalog.read();
        let shown = names.buckets().filter(|(_, _, policy)| !is_hidden(policy));
        let all: Vec<MeasurementId> = shown.flat_map(|(id, ..)| names.measurements(id).map(|(id, _)| id)).collect();
        let mut state = self.lock();
        state.due.extend(all.into_iter().map(|id| (id, Days::all())));
        state.is_changed = true;
    }

    fn persist(&self) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = {
            let mut state = self.lock();
            if !std::mem::take(&mut state.is_changed) {
                return Ok(());
            }
            state.store()
        };
        let json = serde_json::to_string(&stored)?;
        let text = format!("{:08x}\n{json}", crc32c::crc32c(json.as_bytes()));
        let written = replace_durably(&*self.fs, &self.path, text.as_bytes());
        if written.is_err() {
            self.lock().is_changed = true;
        }
        written
    }
}
