//! An import from start to end: one thread reads, workers convert and write, the caller looks on and saves what is done.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::checkpoint::{Checkpoint, FileDone};
use crate::counters::{Counters, Snapshot, Tally};
use crate::deliver::Undelivered;
use crate::error::ImportError;
use crate::file::{FileReader, Layout, Piece};
use crate::frontier::Frontier;
use crate::guard::{Guard, Kept};
use crate::inputs::Input;
use crate::options::Options;
use crate::queue::Queue;
use crate::rejects::{self, Refused, Rejects};
use crate::sink::Sink;
use crate::spares::Spares;
use crate::state::{FileState, State};
use crate::worker;

/// Pieces that are read ahead of the first one that is not stored. Bounds what waits for a worker that is stuck.
const AHEAD: u64 = 64;
/// Pieces that wait for a worker. One is read faster than it is stored.
const QUEUED: usize = 2;
/// So long after the end of a pipe a signal may come that was sent to both of its ends.
const CUT_OFF: Duration = Duration::from_millis(250);
/// How often the caller looks at what was done, and whether it is over.
const TICK: Duration = Duration::from_millis(25);

/// What an import is to do.
pub struct Import<'a> {
    /// The files.
    pub inputs: &'a [Input],
    /// How they are read.
    pub layout: &'a Layout,
    /// Where points go.
    pub sink: &'a dyn Sink,
    /// How.
    pub options: &'a Options,
    /// What was done before; a new one where nothing was.
    pub checkpoint: Checkpoint,
    /// Where refused records go.
    pub rejects: Rejects,
    /// Counted along the way.
    pub counters: &'a Counters,
    /// Set by whoever wants the import to end; what is in flight is finished.
    pub stop: &'a AtomicBool,
}

/// How an import ended.
#[derive(Debug)]
pub struct Outcome {
    /// Why it ended early; `None`: all is done.
    pub stopped: Option<Stopped>,
    /// What is done.
    pub checkpoint: Checkpoint,
    /// The figures of this run.
    pub counts: Snapshot,
    /// Files that were done before and were not read again.
    pub skipped: usize,
    /// There is something in the file of rejects.
    pub has_rejects: bool,
    /// How long it took.
    pub took: Duration,
    /// How much of it was waiting, after all was written, until the store had it on its disk.
    pub settling: Duration,
    /// The store was started anew.
    lost: bool,
}

/// Why an import ended early.
#[derive(Debug)]
pub enum Stopped {
    /// Somebody asked for it.
    Asked,
    /// It failed.
    Failed(ImportError),
}

impl Import<'_> {
    /// Runs the import. `watch` is called every 25 ms, with what is done so far; it may save it, and shows progress.
    ///
    /// # Errors
    /// What `watch` reports; how the import itself went is in the outcome.
    pub fn run(
        mut self,
        watch: &mut dyn FnMut(&Watched<'_>) -> Result<(), ImportError>,
    ) -> Result<Outcome, ImportError> {
        let (start, first) = (Instant::now(), self.checkpoint.clone());
        let skipped = self.inputs.iter().filter(|input| first.is_complete(input)).count();
        loop {
            let mut outcome = self.once(watch)?;
            outcome.took = start.elapsed();
            outcome.skipped = outcome.skipped.min(skipped);
            if outcome.stopped.is_some() || !std::mem::take(&mut outcome.lost) {
                return Ok(outcome);
            }
            if let Err(error) = self.go_back(&outcome.checkpoint, &first) {
                outcome.stopped = Some(Stopped::Failed(error));
                return Ok(outcome);
            }
        }
    }

    /// Runs it until its end, or until the store was started anew.
    fn once(&self, watch: &mut dyn FnMut(&Watched<'_>) -> Result<(), ImportError>) -> Result<Outcome, ImportError> {
        let shared = Shared::new(self);
        let (mut outcome, mut kept, mut written_at) = (Ok(()), Kept::Safe, None);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| shared.read());
            let workers: Vec<_> = (0..self.options.workers.max(1) as u64)
                .map(|number| {
                    scope.spawn({
                        let shared = &shared;
                        move || worker::work(shared, number)
                    })
                })
                .collect();
            let guard = shared.guard.as_ref().map(|guard| {
                scope.spawn(|| {
                    let kept = guard.keep(&shared);
                    // What would still be written is written again.
                    shared.end_if(kept != Kept::Safe);
                    kept
                })
            });
            loop {
                let is_written = workers.iter().all(|worker| worker.is_finished());
                written_at = written_at.filter(|_| is_written).or_else(|| is_written.then(Instant::now));
                shared.written.store(is_written, Relaxed);
                if is_written && guard.as_ref().is_none_or(|guard| guard.is_finished()) {
                    break;
                }
                if self.stop.load(Relaxed) {
                    shared.end();
                }
                if outcome.is_ok() {
                    outcome = watch(&shared.watched());
                }
                if outcome.is_err() {
                    shared.end();
                }
                shared.sleep(TICK);
            }
            // Without workers nobody takes what the reader hands out.
            shared.queue.abandon();
            let died = workers.into_iter().map(|worker| worker.join().is_err()).fold(false, |a, b| a | b);
            if reader.join().is_err() || died {
                shared.fail(ImportError::Panicked);
            }
            kept = guard.map_or(kept, |guard| guard.join().unwrap_or(Kept::Ended));
        });
        outcome?;
        watch(&shared.watched())?;
        let checkpoint = shared.safe_checkpoint(&shared.lock());
        if let Err(error) = shared.write_waiting() {
            shared.fail(error);
        }
        // The lock is let go of before the next question, which takes it, too.
        let failure = shared.lock().failure.take();
        let stopped = match failure {
            Some(error) => Some(Stopped::Failed(error)),
            None if self.stop.load(Relaxed) && !(shared.is_complete() && kept == Kept::Safe) => Some(Stopped::Asked),
            None => None,
        };
        let State { skipped, ref rejects, .. } = *shared.lock();
        let (counts, has_rejects) = (self.counters.snapshot(), rejects.has_any());
        let lost = kept != Kept::Safe;
        let settling = written_at.map(|at: Instant| at.elapsed()).unwrap_or_default();
        let took = Duration::ZERO;
        Ok(Outcome { stopped, checkpoint, counts, skipped, has_rejects, took, settling, lost })
    }

    /// Begins again at a place; the figures are those of that place, too. `first` is where the import began.
    fn go_back(&mut self, place: &Checkpoint, first: &Checkpoint) -> Result<(), ImportError> {
        if let Some(input) = self.inputs.iter().find(|input| input.len.is_none()) {
            return Err(ImportError::Lost(input.name.clone()));
        }
        self.counters.set_back(&place.tally().since(&first.tally()));
        self.rejects = Rejects::new(self.rejects.path().to_owned(), place.rejects_bytes);
        self.checkpoint = place.clone();
        Ok(())
    }
}

/// What the caller may look at while an import runs.
pub struct Watched<'a> {
    shared: &'a Shared<'a>,
}

impl Watched<'_> {
    /// What is done so far, rejects made durable before.
    ///
    /// # Errors
    /// The rejects cannot be written.
    pub fn checkpoint(&self) -> Result<Checkpoint, ImportError> {
        let state = self.shared.lock();
        state.rejects.sync().map_err(|source| state.rejects_failed(source))?;
        // Under the same lock: rejects that are written meanwhile are not synced.
        Ok(self.shared.safe_checkpoint(&state))
    }

    /// The figures now.
    pub fn counts(&self) -> Snapshot {
        self.shared.counters.queued.store(self.shared.queue.len() as u64, Relaxed);
        self.shared.counters.snapshot()
    }

    /// What the store said last when it did not take something, if that was since the last call.
    pub fn trouble(&self) -> Option<String> {
        self.shared.lock().trouble.take()
    }
}

/// What all threads of an import share.
pub(crate) struct Shared<'a> {
    pub(crate) options: &'a Options,
    pub(crate) sink: &'a dyn Sink,
    pub(crate) counters: &'a Counters,
    pub(crate) queue: Queue<Piece>,
    pub(crate) spares: Spares,
    inputs: &'a [Input],
    layout: &'a Layout,
    before: &'a Checkpoint,
    stop: &'a AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
    /// Where the sink answers from memory.
    guard: Option<Guard<'a>>,
    /// The workers have ended.
    written: AtomicBool,
    batches_before: u64,
    /// The store could not be reached for a moment.
    pub(crate) was_away: AtomicBool,
}

impl<'a> Shared<'a> {
    fn new(import: &'a Import<'a>) -> Self {
        let rejects = Rejects::new(import.rejects.path().to_owned(), import.rejects.bytes());
        let state = State::after(&import.checkpoint, rejects);
        Self {
            options: import.options,
            sink: import.sink,
            counters: import.counters,
            // Pieces here and at the workers are what is in memory.
            queue: Queue::new(QUEUED),
            spares: Spares::default(),
            inputs: import.inputs,
            layout: import.layout,
            before: &import.checkpoint,
            stop: import.stop,
            state: Mutex::new(state),
            changed: Condvar::new(),
            guard: import.sink.forgetful().map(|store| Guard::new(store, import.checkpoint.clone())),
            written: AtomicBool::new(false),
            batches_before: import.counters.batches.load(Relaxed),
            was_away: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the files one after the other; the end of the last one closes the queue.
    fn read(&self) {
        for number in 0..self.inputs.len() {
            match self.read_file(number) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    // What was read before is stored.
                    self.lock().failure.get_or_insert(error);
                    break;
                }
            }
        }
        self.queue.close();
    }

    /// False when the import is to end.
    fn read_file(&self, number: usize) -> Result<bool, ImportError> {
        let Some(input) = self.inputs.get(number) else { return Ok(true) };
        let known = self.known(number, input);
        let done = known.and_then(|known| known.done);
        let is_complete = known.is_some_and(|known| known.complete);
        {
            let mut state = self.lock();
            let frontier = Frontier::at(done);
            state.files.push(FileState { frontier, done, begun: 0, finished: 0, read: is_complete, len: input.len });
            state.skipped += usize::from(is_complete);
        }
        if is_complete {
            self.counters.read_bytes.fetch_add(input.len.unwrap_or_default(), Relaxed);
            return Ok(true);
        }
        let failed = |source| ImportError::File { name: input.name.clone(), source };
        let mut reader = FileReader::open(number, input, self.layout, done).map_err(failed)?;
        let before = self.counters.read_bytes.load(Relaxed);
        while let Some(piece) = reader.next_piece(self.spares.take()).map_err(failed)? {
            self.counters.read_bytes.store(before + reader.read_bytes(), Relaxed);
            // Ctrl-C in a terminal also ends the program before a pipe, perhaps in the middle of a line: that is not its last one then.
            if input.len.is_none() && piece.is_open_ended() && self.is_stopped_within(CUT_OFF) {
                return Ok(false);
            }
            if !self.begin(number) || !self.queue.push(piece) {
                return Ok(false);
            }
        }
        self.counters.read_bytes.store(before + reader.read_bytes(), Relaxed);
        if let Some(file) = self.lock().files.get_mut(number) {
            file.read = true;
        }
        Ok(true)
    }

    /// Whether somebody asks for the end within so much time.
    fn is_stopped_within(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.stop.load(Relaxed) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.stop.load(Relaxed)
    }

    /// Waits until a further piece of a file may be handed out; false when the import is to end.
    fn begin(&self, number: usize) -> bool {
        let mut state = self.lock();
        while !state.ended && state.files.get(number).is_some_and(|file| file.begun - file.frontier.count() >= AHEAD) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(file) = state.files.get_mut(number) {
            file.begun += 1;
        }
        !state.ended
    }

    /// A piece is stored, but for what was refused.
    pub(crate) fn finish(&self, piece: &Piece, tally: Tally, refused: Vec<Refused>) -> Result<(), Undelivered> {
        let last = refused.last().map(|refused| self.place_of(piece, refused));
        let mut state = self.lock();
        state.refused += rejects::count(&refused);
        let passed = state.pass(piece, tally, refused, &self.name_of(piece.file)).map_err(Undelivered::Failed);
        let too_many = state.refused > self.options.max_errors;
        drop(state);
        self.changed.notify_all();
        match (passed?, too_many, last) {
            ((), true, Some(last)) => Err(self.too_many(last)),
            _ => Ok(()),
        }
    }

    /// The import ends while a piece is not stored: what was refused of it is written at the end.
    pub(crate) fn leave(&self, piece: &Piece, refused: Vec<Refused>) {
        self.lock().waiting.insert((piece.file, piece.number), refused);
    }

    /// Where a record is that was refused, and why.
    pub(crate) fn place_of(&self, piece: &Piece, Refused { line, reason, .. }: &Refused) -> String {
        format!("{}:{line}: {reason}", self.name_of(piece.file))
    }

    /// Writes the rejects of pieces that the frontiers have not passed, for people.
    fn write_waiting(&self) -> Result<(), ImportError> {
        self.lock().write_waiting(|file| self.name_of(file))
    }

    /// Ends the import when so many more refused records are too many.
    pub(crate) fn check_errors(&self, more: u64, last: Option<&str>) -> Result<(), Undelivered> {
        match last {
            Some(last) if self.lock().refused + more > self.options.max_errors => Err(self.too_many(last.to_owned())),
            _ => Ok(()),
        }
    }

    fn too_many(&self, last: String) -> Undelivered {
        Undelivered::Failed(ImportError::TooManyErrors { max: self.options.max_errors, last })
    }

    pub(crate) fn name_of(&self, file: usize) -> String {
        self.inputs.get(file).map(|input| input.name.clone()).unwrap_or_default()
    }

    pub(crate) fn note_trouble(&self, message: &str) {
        self.lock().trouble = Some(message.to_owned());
    }

    /// Waits; true when the import is to end.
    pub(crate) fn wait(&self, delay: Duration) -> bool {
        let deadline = Instant::now() + delay;
        let mut state = self.lock();
        while !state.ended {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return false;
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Waits for something to happen, so long at most.
    fn sleep(&self, at_most: Duration) {
        let state = self.lock();
        drop(self.changed.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends the import; the first failure is the one that is told.
    pub(crate) fn fail(&self, error: ImportError) {
        let mut state = self.lock();
        state.failure.get_or_insert(error);
        drop(state);
        self.end();
    }

    /// All that there is was handed out and written.
    pub(crate) fn is_written(&self) -> bool {
        self.written.load(Relaxed)
    }

    /// Something was.
    pub(crate) fn has_written(&self) -> bool {
        self.counters.batches.load(Relaxed) > self.batches_before
    }

    /// What is done and will stay.
    fn safe_checkpoint(&self, state: &State) -> Checkpoint {
        self.guard.as_ref().map_or_else(|| self.checkpoint_of(state), Guard::safe)
    }

    /// What is done so far.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        self.checkpoint_of(&self.lock())
    }

    fn end_if(&self, is_over: bool) {
        if is_over {
            self.end();
        }
    }

    /// Hands out nothing more.
    fn end(&self) {
        self.lock().ended = true;
        self.queue.abandon();
        self.changed.notify_all();
    }

    fn is_complete(&self) -> bool {
        let state = self.lock();
        state.files.len() == self.inputs.len() && state.files.iter().all(FileState::is_complete)
    }

    const fn watched(&self) -> Watched<'_> {
        Watched { shared: self }
    }

    /// What was done of a file before. Files mostly stand where they stood then.
    fn known(&self, number: usize, input: &Input) -> Option<&FileDone> {
        let there = self.before.files.get(number).filter(|file| file.name == input.name && file.len == input.len);
        there.or_else(|| self.before.of(&input.name, input.len))
    }

    /// What is done so far. Files that were not begun keep what was known of them.
    fn checkpoint_of(&self, state: &State) -> Checkpoint {
        let mut files: Vec<FileDone> = Vec::with_capacity(self.inputs.len());
        for (number, input) in self.inputs.iter().enumerate() {
            match state.files.get(number) {
                Some(file) => files.push(FileDone {
                    name: input.name.clone(),
                    len: file.len,
                    done: file.done,
                    complete: file.is_complete(),
                }),
                None => files.extend(self.known(number, input).cloned()),
            }
        }
        let Tally { points, records, empty, refused, filtered } = state.passed;
        let rejects_bytes = state.rejects.bytes();
        Checkpoint { files, rejects_bytes, points, records, empty, refused, filtered, ..self.before.clone() }
    }
}
