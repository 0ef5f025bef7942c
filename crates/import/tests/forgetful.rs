//! An import into a store that answers from memory and dies again and again: in the end every point is there.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails")]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use backend::WriteError;
use import::{
    Checkpoint, Counters, FileFormat, Forgetful, Import, ImportError, Input, Layout, Options, Outcome, Rejects, Sink,
    SinkSession, Stopped, Taken, find_inputs,
};
use model::line::Run;

const DURABLE_AFTER: Duration = Duration::from_millis(200);
const LINES: u64 = 80_000;

/// Lines and when they were taken; `None`: they are on disk.
#[derive(Default)]
struct Memory {
    lines: Mutex<HashMap<Vec<u8>, Option<Instant>>>,
    incarnation: Mutex<u64>,
    writes_to_disk: bool,
}

impl Memory {
    fn lines(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Option<Instant>>> {
        self.lines.lock().unwrap()
    }

    /// True when it was given something so lately that it is not on disk.
    fn may_forget(&self) -> bool {
        self.lines().values().any(|taken| taken.is_some_and(|taken| taken.elapsed() < DURABLE_AFTER / 2))
    }

    /// Its process ends, and another one begins.
    fn die(&self) -> usize {
        let mut lines = self.lines();
        let before = lines.len();
        lines.retain(|_, taken| taken.is_none_or(|taken| taken.elapsed() > DURABLE_AFTER));
        *self.incarnation.lock().unwrap() += 1;
        before - lines.len()
    }
}

impl Sink for Memory {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(Session(self))
    }

    fn prepare(&self) -> Result<(), WriteError> {
        Ok(())
    }

    fn forgetful(&self) -> Option<&dyn Forgetful> {
        Some(self)
    }
}

impl Forgetful for Memory {
    fn durable_after(&self) -> Duration {
        DURABLE_AFTER
    }

    fn incarnation(&self) -> Result<Option<String>, WriteError> {
        Ok(Some(self.incarnation.lock().unwrap().to_string()))
    }

    fn make_durable(&self) -> bool {
        if self.writes_to_disk {
            self.lines().values_mut().for_each(|taken| *taken = None);
        }
        self.writes_to_disk
    }
}

struct Session<'m>(&'m Memory);

impl SinkSession for Session<'_> {
    fn write(&mut self, lines: &[u8]) -> Result<Taken, WriteError> {
        std::thread::sleep(Duration::from_millis(15));
        let now = Instant::now();
        let mut all = self.0.lines();
        all.extend(lines.split_inclusive(|byte| *byte == b'\n').map(|line| (line.to_vec(), Some(now))));
        Ok(Taken::default())
    }

    fn write_unchecked(&mut self, text: &[u8], most: usize) -> Option<Result<(Run, Taken), WriteError>> {
        let run = Run::of_points(text, most)?;
        Some(self.write(text.get(..run.bytes)?).map(|taken| (run, taken)))
    }
}

fn run(
    sink: &Memory,
    inputs: &[Input],
    folder: &std::path::Path,
    counters: &Counters,
    saved: &Mutex<Option<Checkpoint>>,
) -> Result<Outcome, ImportError> {
    let import = Import {
        inputs,
        layout: &Layout::default(),
        sink,
        options: &Options { workers: 2, batch: 1000, ..Options::default() },
        checkpoint: Checkpoint::new(String::new()),
        rejects: Rejects::new(folder.join("rejects"), 0),
        counters,
        stop: &AtomicBool::new(false),
    };
    import.run(&mut |watched| {
        *saved.lock().unwrap() = Some(watched.checkpoint()?);
        Ok(())
    })
}

fn inputs(folder: &std::path::Path) -> Vec<Input> {
    let files = [0..LINES / 4, LINES / 4..LINES].map(|numbers| {
        let path: PathBuf = folder.join(format!("{}.lp", numbers.start));
        let bad = "no line\n".to_owned();
        std::fs::write(&path, numbers.map(|n| format!("m v={n} {n}\n")).chain([bad]).collect::<String>()).unwrap();
        path.display().to_string()
    });
    find_inputs(&files, Some(FileFormat::Lines)).unwrap()
}

#[test]
fn what_a_store_forgets_is_written_again_and_counted_once() {
    for writes_to_disk in [true, false] {
        let (folder, counters, saved) = (tempfile::tempdir().unwrap(), Counters::default(), Mutex::new(None));
        let (sink, inputs, is_over) =
            (Memory { writes_to_disk, ..Memory::default() }, inputs(folder.path()), AtomicBool::new(false));
        let outcome = std::thread::scope(|scope| {
            let killer = scope.spawn(|| {
                let (mut deaths, mut lost) = (0, 0);
                while !is_over.load(Relaxed) && deaths < 2 {
                    std::thread::sleep(Duration::from_millis(300));
                    while !is_over.load(Relaxed) && !sink.may_forget() {
                        std::thread::yield_now();
                    }
                    lost += sink.die();
                    deaths += 1;
                    // What is said to be done is there.
                    let safe: Option<Checkpoint> = saved.lock().unwrap().clone();
                    assert!(sink.lines().len() as u64 >= safe.map_or(0, |checkpoint| checkpoint.points));
                }
                println!("{deaths} deaths, {lost} lines forgotten");
                assert!(lost > 0);
            });
            let outcome = run(&sink, &inputs, folder.path(), &counters, &saved).unwrap();
            is_over.store(true, Relaxed);
            killer.join().unwrap();
            outcome
        });
        assert!(outcome.stopped.is_none(), "{:?}", outcome.stopped);
        assert_eq!(sink.lines().len() as u64, LINES);
        // Whatever dies now, it is there.
        sink.die();
        assert_eq!(sink.lines().len() as u64, LINES);
        let counts = outcome.counts;
        assert_eq!((counts.points, counts.records, counts.refused, outcome.skipped), (LINES, LINES + 2, 2, 0));
        assert_eq!(std::fs::read_to_string(folder.path().join("rejects")).unwrap().matches("# ").count(), 2);
        assert!(outcome.checkpoint.files.iter().all(|file| file.complete));
    }
}

#[test]
fn what_cannot_be_read_again_ends_with_a_sentence() {
    let (folder, counters, saved) = (tempfile::tempdir().unwrap(), Counters::default(), Mutex::new(None));
    let (sink, mut inputs) = (Memory::default(), inputs(folder.path()));
    // As of standard input nobody knows how long they are.
    inputs.iter_mut().for_each(|input| input.len = None);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            sink.die();
        });
        run(&sink, &inputs, folder.path(), &counters, &saved).unwrap()
    });
    let Some(Stopped::Failed(error)) = outcome.stopped else { panic!("{:?}", outcome.stopped) };
    assert!(error.to_string().contains("started anew"), "{error}");
}
