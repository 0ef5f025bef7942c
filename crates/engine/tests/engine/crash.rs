//! Power cuts at every operation of flushes, merges, deletions and retention.

use engine::Engine;
use model::TimestampNs;
use vfs::FaultFs;

use crate::support::{
    Column, Journal, Model, Record, Value, check_all, define, open, open_catalog, quiet, range, read, try_open,
};

/// What the journal holds, and what the store may hold: two outcomes while retention was under way.
struct Outcome {
    journal: Journal,
    models: Vec<Model>,
}

fn poll(columns: &[Column], from: i64, seed: i64) -> Record {
    let times = (0..12).map(|i| from + i * 250);
    let point = |t: i64, c: &Column| (*c, t, Value::from_seed(c.kind, seed + t / 250));
    Record::Points(times.flat_map(|t| columns.iter().map(move |c| point(t, c))).collect())
}

/// Writes, deletes, flushes, merges and drops until the power is off.
fn work(engine: &Engine, columns: &[Column], outcome: &mut Outcome) -> Result<(), engine::EngineError> {
    let ids: Vec<_> = columns.iter().step_by(2).map(|c| c.id).collect();
    let mut add = |record: Record| {
        let batch = record.encode();
        outcome.models.iter_mut().for_each(|m| m.apply(&record));
        engine.apply(outcome.journal.append(record), &batch)
    };
    add(poll(columns, 0, 1))?;
    engine.flush()?;
    add(poll(columns, 1500, 2))?;
    add(Record::Delete(ids.clone(), range(500, 1800)))?;
    add(poll(&columns[..3], 700, 3))?;
    engine.flush()?;
    engine.compact_all()?;
    add(Record::Delete(ids, range(2000, 2600)))?;
    engine.flush()?;
    engine.compact_all()?;
    add(poll(columns, 3000, 4))?;
    engine.flush()?;
    let mut dropped = outcome.models[0].clone();
    dropped.drop_before(columns, columns[0].bucket, 1000);
    outcome.models.push(dropped);
    engine.drop_before(columns[0].bucket, TimestampNs(1000))?;
    outcome.models.remove(0);
    engine.compact_all()
}

fn run_until_power_is_off(fs: &FaultFs, columns: &[Column]) -> Outcome {
    let mut outcome = Outcome { journal: Journal::default(), models: vec![Model::default()] };
    let Ok((engine, _)) = try_open_quietly(fs) else { return outcome };
    let result = work(&engine, columns, &mut outcome);
    assert!(result.is_ok() || fs.exists_power_cut());
    outcome
}

fn try_open_quietly(fs: &FaultFs) -> Result<(Engine, engine::OpenReport), engine::EngineError> {
    // The catalog is on another disk here, so that only the engine meets the power cut.
    let names = FaultFs::new();
    define(&open_catalog(&names));
    let catalog = open_catalog(&names);
    Engine::open(std::sync::Arc::new(fs.clone()), std::path::Path::new(crate::support::ENGINE), catalog, quiet())
}

trait PowerCut {
    fn exists_power_cut(&self) -> bool;
}

impl PowerCut for FaultFs {
    /// True when the disk no longer answers.
    fn exists_power_cut(&self) -> bool {
        vfs::Fs::list(self, std::path::Path::new(crate::support::ENGINE)).is_err()
    }
}

fn all_of(engine: &Engine, columns: &[Column]) -> Model {
    let mut found = Model::default();
    for column in columns {
        let (points, damaged) = read(engine, column.id, model::TimeRange::ALL);
        assert_eq!(damaged, Vec::<String>::new());
        found.0.extend(points.into_iter().map(|(time, value)| ((column.id, time), value)));
    }
    found
}

/// Restarts after the cut, replays, and compares; then goes on working.
fn check_after(fs: &FaultFs, columns: &[Column], outcome: &Outcome, context: &str) {
    let (engine, report) = try_open_quietly(fs).unwrap();
    assert_eq!(report.findings, Vec::<String>::new(), "{context}");
    outcome.journal.replay(&engine);
    let found = all_of(&engine, columns);
    let model = outcome.models.iter().find(|m| **m == found);
    let model = model.unwrap_or_else(|| panic!("{context}: not what was written"));
    engine.flush().unwrap();
    engine.compact_all().unwrap();
    check_all(&engine, columns, model, context);
    engine.close().unwrap();
    assert_eq!(engine::verify(fs, std::path::Path::new(crate::support::ENGINE)).unwrap(), Vec::<String>::new());
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_and_brings_nothing_back() {
    let names = FaultFs::new();
    let columns = define(&open_catalog(&names));
    let whole = FaultFs::new();
    run_until_power_is_off(&whole, &columns);
    assert!(whole.operations() > 100);
    for stop in 0..=whole.operations() {
        let fs = FaultFs::new();
        fs.stop_after_operations(stop);
        let outcome = run_until_power_is_off(&fs, &columns);
        for seed in [0, 1, stop + 2] {
            check_after(&fs.crash(seed), &columns, &outcome, &format!("stop {stop}, seed {seed}"));
        }
    }
}

#[test]
fn a_power_cut_after_any_sync_loses_nothing_and_brings_nothing_back() {
    let columns = define(&open_catalog(&FaultFs::new()));
    let whole = FaultFs::new();
    run_until_power_is_off(&whole, &columns);
    for stop in 0..=whole.syncs() {
        let fs = FaultFs::new();
        fs.stop_after_syncs(stop);
        let outcome = run_until_power_is_off(&fs, &columns);
        for seed in [0, 1, stop + 2, stop + 3] {
            check_after(&fs.crash(seed), &columns, &outcome, &format!("sync {stop}, seed {seed}"));
        }
    }
}

#[test]
fn power_cuts_during_restarts_lose_nothing_either() {
    let columns = define(&open_catalog(&FaultFs::new()));
    for first in (0..200).step_by(11) {
        let fs = FaultFs::new();
        fs.stop_after_operations(first);
        let outcome = run_until_power_is_off(&fs, &columns);
        for second in 0..14 {
            let fs = fs.crash(second + 2);
            fs.stop_after_operations(second);
            if let Ok((engine, _)) = try_open_quietly(&fs) {
                outcome.journal.replay(&engine);
            }
            check_after(&fs.crash(first), &columns, &outcome, &format!("first {first}, second {second}"));
        }
    }
}

#[test]
fn a_deletion_that_is_only_in_the_journal_is_done_again() {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let mut journal = Journal::default();
    let engine = open(&fs, quiet());
    for record in [poll(&columns, 0, 1), Record::Delete(vec![columns[1].id], range(0, 700))] {
        let batch = record.encode();
        engine.apply(journal.append(record), &batch).unwrap();
        if journal.0.len() == 1 {
            engine.flush().unwrap();
        }
    }
    drop(engine);
    let fs = fs.crash(0);
    let (engine, _) = try_open(&fs, quiet()).unwrap();
    assert_eq!(engine.flushed_seq().0, 1);
    journal.replay(&engine);
    check_all(&engine, &columns, &journal.model(), "after the restart");
}
