//! The bytes of write bodies that may be in memory at a time. A body reserves before it allocates and gives back when its
//! write is over, so the sum of all bodies never exceeds `write_memory`.

use std::sync::Arc;

use model::ByteSize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One permit stands for so many bytes, so that a `u32` of permits covers any size.
const UNIT: u64 = 1024;

/// Bytes that may be reserved by all requests together.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    units: Arc<Semaphore>,
}

/// Bytes reserved by one request; given back on drop.
#[derive(Debug)]
pub(crate) struct Share {
    permit: OwnedSemaphorePermit,
}

impl Budget {
    /// `total` must be at most what [`crate::ServerConfig::check`] allows.
    pub(crate) fn new(total: ByteSize) -> Self {
        let units = usize::try_from(total.0 / UNIT).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { units: Arc::new(Semaphore::new(units)) }
    }

    /// Reserves `bytes`, rounded up to whole KiB; `None` when so many are not free.
    pub(crate) fn reserve(&self, bytes: u64) -> Option<Share> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        let permit = Arc::clone(&self.units).try_acquire_many_owned(units).ok()?;
        Some(Share { permit })
    }

    /// Bytes not reserved.
    pub(crate) fn free(&self) -> u64 {
        self.units.available_permits() as u64 * UNIT
    }
}

impl Share {
    /// Reserves `bytes` more; false, and nothing changed, when so many are not free.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: u64) -> bool {
        let budget = Budget { units: Arc::clone(self.permit.semaphore()) };
        let Some(more) = budget.reserve(bytes) else { return false };
        self.permit.merge(more.permit);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_missing_until_it_is_dropped() {
        let budget = Budget::new(ByteSize(10 * UNIT));
        let mut share = budget.reserve(4 * UNIT + 1).unwrap();
        assert_eq!(budget.free(), 5 * UNIT);
        assert!(budget.reserve(6 * UNIT).is_none());
        assert!(!share.grow(6 * UNIT));
        assert!(share.grow(5 * UNIT));
        assert_eq!(budget.free(), 0);
        drop(share);
        assert_eq!(budget.free(), 10 * UNIT);
    }
}
