//! Tells when a journal position has become visible to queries.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::Seq;

/// What became of a record that somebody waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// Queries see it.
    Yes,
    /// The journal lost it before the store had it: its disk budget dropped it, or it was damaged.
    Lost,
}

type Waiter = Box<dyn FnOnce(Visible) + Send>;

/// The newest position that is visible, and who waits for later ones. Waiters are bounded by the requests in flight.
#[derive(Default)]
pub struct Applied {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    seq: Seq,
    waiters: BTreeMap<Seq, Vec<Waiter>>,
}

impl Applied {
    /// For a node without a store of its own: nobody waits for anything, since what is durable counts as done.
    pub fn at_once() -> Self {
        Self { inner: Mutex::new(Inner { seq: Seq(u64::MAX), waiters: BTreeMap::new() }) }
    }

    /// Calls `waiter` once everything up to `seq` is visible: at once, or from the thread that makes it so.
    pub fn when(&self, seq: Seq, waiter: impl FnOnce(Visible) + Send + 'static) {
        let mut inner = self.lock();
        if seq > inner.seq {
            inner.waiters.entry(seq).or_default().push(Box::new(waiter));
            return;
        }
        drop(inner);
        waiter(Visible::Yes);
    }

    /// The newest position that is visible.
    pub fn seq(&self) -> Seq {
        self.lock().seq
    }

    /// Everything up to `seq` is visible now, or lost: `outcome` is for those who wait for it.
    pub(crate) fn advance(&self, seq: Seq, outcome: Visible) {
        let mut inner = self.lock();
        inner.seq = inner.seq.max(seq);
        let later = inner.waiters.split_off(&seq.next());
        let reached = std::mem::replace(&mut inner.waiters, later);
        drop(inner);
        reached.into_values().flatten().for_each(|waiter| waiter(outcome));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    #[test]
    fn waiters_are_called_when_their_position_is_reached_and_not_before() {
        let applied = Applied::default();
        let called = Arc::new(AtomicU64::new(0));
        for seq in [1, 2, 2, 5] {
            let called = Arc::clone(&called);
            applied.when(Seq(seq), move |_| _ = called.fetch_add(seq, SeqCst));
        }
        applied.advance(Seq(3), Visible::Yes);
        assert_eq!(called.load(SeqCst), 5);
        applied.advance(Seq(5), Visible::Yes);
        assert_eq!(called.load(SeqCst), 10);
        let now = Arc::clone(&called);
        applied.when(Seq(4), move |_| _ = now.fetch_add(100, SeqCst));
        assert_eq!(called.load(SeqCst), 110);
    }
}
