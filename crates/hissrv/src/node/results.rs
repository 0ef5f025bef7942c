//! The cache of results, told of everything that changes.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use catalog::{Catalog, Meta};
use engine::Touched;
use pipeline::Observer;
use query::cache::{Cache, CacheConfig};

/// Results of earlier queries of the embedded store.
pub(crate) struct Results {
    pub(crate) cache: Cache,
    /// Policies as they were when results were kept.
    meta: Mutex<Option<Arc<Meta>>>,
}

impl Results {
    pub(super) fn new(config: CacheConfig) -> Self {
        Self { cache: Cache::new(config), meta: Mutex::default() }
    }

    /// The cache. Where retention policies were changed since it was last asked for, it begins anew.
    pub(super) fn current(&self, catalog: &Catalog) -> &Cache {
        let meta = catalog.meta();
        let mut known = self.meta.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &meta)) {
            self.cache.clear();
            *known = Some(meta);
        }
        &self.cache
    }
}

impl Observer for Results {
    fn changed(&self, touched: &Touched) {
        self.cache.touched(touched.written.iter().copied());
        touched.deleted.iter().for_each(|(columns, range)| self.cache.deleted(columns, *range));
    }

    fn lost_track(&self) {
        self.cache.clear();
    }

    /// It is in memory only, and empty after a start.
    fn persist(&self) -> io::Result<()> {
        Ok(())
    }
}
