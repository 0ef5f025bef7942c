//! When the journal will be full if things go on as they do.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::ByteSize;

/// The past that the future is judged by.
const SPAN: Duration = Duration::from_secs(60);

/// The journal's size over the last minute.
#[derive(Debug, Default)]
pub(super) struct Outlook(Mutex<VecDeque<(Instant, ByteSize)>>);

impl Outlook {
    /// Takes note of the size; to be called every second or so.
    pub(super) fn note(&self, at: Instant, size: ByteSize) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push_back((at, size));
        while samples.front().is_some_and(|(then, _)| at.duration_since(*then) > SPAN) {
            samples.pop_front();
        }
    }

    /// Time until `limit` is reached; `None` while the journal does not grow.
    pub(super) fn time_to(&self, limit: ByteSize) -> Option<Duration> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ((first, before), (last, now)) = (samples.front()?, samples.back()?);
        let grown = now.0.checked_sub(before.0).filter(|grown| *grown > 0)?;
        let rate = grown as f64 / last.duration_since(*first).as_secs_f64();
        Duration::try_from_secs_f64(limit.0.saturating_sub(now.0) as f64 / rate).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_grows_by_a_megabyte_a_second_fills_nine_in_nine_seconds() {
        let (outlook, start) = (Outlook::default(), Instant::now());
        assert_eq!(outlook.time_to(ByteSize(10)), None);
        outlook.note(start, ByteSize(0));
        outlook.note(start + Duration::from_secs(1), ByteSize(1_000_000));
        assert_eq!(outlook.time_to(ByteSize(10_000_000)), Some(Duration::from_secs(9)));
        outlook.note(start + Duration::from_secs(2), ByteSize(0));
        assert_eq!(outlook.time_to(ByteSize(10_000_000)), None);
    }
}
