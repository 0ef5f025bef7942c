//! A bounded queue between one reader and many workers, which can be closed from both ends.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Holds at most so many items.
pub(crate) struct Queue<T> {
    max: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(max: usize) -> Self {
        let state = State { items: VecDeque::new(), closed: false };
        Self { max: max.max(1), state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room; false when the queue is closed, and the item is not taken.
    pub(crate) fn push(&self, item: T) -> bool {
        let mut state = self.lock();
        while state.items.len() >= self.max && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.closed {
            state.items.push_back(item);
        }
        let taken = !state.closed;
        drop(state);
        self.changed.notify_all();
        taken
    }

    /// The next item; `None` once the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                drop(state);
                self.changed.notify_all();
                return Some(item);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes nothing more; what is in it is still handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes nothing more, and forgets what is in it.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.items.clear();
        drop(state);
        self.changed.notify_all();
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().items.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_pushed_is_popped_once_in_order_and_the_bound_holds() {
        let queue = Queue::new(3);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..1000).for_each(|n| assert!(queue.push(n) && queue.len() <= 3));
                queue.close();
            });
            let popped: Vec<i32> = std::iter::from_fn(|| queue.pop()).collect();
            assert_eq!(popped, (0..1000).collect::<Vec<_>>());
        });
    }

    #[test]
    fn an_abandoned_queue_lets_everybody_go() {
        let queue = Queue::new(1);
        assert!(queue.push(1));
        std::thread::scope(|scope| {
            let pusher = scope.spawn(|| queue.push(2));
            queue.abandon();
            assert!(!pusher.join().unwrap() || queue.pop().is_none());
        });
        assert_eq!(queue.pop(), None);
    }
}
