//! What a source tells about itself: counters that its threads add to, and a snapshot of them for the status page and metrics.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::TimestampNs;
use serde::Serialize;

use super::stop::lock;
use crate::decode::tally::{Reason, Tally};
use crate::sink::Clock;

/// Gaps listed in the status.
const GAPS_LISTED: usize = 100;
/// Gaps waiting to be stored; they are tiny, and there is one per reconnect.
const GAPS_WAITING: usize = 1_000;
/// One sample of a kind of malformed message is logged in this time.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// Longest part of a malformed message that is logged, in bytes.
const SAMPLE_LEN: usize = 120;

/// A source as it is now. Times are nanoseconds since 1970, sizes bytes.
#[derive(Debug, Clone, Serialize)]
pub struct SourceStatus {
    /// Configured name.
    pub name: String,
    /// The server, without user and password.
    pub endpoint: String,
    /// Every subscriber connection is subscribed (or, without patterns, polling works).
    pub connected: bool,
    /// The connections that subscribe.
    pub connections: Vec<LinkStatus>,
    /// Connections that had to be made again.
    pub reconnects: u64,
    /// Pub/Sub messages received.
    pub messages: u64,
    /// Bytes of their channels and payloads.
    pub bytes: u64,
    /// Points pushed, from messages and from polling.
    pub points: u64,
    /// Messages and keys skipped by their names.
    pub skipped: u64,
    /// Messages that only said that something changed.
    pub notices: u64,
    /// Points with a time more than ten minutes ahead.
    pub future: u64,
    /// What was malformed, by pattern (`snapshot` for polled keys) and reason.
    pub malformed: Vec<MalformedStatus>,
    /// Messages lost because the queue was full, by reason.
    pub dropped: Vec<DroppedStatus>,
    /// Bytes waiting to be decoded.
    pub queue_bytes: u64,
    /// Most bytes that may wait.
    pub queue_limit_bytes: u64,
    /// Batches the sink could not take at the first attempt.
    pub flush_failures: u64,
    /// Batches the sink refused for good.
    pub flush_refused: u64,
    /// Times without a subscription since the start.
    pub gap_count: u64,
    /// The last hundred of them.
    pub gaps: Vec<Gap>,
    /// Polling.
    pub poll: PollStatus,
}

/// One subscriber connection.
#[derive(Debug, Clone, Serialize, Default)]
pub struct LinkStatus {
    /// Subscribed.
    pub connected: bool,
    /// When it became so, or stopped being so.
    pub since: i64,
    /// Why it last failed.
    pub last_error: Option<String>,
}

/// How often something was malformed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MalformedStatus {
    /// The pattern, or `snapshot`.
    pub pattern: String,
    /// What was wrong.
    pub reason: Reason,
    /// How often.
    pub count: u64,
}

/// How many messages were dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DroppedStatus {
    /// Why.
    pub reason: &'static str,
    /// How many.
    pub messages: u64,
}

/// A time in which messages may have been missed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gap {
    /// When something was last heard.
    pub start: i64,
    /// Its length, in seconds.
    pub duration_s: f64,
    /// Why it came about.
    pub reason: String,
}

/// Polling as it is now.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PollStatus {
    /// The last poll got through.
    pub connected: bool,
    /// Keys known.
    pub keys: u64,
    /// Fields remembered for change detection.
    pub fields: u64,
    /// Polls finished.
    pub polls: u64,
    /// Fields that had changed and were pushed.
    pub changed: u64,
    /// Duration of the last poll, in seconds.
    pub last_duration_s: f64,
    /// Keys whose type was not the expected one.
    pub wrong_type: u64,
    /// Keys not polled because too many keys or fields are known already.
    pub over_limit: u64,
    /// Why a poll last failed.
    pub last_error: Option<String>,
}

#[derive(Debug, Default)]
struct Malformed {
    count: u64,
    unlogged: u64,
    logged: Option<Instant>,
}

#[derive(Debug, Default)]
struct Gaps {
    count: u64,
    listed: VecDeque<Gap>,
    waiting: VecDeque<Gap>,
}

/// The counters of a source, shared by its threads.
pub struct Shared {
    /// Configured name.
    pub name: String,
    /// Tells the time.
    pub clock: Clock,
    pub(crate) messages: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) reconnects: AtomicU64,
    pub(crate) flush_failures: AtomicU64,
    pub(crate) flush_refused: AtomicU64,
    points: AtomicU64,
    skipped: AtomicU64,
    notices: AtomicU64,
    future: AtomicU64,
    links: Mutex<Vec<LinkStatus>>,
    malformed: Mutex<BTreeMap<(String, Reason), Malformed>>,
    gaps: Mutex<Gaps>,
    poll: Mutex<PollStatus>,
}

/// A message that was malformed: only a little of it is logged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample<'a> {
    pub(crate) pattern: &'a str,
    pub(crate) name: &'a [u8],
    pub(crate) payload: &'a [u8],
}

impl Shared {
    pub(crate) fn new(name: &str, clock: Clock, connections: usize) -> Self {
        let since = clock().0;
        let links = vec![LinkStatus { since, ..LinkStatus::default() }; connections];
        Self {
            name: name.to_owned(),
            clock,
            messages: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            flush_failures: AtomicU64::new(0),
            flush_refused: AtomicU64::new(0),
            points: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            notices: AtomicU64::new(0),
            future: AtomicU64::new(0),
            links: Mutex::new(links),
            malformed: Mutex::default(),
            gaps: Mutex::default(),
            poll: Mutex::default(),
        }
    }

    /// Adds what a decoder counted, and clears it there. Malformed messages are taken one at a time by [`Shared::note_malformed`].
    pub(crate) fn add_tally(&self, tally: &mut Tally) {
        add(&self.points, std::mem::take(&mut tally.points));
        add(&self.skipped, std::mem::take(&mut tally.skipped));
        add(&self.notices, std::mem::take(&mut tally.notices));
        add(&self.future, std::mem::take(&mut tally.future));
    }

    /// Counts what was malformed in one message, and logs a sample now and then.
    pub(crate) fn note_malformed(&self, tally: &mut Tally, sample: Sample<'_>) {
        let Some(counts) = tally.take_malformed() else { return };
        let mut malformed = lock(&self.malformed);
        for (reason, count) in Reason::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
            let entry = malformed.entry((sample.pattern.to_owned(), reason)).or_default();
            entry.count += count;
            entry.unlogged += count;
            if entry.logged.is_none_or(|logged| logged.elapsed() >= SAMPLE_EVERY) {
                log_sample(&self.name, reason, entry.unlogged, sample);
                (entry.unlogged, entry.logged) = (0, Some(Instant::now()));
            }
        }
    }

    pub(crate) fn set_connected(&self, link: usize, connected: bool, error: Option<String>) {
        let since = (self.clock)().0;
        if let Some(link) = lock(&self.links).get_mut(link) {
            if link.connected != connected {
                (link.connected, link.since) = (connected, since);
            }
            link.last_error = error.or_else(|| link.last_error.take());
        }
    }

    pub(crate) fn add_gap(&self, start: TimestampNs, end: TimestampNs, reason: String) {
        let duration_s = end.0.saturating_sub(start.0) as f64 / 1e9;
        tracing::warn!(source = %self.name, duration_s, reason, "subscription gap");
        let gap = Gap { start: start.0, duration_s, reason };
        let mut gaps = lock(&self.gaps);
        gaps.count += 1;
        push_bounded(&mut gaps.listed, gap.clone(), GAPS_LISTED);
        push_bounded(&mut gaps.waiting, gap, GAPS_WAITING);
    }

    /// The gaps that were not stored yet.
    pub(crate) fn take_gaps(&self) -> VecDeque<Gap> {
        std::mem::take(&mut lock(&self.gaps).waiting)
    }

    pub(crate) fn update_poll(&self, update: impl FnOnce(&mut PollStatus)) {
        update(&mut lock(&self.poll));
    }

    pub(crate) fn status(&self, endpoint: String, queue_bytes: usize, queue_limit: usize) -> SourceStatus {
        let connections = lock(&self.links).clone();
        let poll = lock(&self.poll).clone();
        let gaps = lock(&self.gaps);
        let malformed = lock(&self.malformed);
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let connected =
            if connections.is_empty() { poll.connected } else { connections.iter().all(|link| link.connected) };
        SourceStatus {
            name: self.name.clone(),
            endpoint,
            connected,
            connections,
            reconnects: get(&self.reconnects),
            messages: get(&self.messages),
            bytes: get(&self.bytes),
            points: get(&self.points),
            skipped: get(&self.skipped),
            notices: get(&self.notices),
            future: get(&self.future),
            malformed: malformed.iter().map(malformed_status).collect(),
            dropped: vec![DroppedStatus { reason: "queue_full", messages: get(&self.dropped) }],
            queue_bytes: queue_bytes as u64,
            queue_limit_bytes: queue_limit as u64,
            flush_failures: get(&self.flush_failures),
            flush_refused: get(&self.flush_refused),
            gap_count: gaps.count,
            gaps: gaps.listed.iter().cloned().collect(),
            poll,
        }
    }
}

fn malformed_status(((pattern, reason), malformed): (&(String, Reason), &Malformed)) -> MalformedStatus {
    MalformedStatus { pattern: pattern.clone(), reason: *reason, count: malformed.count }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, count: u64) {
    if count > 0 {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T, limit: usize) {
    if list.len() >= limit {
        list.pop_front();
    }
    list.push_back(item);
}

fn log_sample(source: &str, reason: Reason, count: u64, sample: Sample<'_>) {
    let head = |bytes: &[u8]| String::from_utf8_lossy(bytes.get(..SAMPLE_LEN).unwrap_or(bytes)).into_owned();
    tracing::warn!(
        source,
        pattern = sample.pattern,
        reason = reason.as_str(),
        count,
        name = head(sample.name),
        payload = head(sample.payload),
        "malformed"
    );
}
