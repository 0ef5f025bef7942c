//! `hissrv verify`: every checksum of a data directory, without changing anything.

use std::io::Write;

use anyhow::{Context, anyhow};
use vfs::RealFs;

use super::address::load;
use crate::cli::{Failure, VerifyArgs};
use crate::node::{ALERTS, CATALOG, ENGINE, JOURNAL, ROLLUP, due_days, events_state, verify_events};

pub(crate) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let dir = match &args.data_dir {
        Some(dir) => dir.clone(),
        None => load(args.config.as_deref())?.data_dir,
    };
    if !dir.is_dir() {
        return Err(Failure::Usage(format!("{}: no such directory", dir.display())));
    }
    let mut findings = catalog::verify(&RealFs, &dir.join(CATALOG)).context("read the catalog")?;
    findings.extend(engine::verify(&RealFs, &dir.join(ENGINE))?);
    let journal = journal::verify(&RealFs, &dir.join(JOURNAL)).context("read the journal")?;
    findings.extend(journal.iter().map(|f| format!("{}: offset {}: {}", f.path.display(), f.offset, f.what)));
    findings.extend(rollup::ledger::verify(&RealFs, &dir.join(ROLLUP))?);
    findings.extend(archive::Ledger::verify(&RealFs, &due_days(&dir))?);
    findings.extend(alerts::verify(&RealFs, &dir.join(ALERTS)).context("read the alerts")?);
    findings.extend(verify_events(&RealFs, &events_state(&dir)).context("read the state of the events")?);
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    if findings.is_empty() {
        writeln!(out, "{}: every checksum is right", dir.display())?;
        return Ok(());
    }
    Err(anyhow!("{}: {} damaged places", dir.display(), findings.len()).into())
}
