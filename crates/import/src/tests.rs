//! Imports from start to end, into nowhere.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use backend::{Blame, WriteError};
use formats::{Output, Packing};

use crate::{
    Checkpoint, Counters, Import, ImportError, Layout, Nowhere, Options, Outcome, Rejects, Sink, SinkSession, Stopped,
    Taken, find_inputs,
};

/// A store that refuses a whole batch for one bad line, and does not say which.
struct Silent;

impl Sink for Silent {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(Self)
    }

    fn prepare(&self) -> Result<(), WriteError> {
        Ok(())
    }
}

impl SinkSession for Silent {
    fn write(&mut self, lines: &[u8]) -> Result<Taken, WriteError> {
        match memchr::memmem::find(lines, b"t=13 ") {
            Some(_) => Err(WriteError::Points { message: "something is bad".to_owned(), blame: Blame::Value }),
            None => Ok(Taken::default()),
        }
    }
}

/// Writes a file and imports it into nowhere.
fn import(folder: &Path, file: (&str, &[u8]), rejects: PathBuf, max_errors: u64) -> Outcome {
    import_to(&Nowhere, folder, file, rejects, max_errors)
}

fn import_to(
    sink: &dyn Sink,
    folder: &Path,
    (name, content): (&str, &[u8]),
    rejects: PathBuf,
    max_errors: u64,
) -> Outcome {
    std::fs::write(folder.join(name), content).unwrap();
    let inputs = find_inputs(&[folder.join(name).display().to_string()], None).unwrap();
    let import = Import {
        inputs: &inputs,
        layout: &Layout::default(),
        sink,
        options: &Options { max_errors, ..Options::default() },
        rejects: Rejects::new(rejects, 0),
        checkpoint: Checkpoint::new(String::new()),
        counters: &Counters::default(),
        stop: &AtomicBool::new(false),
    };
    import.run(&mut |_| Ok(())).unwrap()
}

fn failure(outcome: Outcome) -> ImportError {
    match outcome.stopped {
        Some(Stopped::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn lines(count: u64) -> String {
    (0..count).map(|n| format!("m,t={} value={n} {}\n", n % 50, 1_700_000_000_000_000_000 + n)).collect()
}

#[test]
fn what_comes_before_the_damage_of_a_file_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.lp.gz");
    let mut packed = Output::new(Box::new(std::fs::File::create(&path).unwrap()), Packing::Gzip).unwrap();
    packed.write_all(lines(200_000).as_bytes()).unwrap();
    packed.finish().unwrap();
    let packed = std::fs::read(&path).unwrap();
    for len in [packed.len() / 2, packed.len() - 4, packed.len() / 1000] {
        let cut = &packed[..len];
        let mut text = Vec::new();
        formats::Source::of_stream(Box::new(std::io::Cursor::new(cut.to_vec())))
            .unwrap()
            .read_to_end(&mut text)
            .unwrap_err();
        let whole = text.iter().filter(|byte| **byte == b'\n').count() as u64;
        let outcome = import(folder.path(), ("a.lp.gz", cut), folder.path().join("rejects"), 0);
        assert_eq!((outcome.counts.points, outcome.checkpoint.points), (whole, whole), "{len}");
        assert!(!outcome.checkpoint.files[0].complete);
        assert!(matches!(failure(outcome), ImportError::File { .. }), "{len}");
    }
}

#[test]
fn a_file_is_not_done_while_its_rejects_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("no line\n{}", lines(10));
    let outcome = import(folder.path(), ("a.lp", text.as_bytes()), folder.path().join("none/rejects"), 9);
    let file = &outcome.checkpoint.files[0];
    assert!(!file.complete && file.done.is_none() && outcome.checkpoint.refused == 0, "{file:?}");
    assert!(matches!(failure(outcome), ImportError::Rejects { .. }));
    let outcome = import(folder.path(), ("a.lp", text.as_bytes()), PathBuf::from("/dev/null"), 9);
    assert!(outcome.stopped.is_none() && outcome.counts.refused == 1, "{outcome:?}");
}

#[test]
fn too_many_rejects_are_all_written_and_the_last_one_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects");
    let text = format!("{}no line\n{}neither\n", lines(3), lines(2));
    let outcome = import(folder.path(), ("a.lp", text.as_bytes()), rejects.clone(), 1);
    assert!(outcome.has_rejects && outcome.counts.refused == 2 && outcome.checkpoint.rejects_bytes == 0, "{outcome:?}");
    let name = folder.path().join("a.lp").display().to_string();
    let message = failure(outcome).to_string();
    assert!(message.starts_with(&format!("more than 1 records were refused; the last one: {name}:7: ")), "{message}");
    let written = std::fs::read_to_string(&rejects).unwrap();
    let places: Vec<_> = written.lines().filter_map(|line| line.strip_prefix(&format!("# {name}:"))).collect();
    assert!(places.len() == 2 && places[0].starts_with("4: ") && places[1].starts_with("7: "), "{written}");
    // Pieces that wait for one before them come in the order of the file, too.
    let long = format!("{}no line\n", lines(30_000)).repeat(8);
    let outcome = import(folder.path(), ("b.lp", long.as_bytes()), rejects.clone(), 5);
    let written = std::fs::read_to_string(&rejects).unwrap();
    let number = |line: &str| line.rsplit_once(".lp:")?.1.split_once(':')?.0.parse::<u64>().ok();
    let places: Vec<_> = written.lines().filter_map(number).collect();
    assert!(places.is_sorted() && places.len() as u64 == outcome.counts.refused && places.len() > 5, "{places:?}");
}

#[test]
fn lines_found_by_halving_are_rejects_also_when_they_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let (rejects, name) = (folder.path().join("rejects"), folder.path().join("a.lp").display().to_string());
    // Bad for the store: 14, 64, 114 and so on; no line at all: the 1001st.
    let text = format!("{}no line\n", lines(1000));
    for (max_errors, expected) in [(1000, 21), (10, 11), (0, 1)] {
        std::fs::remove_file(&rejects).ok();
        let outcome = import_to(&Silent, folder.path(), ("a.lp", text.as_bytes()), rejects.clone(), max_errors);
        let written = std::fs::read_to_string(&rejects).unwrap();
        let places: Vec<_> = written.lines().filter_map(|line| line.strip_prefix(&format!("# {name}:"))).collect();
        assert_eq!((outcome.counts.refused, places.len()), (expected, expected as usize), "{max_errors}: {written}");
        assert!(places.last().unwrap().starts_with("1001: "), "{written}");
        if max_errors == 1000 {
            assert!(outcome.stopped.is_none() && outcome.counts.points == 980, "{outcome:?}");
            continue;
        }
        let last = if max_errors == 10 { "464: something is bad" } else { "1001: " };
        let message = failure(outcome).to_string();
        assert!(message.contains(&format!("the last one: {name}:{last}")), "{message}");
    }
}

#[test]
fn an_empty_table_has_no_records() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = import(folder.path(), ("a.csv", b""), folder.path().join("rejects"), 0);
    assert!(outcome.stopped.is_none() && outcome.checkpoint.files[0].complete, "{outcome:?}");
}

#[test]
fn a_line_that_is_cut_off_by_the_signal_that_ends_a_pipe_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    for (signal, expected) in [(true, 0), (false, 1)] {
        let pipe = folder.path().join(format!("{signal}.lp"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let inputs = find_inputs(&[pipe.display().to_string()], None).unwrap();
        let (counters, stop) = (Counters::default(), AtomicBool::new(false));
        let import = Import {
            inputs: &inputs,
            layout: &Layout::default(),
            sink: &Nowhere,
            options: &Options::default(),
            rejects: Rejects::new(folder.path().join("rejects"), 0),
            checkpoint: Checkpoint::new(String::new()),
            counters: &counters,
            stop: &stop,
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::fs::write(&pipe, "m v=1 170000000000").unwrap();
                stop.store(signal, std::sync::atomic::Ordering::Relaxed);
            });
            let outcome = import.run(&mut |_| Ok(())).unwrap();
            assert_eq!((outcome.counts.points, matches!(outcome.stopped, Some(Stopped::Asked))), (expected, signal));
        });
    }
}
