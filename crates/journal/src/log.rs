//! The journal as its users see it: open, append, close.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};

use model::{ByteSize, Seq};
use vfs::Fs;

use crate::committer::Committer;
use crate::config::JournalConfig;
use crate::consumer::Consumer;
use crate::error::{AppendError, ConsumerError, NotAppended, OpenError};
use crate::follower::Follower;
use crate::queue::{Pending, Queue};
use crate::record;
use crate::recovery::{self, Recovered, RecoveryReport};
use crate::segment;
use crate::shared::{Counters, Phase, Position, Shared, State};
use crate::stats::Stats;
use crate::tail::Tail;

/// An open journal. Dropping it closes it. One journal at a time may have a folder open; the caller sees to that.
pub struct Journal {
    shared: Arc<Shared>,
    /// Longest payload that fits into a segment.
    payload_max: u64,
    committer: Mutex<Option<JoinHandle<()>>>,
    committer_id: ThreadId,
}

impl Journal {
    /// Opens the journal in `dir`, which is created when missing, and starts its committer thread. Reads and checks all
    /// segments, which takes as long as reading them from the disk.
    ///
    /// `floor`: the next sequence number is above it (and above every consumer's cursor), so that a journal that was
    /// deleted never reuses positions that a store already has.
    ///
    /// # Errors
    /// [`OpenError`]; damaged records are not an error but part of the report.
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        config: JournalConfig,
        floor: Seq,
    ) -> Result<(Arc<Self>, RecoveryReport), OpenError> {
        let capacity = segment_capacity(&config)?;
        let Recovered { segments, active, consumers, next, report } = recovery::recover(&*fs, dir, floor)?;
        let mut state = State {
            queue: Queue::new(config.queue_max),
            tail: Tail::new(config.tail_max),
            segments,
            consumers: consumers.into_iter().map(|(name, progress)| (name, Position::at(progress))).collect(),
            next,
            durable: Seq(next.0 - 1),
            phase: Phase::Open,
            poisoned: false,
            trim: false,
            retire_above: RETIRE_ABOVE.min(capacity / 2),
            counters: Counters::default(),
        };
        state.request_trim();
        let shared = Arc::new(Shared::new(fs, dir.to_owned(), config, state));
        let committer = Committer::new(Arc::clone(&shared), active, capacity);
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(|| committer.run());
        let thread = thread.map_err(OpenError::Thread)?;
        let committer_id = thread.thread().id();
        let payload_max = capacity - OVERHEAD;
        Ok((Arc::new(Self { shared, payload_max, committer: Mutex::new(Some(thread)), committer_id }), report))
    }

    /// Queues a record that holds `points` points. Never blocks on I/O. `done` is called exactly once: from the committer
    /// thread when the record is durable ([`crate::FsyncPolicy::Interval`]: written) or failed, or at once when it is
    /// refused. It must be quick, must not panic and must not wait for this journal.
    pub fn append(&self, payload: Vec<u8>, points: u32, done: impl FnOnce(Result<Seq, AppendError>) + Send + 'static) {
        if let Err(error) = self.check_len(&payload) {
            return done(Err(error));
        }
        let pending = Pending { payload: payload.into(), points, done: Box::new(done) };
        if let Err(refused) = self.enqueue(pending, QueueFull::Refuse) {
            (refused.pending.done)(Err(refused.error));
        }
    }

    /// Appends a record and waits until it is durable ([`crate::FsyncPolicy::Interval`]: written), also for room in the
    /// queue. Not for the committer thread, that is, not inside a `done`.
    ///
    /// # Errors
    /// [`AppendError`], of which only `Full` is worth a retry here.
    pub fn append_wait(&self, payload: Vec<u8>, points: u32) -> Result<Seq, AppendError> {
        self.check_len(&payload)?;
        let (sender, receiver) = sync_channel(1);
        let done = Box::new(move |outcome| {
            // It cannot fail, the channel has room and the receiver waits below; if it did, nobody would want to know.
            sender.send(outcome).ok();
        });
        let pending = Pending { payload: payload.into(), points, done };
        self.enqueue(pending, QueueFull::Wait).map_err(|refused| refused.error)?;
        // The committer drops what it was given only when it panics, which poisons the journal.
        receiver.recv().unwrap_or(Err(AppendError::Poisoned))
    }

    /// Appends records without points in their order, as [`Journal::append_wait`] does one, but waits once for all of them: those that fit into the
    /// queue and the segment together share a sync. Gives the position of the last one; `None` when there are none.
    ///
    /// # Errors
    /// [`NotAppended`] says which one was the first that failed.
    pub fn append_all_wait(&self, payloads: Vec<Vec<u8>>) -> Result<Option<Seq>, NotAppended> {
        let (sender, receiver) = sync_channel(payloads.len());
        let pending = |(place, payload): (usize, Vec<u8>)| {
            let sender = sender.clone();
            let done = Box::new(move |outcome| {
                // There is room for all outcomes, and the receiver waits below.
                sender.send((place, outcome)).ok();
            });
            self.check_len(&payload).map(|()| Pending { payload: payload.into(), points: 0, done })
        };
        let all: Vec<_> = payloads.into_iter().enumerate().map(pending).collect();
        let (queued, refused) = self.enqueue_all(all);
        drop(sender);
        // Ends when each record was answered, or dropped by a committer that panicked.
        let mut outcomes: Vec<_> = receiver.iter().collect();
        outcomes.sort_unstable_by_key(|(place, _)| *place);
        let (mut last, mut answered) = (None, 0);
        for (place, outcome) in outcomes {
            if place > answered {
                break;
            }
            last = Some(outcome.map_err(|source| NotAppended { place, source })?);
            answered += 1;
        }
        match refused {
            _ if answered < queued => Err(NotAppended { place: answered, source: AppendError::Poisoned }),
            Some(source) => Err(NotAppended { place: queued, source }),
            None => Ok(last),
        }
    }

    /// Longest payload of a record; longer ones are refused for good.
    pub fn payload_max(&self) -> ByteSize {
        ByteSize(self.payload_max)
    }

    fn check_len(&self, payload: &[u8]) -> Result<(), AppendError> {
        let len = payload.len() as u64;
        if len <= self.payload_max {
            return Ok(());
        }
        Err(AppendError::TooLarge { len: ByteSize(len), limit: ByteSize(self.payload_max) })
    }

    fn enqueue(&self, mut pending: Pending, when_full: QueueFull) -> Result<(), Refused> {
        let mut state = self.shared.lock();
        loop {
            if let Some(error) = state.refusal() {
                return Err(Refused { pending, error });
            }
            pending = match (state.queue.push(pending), when_full) {
                (Ok(()), _) => break,
                (Err(pending), QueueFull::Refuse) => return Err(Refused { pending, error: state.queue.full() }),
                (Err(pending), QueueFull::Wait) => pending,
            };
            state = self.shared.wait(&self.shared.room, state, None);
        }
        self.shared.work.notify_one();
        Ok(())
    }

    /// Queues records in their order, waiting for room, up to the first that is refused; gives how many those are and why there are no more.
    fn enqueue_all(&self, all: Vec<Result<Pending, AppendError>>) -> (usize, Option<AppendError>) {
        let (mut state, mut queued, mut refused) = (self.shared.lock(), 0, None);
        // IMPORTANT: the committer gets the lock only when the queue is full or all are in it, so that it does not sync them one by one.
        'records: for pending in all {
            let mut pending = match pending {
                Ok(pending) => pending,
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            };
            loop {
                if let Some(error) = state.refusal() {
                    refused = Some(error);
                    break 'records;
                }
                match state.queue.push(pending) {
                    Ok(()) => break,
                    Err(back) => pending = back,
                }
                self.shared.work.notify_one();
                state = self.shared.wait(&self.shared.room, state, None);
            }
            queued += 1;
        }
        drop(state);
        self.shared.work.notify_one();
        (queued, refused)
    }

    /// Opens a durable named cursor. A new one starts at the first retained record. Without any consumer nothing is ever
    /// deleted (but see [`crate::WhenFull::DropOldest`]); a known one holds back deletion also while nobody has it open.
    ///
    /// # Errors
    /// [`ConsumerError`]: a wrong name, one in use, or the cursor file cannot be written.
    pub fn consumer(self: &Arc<Self>, name: &str) -> Result<Consumer, ConsumerError> {
        Consumer::open(&self.shared, name)
    }

    /// Forgets a consumer and deletes its cursor, so that it holds back deletion no longer. Fine when there is none.
    ///
    /// # Errors
    /// [`ConsumerError`]: a wrong name, one in use, or the cursor file cannot be deleted.
    pub fn remove_consumer(&self, name: &str) -> Result<(), ConsumerError> {
        Consumer::remove(&self.shared, name)
    }

    /// True when there is a cursor of this name, whether somebody has it open or not.
    pub fn knows_consumer(&self, name: &str) -> bool {
        self.shared.lock().consumers.contains_key(name)
    }

    /// Reads the records after this position, now and in time to come, without a cursor: nothing is held back from deletion.
    pub fn follower(self: &Arc<Self>, after: Seq) -> Follower {
        Follower::new(&self.shared, after)
    }

    /// Everything up to here survives power loss.
    pub fn durable_seq(&self) -> Seq {
        self.shared.lock().durable
    }

    /// True once half of the disk space is used, or an append was refused for want of it.
    pub fn is_half_full(&self) -> bool {
        let state = self.shared.lock();
        state.counters.full || state.segments.used().0 > self.shared.config.max_disk.0 / 2
    }

    /// Numbers for metrics and status pages. Takes the lock for some microseconds.
    pub fn stats(&self) -> Stats {
        self.shared.lock().stats()
    }

    /// Commits what is queued, syncs and stops the committer; blocks until then, unless called inside a `done`. Later
    /// appends fail with `Closed`; consumers still get what was committed, then [`crate::Delivery::Closed`]. Once they have
    /// committed all of it, now or later, one empty segment is left, which keeps the next sequence number.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.shared.work.notify_one();
        self.shared.room.notify_all();
        if thread::current().id() != self.committer_id {
            self.join();
        }
    }

    fn join(&self) {
        let mut committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(_)) = committer.take().map(JoinHandle::join) {
            tracing::error!("the journal's committer thread panicked");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

/// What an append does when the queue is full.
#[derive(Clone, Copy)]
enum QueueFull {
    Refuse,
    Wait,
}

/// A record that was not queued.
struct Refused {
    pending: Pending,
    error: AppendError,
}

/// A segment in use that all consumers have passed is kept for more records up to this length; a longer one (or one that
/// is half full, where segments are small) is deleted and another begun, which costs three syncs.
const RETIRE_ABOVE: u64 = 1 << 20;

/// What a payload needs in a segment besides itself.
const OVERHEAD: u64 = (segment::HEADER_LEN + record::HEADER_LEN) as u64;

/// Longest a segment file may become: one always fits into the disk space, beside the header of another. Lengths and
/// offsets of records are kept in 32 bits.
fn segment_capacity(config: &JournalConfig) -> Result<u64, OpenError> {
    let within_disk = config.max_disk.0.saturating_sub(segment::HEADER_LEN as u64);
    let capacity = config.segment_max.0.min(within_disk).min(u64::from(u32::MAX));
    if capacity <= OVERHEAD {
        return Err(OpenError::TooSmall { segment_max: config.segment_max, max_disk: config.max_disk });
    }
    Ok(capacity)
}
