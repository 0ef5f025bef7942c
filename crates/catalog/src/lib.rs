//! Names and the small integers that stand for them: buckets, measurements, fields, series, columns. And databases with their
//! retention policies, continuous queries and users, see [`meta`].
//!
//! The journal and the engine speak in identifiers; this room is the only one that can turn them back into names, so an
//! identifier is durable (in two files, see [`log`]) before anything may be written under it, and is never used again for
//! another name. Lookups take a shared lock for a moment; creations are serialised and do their I/O without holding it.
//! Not here: values, their removal, which store a bucket lives in.

mod define;
mod drops;
mod entry;
mod error;
mod homes;
mod log;
mod meta;
mod names;
mod tags;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use model::{BucketId, TimestampNs};
use vfs::Fs;

pub use define::{MAX_COLUMNS, MAX_SERIES, Wanted};
pub use error::CatalogError;
pub use homes::{Homes, Pattern};
pub use log::{CatalogReport, verify};
pub use meta::{
    ContinuousQuery, Database, Meta, MetaError, Policy, PolicySpec, Privilege, Subscription, SubscriptionMode, User,
};
pub use names::{ColumnInfo, Dropped, FieldInfo, Names};
pub use tags::{TagCondition, TagWanted};

use crate::entry::Entry;
use crate::log::{Log, Stored};
use crate::meta::file::MetaFiles;

/// Name of the retention policy that every database has from the start, as in InfluxDB.
pub const DEFAULT_POLICY: &str = "autogen";

/// What the name of a hidden bucket begins with: no retention policy's name does.
const HIDDEN: char = '\u{1f}';

/// What stands for a policy's name in a hidden bucket of this name.
pub fn hidden_name(name: &str) -> String {
    format!("{HIDDEN}{name}")
}

/// True for the name of a hidden bucket, where a policy's name would stand.
pub fn is_hidden(policy: &str) -> bool {
    policy.starts_with(HIDDEN)
}

/// The catalog of one data directory. Cheap to share; all methods may be called from any thread.
pub struct Catalog {
    names: RwLock<Names>,
    meta: RwLock<Arc<Meta>>,
    homes: OnceLock<Homes>,
    durable: Mutex<Durable>,
}

/// The files. Whoever holds them is the only one to change anything.
pub(crate) struct Durable {
    log: Log,
    meta: MetaFiles,
}

impl Catalog {
    /// Opens, or creates, the catalog in `dir`.
    ///
    /// # Errors
    /// [`CatalogError::Io`] when a file cannot be read or repaired. Damage that the second copy can mend is mended and reported.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<(Self, CatalogReport), CatalogError> {
        let create = fs.create_dir_all(dir);
        create.map_err(|source| CatalogError::Io { op: "create folder", path: dir.to_owned(), source })?;
        let mut stored = Stored::read(&*fs, dir)?;
        let mut names = Names::default();
        for entry in stored.batches.drain(..).flatten() {
            names.apply(entry);
        }
        let (mut files, mut loaded) = MetaFiles::open(Arc::clone(&fs), dir)?;
        let were_lost = loaded.meta.is_none() && !stored.is_old() && names.buckets().next().is_some();
        let meta = loaded.meta.take();
        let is_new = meta.is_none();
        let before = meta.unwrap_or_default();
        let mut meta = before.clone();
        let shown = names.buckets().filter(|(_, _, policy)| !is_hidden(policy));
        shown.for_each(|(_, database, policy)| meta.ensure_policy(database, policy));
        // IMPORTANT: before the log, whose new version says that these files exist.
        if is_new || meta != before {
            files.save(&meta)?;
        }
        let log = stored.mend(&*fs)?;
        let mut report = stored.report;
        report.findings.append(&mut loaded.findings);
        if were_lost {
            let what = "both copies of databases and users are missing: every database has a policy without end now";
            report.findings.push(format!("{}: {what}", dir.display()));
        }
        let durable = Mutex::new(Durable { log, meta: files });
        let catalog =
            Self { names: RwLock::new(names), meta: RwLock::new(Arc::new(meta)), homes: OnceLock::new(), durable };
        catalog.add_buckets(&mut catalog.durable())?;
        Ok((catalog, report))
    }

    /// The names, locked for reading: hold it for a batch of lookups, not across I/O.
    pub fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bucket of a database and retention policy; all three are created when they do not exist.
    ///
    /// # Errors
    /// When something had to be created and that could not be made durable.
    pub fn ensure_bucket(&self, database: &str, policy: &str) -> Result<BucketId, CatalogError> {
        let mut durable = self.durable();
        let mut meta = Meta::clone(&self.meta());
        meta.ensure_policy(database, policy);
        self.store_meta(&mut durable, meta)?;
        self.add_bucket(&mut durable, database, policy)
    }

    /// A bucket of a database that is no retention policy, for what hissrv keeps for itself: nobody finds it by name. It goes with
    /// its database. Created when it does not exist.
    ///
    /// # Errors
    /// When it had to be created and that could not be made durable.
    pub fn ensure_hidden_bucket(&self, database: &str, name: &str) -> Result<BucketId, CatalogError> {
        self.add_bucket(&mut self.durable(), database, &hidden_name(name))
    }

    /// The bucket of a retention policy, which must exist; the database's default one where that is `None`.
    ///
    /// # Errors
    /// [`MetaError::DatabaseNotFound`], [`MetaError::PolicyNotFound`]; [`MetaError::NotStored`] when it has no bucket
    /// yet and that could not be made durable.
    pub fn bucket_of(&self, database: &str, policy: Option<&str>) -> Result<BucketId, MetaError> {
        let known = self.meta().policy(database, policy).map(|p| self.read().bucket(database, &p.name))?;
        if let Some(id) = known {
            return Ok(id);
        }
        let mut durable = self.durable();
        // Once more: it may have been dropped meanwhile.
        let meta = self.meta();
        let policy = meta.policy(database, policy)?;
        Ok(self.add_bucket(&mut durable, database, &policy.name)?)
    }

    /// The retention policy of a bucket; `None` for one that was dropped.
    pub fn policy_of(&self, bucket: BucketId) -> Option<Policy> {
        let names = self.read();
        let (database, policy) = names.bucket_names(bucket)?;
        self.meta().policy(database, Some(policy)).ok().cloned()
    }

    /// The buckets whose policy has a duration, with the time from which on they keep values at `now`.
    pub fn cutoffs(&self, now: TimestampNs) -> Vec<(BucketId, TimestampNs)> {
        let meta = self.meta();
        let policies = meta.databases().iter().flat_map(|d| d.policies.iter().map(move |p| (d, p)));
        let limited: Vec<_> = policies.filter_map(|(d, p)| Some((d, p, p.cutoff(now)?))).collect();
        let names = self.read();
        let known = limited.into_iter().filter_map(|(d, p, cutoff)| Some((names.bucket(&d.name, &p.name)?, cutoff)));
        known.collect()
    }

    fn add_bucket(&self, durable: &mut Durable, database: &str, policy: &str) -> Result<BucketId, CatalogError> {
        if let Some(id) = self.read().bucket(database, policy) {
            return Ok(id);
        }
        let id = self.read().next_bucket();
        let entry = Entry::Bucket { id, database: database.to_owned(), policy: policy.to_owned() };
        self.publish(durable, vec![entry])?;
        Ok(id)
    }

    pub(crate) fn durable(&self) -> MutexGuard<'_, Durable> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `entries` durable, then visible. The caller holds the log, so identifiers cannot be given out twice.
    fn publish(&self, durable: &mut Durable, entries: Vec<Entry>) -> Result<(), CatalogError> {
        if entries.is_empty() {
            return Ok(());
        }
        durable.log.append(&entries)?;
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            names.apply(entry);
        }
        Ok(())
    }
}
