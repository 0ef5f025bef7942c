//! What the files say after restarts, changes of the tasks, and damage.

use std::path::Path;
use std::sync::Arc;

use model::{ColumnId, TimeRange, TimestampNs};
use rollup::ledger::{Ledger, LedgerError, OpenReport, TaskNumber, TaskSpec};
use vfs::{FaultFs, Fs};

use crate::support::{A, B, DIR, FILES, PLENTY, clean, mark, open, open_clean, range, spec};

const ALL: TimeRange = TimeRange::ALL;

fn open_with(fs: &FaultFs, tasks: Vec<TaskSpec>) -> (Ledger, OpenReport) {
    Ledger::open(Arc::new(fs.clone()), Path::new(DIR), tasks, PLENTY).unwrap()
}

fn rewrite(fs: &FaultFs, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs.read(Path::new(path)).unwrap();
    change(&mut bytes);
    vfs::replace_durably(fs, Path::new(path), &bytes).unwrap();
}

/// One window of each task is dirty.
fn persisted() -> FaultFs {
    let fs = FaultFs::new();
    let ledger = open_clean(&fs);
    mark(&ledger, A, &[(1, 5)]);
    mark(&ledger, B, &[(2, 5)]);
    ledger.persist().unwrap();
    fs
}

fn assert_as_persisted(ledger: &Ledger) {
    assert_eq!(ledger.dirty(A, ColumnId(1), ALL), [range(0, 10)]);
    assert_eq!(ledger.dirty(B, ColumnId(2), ALL), [range(3, 28)]);
    assert_eq!(ledger.dirty(A, ColumnId(2), ALL), []);
}

#[test]
fn everything_of_a_new_task_is_dirty_and_comes_back_until_it_is_done() {
    let fs = FaultFs::new();
    for begun in [vec![A, B], vec![]] {
        let (ledger, report) = open(&fs);
        assert_eq!(report, OpenReport { begun, ..OpenReport::default() });
        assert_eq!(ledger.dirty(A, ColumnId(9), range(15, 16)), [range(10, 20)]);
        assert_eq!(ledger.oldest(A), Some(TimestampNs::MIN));
    }
    let (ledger, _) = open(&fs);
    clean(&ledger);
    ledger.persist().unwrap();
    assert_eq!(open(&fs).0.oldest(A), None);
}

#[test]
fn a_task_that_changed_or_went_away_for_a_while_starts_over() {
    let fs = persisted();
    let (ledger, report) = open_with(&fs, vec![spec("b", "1", B), spec("a", "2", A)]);
    let forgotten = vec!["a".to_owned()];
    assert_eq!(report, OpenReport { begun: vec![TaskNumber(1)], forgotten: forgotten.clone(), findings: vec![] });
    assert_eq!(ledger.dirty(TaskNumber(0), ColumnId(2), ALL), [range(3, 28)]);
    assert_eq!(ledger.dirty(TaskNumber(1), ColumnId(2), ALL), [ALL]);
    let (_, report) = open_with(&fs, vec![spec("b", "1", B)]);
    assert_eq!(report, OpenReport { forgotten, ..OpenReport::default() });
    let (ledger, report) = open_with(&fs.crash(0), vec![spec("a", "2", A), spec("b", "1", B)]);
    assert_eq!(report.begun, [A]);
    assert_eq!(ledger.oldest(A), Some(TimestampNs::MIN));
}

#[test]
fn nothing_is_written_when_nothing_changed() {
    let fs = persisted();
    let stored = FILES.map(|path| fs.read(Path::new(path)).unwrap());
    let (ledger, _) = open(&fs);
    assert_eq!(FILES.map(|path| fs.read(Path::new(path)).unwrap()), stored);
    let before = fs.operations();
    mark(&ledger, A, &[(1, 6)]);
    ledger.persist().unwrap();
    assert_eq!(fs.operations(), before);
    mark(&ledger, A, &[(2, 6)]);
    ledger.persist().unwrap();
    assert!(fs.operations() > before);
}

#[test]
fn a_damaged_copy_is_reported_and_mended_from_the_other() {
    for (path, damaged) in FILES.into_iter().zip([0, 1]) {
        let fs = persisted();
        let len = fs.read(Path::new(path)).unwrap().len();
        for at in 0..len {
            rewrite(&fs, path, |bytes| bytes[at] ^= 4);
            let (ledger, report) = open(&fs);
            assert_eq!(report.findings, [format!("{}: damaged", FILES[damaged])], "byte {at}");
            assert_as_persisted(&ledger);
            assert_eq!(open(&fs.crash(0)).1, OpenReport::default());
        }
        rewrite(&fs, path, |bytes| bytes.truncate(len / 2));
        assert_eq!(open(&fs).1.findings.len(), 1);
        fs.remove(Path::new(path)).unwrap();
        let (ledger, report) = open(&fs);
        assert_eq!(report.findings, [format!("{path}: missing")]);
        assert_as_persisted(&ledger);
    }
}

#[test]
fn when_both_copies_are_damaged_everything_is_dirty() {
    let fs = persisted();
    FILES.iter().for_each(|path| rewrite(&fs, path, |bytes| bytes[20] ^= 1));
    let (ledger, report) = open(&fs);
    assert_eq!(report.findings.len(), 2);
    assert_eq!(report.begun, [A, B]);
    assert_eq!(ledger.dirty(A, ColumnId(0), ALL), [ALL]);
    assert_eq!(open(&fs.crash(0)).1, OpenReport::default());
}

#[test]
fn files_of_another_version_are_refused_and_left_as_they_are() {
    let fs = persisted();
    for path in FILES {
        rewrite(&fs, path, |bytes| {
            bytes[7] = b'2';
            let end = bytes.len() - 4;
            let crc = crc32c::crc32c(&bytes[..end]);
            bytes[end..].copy_from_slice(&crc.to_le_bytes());
        });
    }
    let before = FILES.map(|path| fs.read(Path::new(path)).unwrap());
    let refused = Ledger::open(Arc::new(fs.clone()), Path::new(DIR), vec![spec("a", "1", A)], PLENTY).err().unwrap();
    assert!(matches!(&refused, LedgerError::Version { path } if path == Path::new(FILES[0])), "{refused}");
    assert_eq!(before, FILES.map(|path| fs.read(Path::new(path)).unwrap()));
}
