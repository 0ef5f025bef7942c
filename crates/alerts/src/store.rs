//! State and waiting notifications in one file, changed by appending. What a crash cuts off is one change, as a whole.
//!
//! ```text
//! file = line*      line = crc32c of the rest, 8 hexadecimal digits | space | JSON of a `Change` | line feed
//! ```
//! The first line holds everything there was when the file was written; each further one what changed since. The file is written
//! anew at each start, when it has grown, and after an error: what a failed write or sync has left behind is not built upon.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vfs::{File, Fs, replace_durably};

use crate::engine::Alert;
use crate::fingerprint::Fingerprint;
use crate::outbox::Entry;
use crate::silence::SilenceConfig;

/// Name of the file.
const NAME: &str = "alerts.log";
/// A file that has grown by so much, and to four times its size, is written anew.
const GROWTH: u64 = 1 << 20;

/// What is different from before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Change {
    /// Alerts as they are now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) alerts: Vec<Alert>,
    /// Alerts that are no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) forgotten: Vec<Fingerprint>,
    /// Notifications that wait from now on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) queued: Vec<Entry>,
    /// Notifications that wait no longer, for any channel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dropped: Vec<u64>,
    /// Notifications that a channel is done with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) done: Vec<(u64, String)>,
    /// Silences of people, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) silences: BTreeMap<String, SilenceConfig>,
    /// Silences that are no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unsilenced: Vec<String>,
}

impl Change {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) alerts: BTreeMap<Fingerprint, Alert>,
    pub(crate) entries: BTreeMap<u64, Entry>,
    pub(crate) silences: BTreeMap<String, SilenceConfig>,
}

/// The file.
pub(crate) struct Store {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    /// `None`: to be written anew before anything is appended.
    file: Option<Open>,
}

/// A file that can be appended to.
struct Open {
    file: Arc<dyn File>,
    len: u64,
    /// Its length when it was written.
    first_len: u64,
}

impl Store {
    /// Opens the file in a folder, which is made when it is missing. Damaged lines are left out, with a warning.
    ///
    /// # Errors
    /// When the folder cannot be made, or the file cannot be read.
    pub(crate) fn open(fs: Arc<dyn Fs>, dir: &Path) -> io::Result<(Self, Found)> {
        fs.create_dir_all(dir)?;
        let path = dir.join(NAME);
        let bytes = if fs.exists(&path) { fs.read(&path)? } else { Vec::new() };
        let (found, damaged) = Found::read(&bytes);
        if damaged > 0 {
            tracing::warn!(path = %path.display(), damaged, "lines of the alerts' file are damaged and left out");
        }
        Ok((Self { fs, path, file: None }, found))
    }

    /// Makes a change durable. `whole`: everything, this change included, for when the file has to be written anew.
    ///
    /// # Errors
    /// When it is not durable. It will be with the next one that is.
    pub(crate) fn record(&mut self, change: &Change, whole: impl FnOnce() -> Change) -> io::Result<()> {
        // IMPORTANT: it is put back only after success, so that nothing is appended after a failure.
        match self.file.take().filter(|open| !open.has_grown()) {
            Some(mut open) => {
                open.append(&line(change)?)?;
                self.file = Some(open);
            }
            None => self.file = Some(self.rewrite(&line(&whole())?)?),
        }
        Ok(())
    }

    /// True when the file lacks something that was to be recorded.
    pub(crate) fn is_behind(&self) -> bool {
        self.file.is_none()
    }

    fn rewrite(&self, content: &[u8]) -> io::Result<Open> {
        replace_durably(&*self.fs, &self.path, content)?;
        let len = content.len() as u64;
        Ok(Open { file: self.fs.open(&self.path)?, len, first_len: len })
    }
}

impl Open {
    fn has_grown(&self) -> bool {
        self.len > (4 * self.first_len).max(self.first_len + GROWTH)
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_at(line, self.len)?;
        self.file.sync()?;
        self.len += line.len() as u64;
        Ok(())
    }
}

fn line(change: &Change) -> io::Result<Vec<u8>> {
    let json = serde_json::to_string(change)?;
    Ok(format!("{} {json}\n", checksum(&json)).into_bytes())
}

impl Found {
    /// What the lines say, and how many are damaged. A last line without its end is a change that a crash cut off.
    fn read(bytes: &[u8]) -> (Self, usize) {
        let mut found = Self::default();
        let mut damaged = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match (parse(line), line.ends_with(b"\n")) {
                (Some(change), _) => found.apply(change),
                (None, true) => damaged += 1,
                (None, false) => {}
            }
        }
        (found, damaged)
    }

    fn apply(&mut self, change: Change) {
        self.alerts.extend(change.alerts.into_iter().map(|alert| (alert.fingerprint.clone(), alert)));
        self.entries.extend(change.queued.into_iter().map(|entry| (entry.seq, entry)));
        self.silences.extend(change.silences);
        change.forgotten.iter().for_each(|fingerprint| drop(self.alerts.remove(fingerprint)));
        change.unsilenced.iter().for_each(|id| drop(self.silences.remove(id)));
        change.dropped.iter().for_each(|seq| drop(self.entries.remove(seq)));
        for (seq, channel) in change.done {
            if let Some(entry) = self.entries.get_mut(&seq) {
                entry.channels.remove(&channel);
            }
        }
        self.entries.retain(|_, entry| !entry.channels.is_empty());
    }
}

fn parse(line: &[u8]) -> Option<Change> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (crc, json) = text.split_once(' ')?;
    // As it is written, to the letter: otherwise a flipped bit could make `a` to `A` unseen.
    let is_whole = crc == checksum(json);
    serde_json::from_str(json).ok().filter(|_| is_whole)
}

fn checksum(json: &str) -> String {
    format!("{:08x}", crc32c::crc32c(json.as_bytes()))
}

/// Checks every line of the file in a folder of alerts, and changes nothing. Each finding names the file. While the file is in use, a line
/// that is being written may be reported as cut off.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn verify(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<String>> {
    let path = dir.join(NAME);
    if !fs.exists(&path) {
        return Ok(Vec::new());
    }
    let bytes = fs.read(&path)?;
    let mut findings = Vec::new();
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let what = match (parse(line), line.ends_with(b"\n")) {
            (Some(_), _) => continue,
            (None, true) => "damaged",
            (None, false) => "without its end: a write that a crash interrupted, or damage",
        };
        findings.push(format!("{}: line {}: {what}", path.display(), number + 1));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vfs::FaultFs;

    fn silences(ids: &[&str]) -> Change {
        let silences = ids.iter().map(|id| ((*id).to_owned(), SilenceConfig::default()));
        Change { silences: silences.collect(), ..Change::default() }
    }

    fn found(fs: &FaultFs) -> Vec<String> {
        let (_, found) = Store::open(Arc::new(fs.clone()), Path::new("/alerts")).unwrap();
        found.silences.into_keys().collect()
    }

    #[test]
    fn what_is_recorded_is_found_after_a_power_cut() {
        let fs = FaultFs::new();
        let (mut store, _) = Store::open(Arc::new(fs.clone()), Path::new("/alerts")).unwrap();
        store.record(&silences(&["a"]), || silences(&["a"])).unwrap();
        store.record(&silences(&["b"]), || unreachable!()).unwrap();
        let taken = Change { unsilenced: vec!["a".to_owned()], ..Change::default() };
        store.record(&taken, || unreachable!()).unwrap();
        assert_eq!(found(&fs.crash(0)), ["b"]);
    }

    #[test]
    fn after_a_failed_sync_the_file_is_written_anew_and_lacks_nothing() {
        let fs = FaultFs::new();
        let (mut store, _) = Store::open(Arc::new(fs.clone()), Path::new("/alerts")).unwrap();
        store.record(&silences(&["a"]), || silences(&["a"])).unwrap();
        fs.fail_next_sync();
        store.record(&silences(&["b"]), || unreachable!()).unwrap_err();
        assert!(store.is_behind());
        store.record(&silences(&["c"]), || silences(&["a", "b", "c"])).unwrap();
        assert_eq!(found(&fs.crash(0)), ["a", "b", "c"]);
    }

    #[test]
    fn a_file_that_has_grown_is_written_anew() {
        let fs = FaultFs::new();
        let (mut store, _) = Store::open(Arc::new(fs.clone()), Path::new("/alerts")).unwrap();
        let long = "x".repeat(100_000);
        for _ in 0..100 {
            store.record(&silences(&[&long]), || silences(&["a"])).unwrap();
        }
        assert!(fs.read(Path::new("/alerts/alerts.log")).unwrap().len() < 2 << 20);
        assert!(found(&fs.crash(0)).contains(&"a".to_owned()));
    }

    #[test]
    fn damaged_lines_are_left_out_and_the_others_are_read() {
        let good = String::from_utf8(line(&silences(&["a"])).unwrap()).unwrap();
        let more = String::from_utf8(line(&silences(&["b"])).unwrap()).unwrap();
        let damaged = more.replacen("\"b\"", "\"d\"", 1);
        let (found, count) = Found::read(format!("{good}{damaged}\u{0}\n{more}{}", &good[..20]).as_bytes());
        assert_eq!(found.silences.into_keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(count, 2);
    }

    #[test]
    fn every_flipped_bit_is_found_and_named() {
        let fs = FaultFs::new();
        let dir = Path::new("/alerts");
        assert_eq!(verify(&fs, dir).unwrap(), Vec::<String>::new());
        let (mut store, _) = Store::open(Arc::new(fs.clone()), dir).unwrap();
        store.record(&silences(&["a"]), || silences(&["a"])).unwrap();
        store.record(&silences(&["b"]), || unreachable!()).unwrap();
        assert_eq!(verify(&fs, dir).unwrap(), Vec::<String>::new());
        let bytes = fs.read(&dir.join(NAME)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            replace_durably(&fs, &dir.join(NAME), &damaged).unwrap();
            let found = verify(&fs, dir).unwrap();
            assert!(found.first().is_some_and(|text| text.contains("alerts.log: line ")), "bit {bit}: {found:?}");
        }
    }
}
