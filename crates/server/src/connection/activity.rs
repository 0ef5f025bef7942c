//! What a connection is doing and since when: one atomic, set by the bytes that arrive and by the requests that begin and end,
//! read by the watch of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// State in the low two bits, milliseconds since the start of the connection above them.
pub(super) struct Activity {
    start: Instant,
    packed: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes of a header are arriving, or the connection is new.
    Header = 0,
    /// A request is being answered.
    Busy = 1,
    /// Between two requests.
    Idle = 2,
}

/// What the watch should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    HeaderLate,
    IdleTooLong,
}

/// A request being answered.
pub(super) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(State::Idle);
    }
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), packed: AtomicU64::new(State::Header as u64) }
    }

    /// Marks a request as begun; it ends when the result is dropped.
    pub(super) fn busy(this: &Arc<Self>) -> Busy {
        this.set(State::Busy);
        Busy(Arc::clone(this))
    }

    /// The first bytes after a request begin the header of the next one.
    pub(super) fn bytes_arrived(&self) {
        if self.get().0 == State::Idle {
            self.set(State::Header);
        }
    }

    /// Judges the state against the limits for headers and for idleness.
    pub(super) fn look(&self, header: Duration, idle: Duration) -> Verdict {
        let (state, since) = self.get();
        match state {
            State::Header if since.elapsed() >= header => Verdict::HeaderLate,
            State::Idle if since.elapsed() >= idle => Verdict::IdleTooLong,
            _ => Verdict::Fine,
        }
    }

    /// When to look again. At the latest after `header`, because a header may begin at any time in between.
    pub(super) fn next_look(&self, header: Duration, idle: Duration) -> Instant {
        let (state, since) = self.get();
        let latest = Instant::now() + header;
        match state {
            State::Header => since + header,
            State::Busy => latest,
            // An idle connection that was told to end may still be writing its last answer: do not look in a tight loop.
            State::Idle if since.elapsed() >= idle => latest,
            State::Idle => latest.min(since + idle),
        }
    }

    fn set(&self, state: State) {
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.packed.store(ms << 2 | state as u64, Relaxed);
    }

    fn get(&self) -> (State, Instant) {
        let packed = self.packed.load(Relaxed);
        let state = match packed & 3 {
            0 => State::Header,
            1 => State::Busy,
            _ => State::Idle,
        };
        // Rounded up, so that what was stored as whole milliseconds is never judged too early.
        (state, self.start + Duration::from_millis((packed >> 2) + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(1000);

    #[test]
    fn a_new_connection_owes_a_header_and_an_idle_one_only_from_its_first_byte() {
        let activity = Arc::new(Activity::new());
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(activity.look(SHORT, LONG), Verdict::HeaderLate);
        drop(Activity::busy(&activity));
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(activity.look(SHORT, LONG), Verdict::Fine);
        assert_eq!(activity.look(LONG, SHORT), Verdict::IdleTooLong);
        activity.bytes_arrived();
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(activity.look(SHORT, LONG), Verdict::HeaderLate);
    }

    #[test]
    fn a_request_being_answered_is_never_late() {
        let activity = Arc::new(Activity::new());
        let _busy = Activity::busy(&activity);
        activity.bytes_arrived();
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(activity.look(SHORT, SHORT), Verdict::Fine);
    }
}
