//! The archive as a place with files: listing, checking and reading back. Needs no store, only the settings.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use vfs::Fs;

use crate::Clock;
use crate::config::{ArchiveConfig, ConfigError};
use crate::day::Day;
use crate::error::Error;
use crate::manifest::Manifest;
use crate::names;
use crate::restore::{Restored, RestoredPoint, restore_rows, sha256_of};
use crate::table::FileRows;
use crate::target::{Object, Target, open};

/// Files of one archive.
pub struct Archive {
    pub(crate) target: Box<dyn Target>,
}

/// Which files are meant; `None` everywhere means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those of one database.
    pub database: Option<String>,
    /// Those of one retention policy.
    pub policy: Option<String>,
    /// Those of one measurement.
    pub measurement: Option<String>,
    /// The first day.
    pub from: Option<Day>,
    /// The last day.
    pub to: Option<Day>,
}

/// What checking one file found.
#[derive(Debug)]
pub struct Finding {
    /// Address of the file.
    pub file: String,
    /// What is wrong with it; `None` when all is right.
    pub wrong: Option<Error>,
}

impl Archive {
    /// The archive of the settings, which are checked; nothing is touched yet. `spool` is a folder of hissrv's own for files on their
    /// way to and from an object store.
    ///
    /// # Errors
    /// The setting that cannot work.
    pub fn new(fs: Arc<dyn Fs>, config: &ArchiveConfig, spool: &Path, clock: Clock) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { target: open(fs, config, spool, clock)? })
    }

    /// Manifests of the files meant, by database, policy, measurement and day. Each is one request to an object store.
    ///
    /// # Errors
    /// When the target cannot be read, or a manifest is none.
    pub fn list(&self, selection: &Selection, stop: &AtomicBool) -> Result<Vec<Manifest>, Error> {
        let mut found = Vec::new();
        for object in self.objects(selection, names::MANIFEST, stop)? {
            found.extend(self.manifest(&object.name, stop)?.filter(|manifest| selection.takes(manifest)));
        }
        found.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        Ok(found)
    }

    /// Reads every file meant and compares it with its manifest: length, SHA-256, rows and values. Goes on after a fault, unless the
    /// target cannot be reached. `report` may end it.
    ///
    /// # Errors
    /// When the target cannot be read.
    pub fn verify(
        &self,
        selection: &Selection,
        stop: &AtomicBool,
        report: &mut dyn FnMut(Finding) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let data = self.objects(selection, names::DATA, stop)?;
        let mut without: BTreeMap<&str, &Object> = BTreeMap::new();
        without.extend(data.iter().filter_map(|o| Some((o.name.strip_suffix(names::DATA)?, o))));
        for object in self.objects(selection, names::MANIFEST, stop)? {
            let stem = object.name.strip_suffix(names::MANIFEST).unwrap_or_default();
            without.remove(stem);
            let checked = self.check(stem, selection, stop);
            let wrong = match checked {
                Err(e) if e.concerns_all() => return Err(e),
                Ok(false) => continue,
                checked => checked.err(),
            };
            let file = self.target.address(&format!("{stem}{}", names::DATA));
            if report(Finding { file, wrong }).is_break() {
                return Ok(());
            }
        }
        for object in without.values() {
            let file = self.target.address(&object.name);
            let what = "has no manifest: writing it was cut short; the day is archived again by the next run";
            let wrong = Some(Error::file(&file, what));
            if report(Finding { file, wrong }).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Hands out every point of the files meant, file by file, until `visit` ends it. What is handed out is what was archived.
    ///
    /// # Errors
    /// When a file is missing, damaged, or not the one that its manifest is about; what came before was handed out.
    pub fn restore(
        &self,
        selection: &Selection,
        stop: &AtomicBool,
        visit: &mut dyn FnMut(RestoredPoint<'_>) -> ControlFlow<()>,
    ) -> Result<Restored, Error> {
        let mut total = Restored::default();
        for manifest in self.list(selection, stop)? {
            let name = format!("{}{}", manifest.stem(), names::DATA);
            let mut rows = self.whole_file(&name, &manifest, stop)?;
            let is_over = restore_rows(&mut rows, stop, &mut total, visit)?.is_break();
            if is_over {
                break;
            }
        }
        Ok(total)
    }

    /// The manifest at `name`; `None` when there is none.
    fn manifest(&self, name: &str, stop: &AtomicBool) -> Result<Option<Manifest>, Error> {
        let Some(bytes) = self.target.read(name, stop)? else { return Ok(None) };
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Some).map_err(|e| Error::file(&self.target.address(name), format!("is no manifest: {e}")))
    }

    /// False when the file is not meant.
    fn check(&self, stem: &str, selection: &Selection, stop: &AtomicBool) -> Result<bool, Error> {
        let manifest = self.manifest(&format!("{stem}{}", names::MANIFEST), stop)?;
        let Some(manifest) = manifest.filter(|manifest| selection.takes(manifest)) else { return Ok(false) };
        let name = format!("{stem}{}", names::DATA);
        let mut rows = self.whole_file(&name, &manifest, stop)?;
        let mut found = Restored::default();
        let everything = &mut |_: RestoredPoint<'_>| ControlFlow::Continue(());
        if restore_rows(&mut rows, stop, &mut found, everything)?.is_break() {
            return Ok(true);
        }
        if (found.rows, found.values) == (manifest.rows, manifest.values) {
            return Ok(true);
        }
        let what = format!(
            "has {} rows and {} values; its manifest says {} and {}",
            found.rows, found.values, manifest.rows, manifest.values
        );
        Err(Error::file(&self.target.address(&name), what))
    }

    /// A file that is the one its manifest is about.
    fn whole_file(&self, name: &str, manifest: &Manifest, stop: &AtomicBool) -> Result<FileRows, Error> {
        let address = self.target.address(name);
        let missing = || Error::file(&address, "is missing, though there is a manifest of it");
        let opened = self.target.open(name, stop)?.ok_or_else(missing)?;
        if sha256_of(&*opened.file, &address, stop)? != manifest.sha256 {
            let what =
                "is not the file that its manifest is about (SHA-256 differs): damaged, or written anew and cut short";
            return Err(Error::file(&address, what));
        }
        let rows = FileRows::of_opened(opened, &address)?;
        if *rows.content() != manifest.content {
            return Err(Error::file(&address, "has other names than its manifest"));
        }
        Ok(rows)
    }

    /// Objects with an ending that may be meant, by what their paths tell.
    fn objects(&self, selection: &Selection, ending: &str, stop: &AtomicBool) -> Result<Vec<Object>, Error> {
        let mut prefix = String::new();
        for name in [&selection.database, &selection.policy, &selection.measurement] {
            let Some(name) = name else { break };
            prefix.push_str(&names::part(name));
            prefix.push('/');
        }
        let mut objects = self.target.list(&prefix, stop)?;
        objects.retain(|object| {
            let file = object.name.rsplit('/').next().and_then(|file| file.strip_suffix(ending));
            file.and_then(|day| day.parse().ok()).is_some_and(|day| selection.takes_day(day))
        });
        Ok(objects)
    }
}

impl Selection {
    fn takes(&self, manifest: &Manifest) -> bool {
        let c = &manifest.content;
        let is = |wanted: &Option<String>, name: &String| wanted.as_ref().is_none_or(|wanted| wanted == name);
        is(&self.database, &c.database)
            && is(&self.policy, &c.policy)
            && is(&self.measurement, &c.measurement)
            && self.takes_day(c.day)
    }

    fn takes_day(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

fn sort_key(manifest: &Manifest) -> (&str, &str, &str, Day) {
    let c = &manifest.content;
    (&c.database, &c.policy, &c.measurement, c.day)
}
