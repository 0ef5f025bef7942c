//! `hissrv archive`: days are archived by a running service; what is in the archive is listed and checked without one.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use archive::{Archive, Finding, Manifest, RunReport, Selection};
use vfs::RealFs;

use super::address::{address_of, load};
use super::client::request_patiently;
use super::restore::restore;
use super::table::aligned;
use crate::cli::{ArchiveArgs, ArchiveCommand, Failure, FilesArgs};
use crate::config::Config;
use crate::node;

/// Set by nobody: a command is ended by its process.
pub(super) static GO: AtomicBool = AtomicBool::new(false);

pub(crate) fn run(args: &ArchiveArgs) -> Result<(), Failure> {
    match &args.command {
        ArchiveCommand::Run { service, json } => archive_now(&address_of(service)?, *json),
        ArchiveCommand::List { files, json } => list(&Files::of(files)?, *json),
        ArchiveCommand::Verify { files } => verify(&Files::of(files)?),
        ArchiveCommand::Restore(args) => restore(args),
    }
}

/// The archive of a configuration, and which of its files are meant.
pub(super) struct Files {
    pub(super) archive: Archive,
    pub(super) selection: Selection,
    pub(super) config: Config,
    _spool: Spool,
}

/// A folder of this process for files that come from an object store; made when one does, removed in the end.
struct Spool(PathBuf);

impl Drop for Spool {
    fn drop(&mut self) {
        // Missing where nothing came; anything else is harmless: it is a folder of temporary files.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

impl Files {
    pub(super) fn of(args: &FilesArgs) -> Result<Self, Failure> {
        let config = load(args.config.as_deref())?;
        let missing = || {
            let what = "the configuration has no section storage.archive: name the file with --config";
            Failure::Usage(what.to_owned())
        };
        let settings = config.archive().ok_or_else(missing)?;
        let spool = Spool(node::spool(&config.data_dir).with_extension(std::process::id().to_string()));
        let archive = Archive::new(Arc::new(RealFs), settings, &spool.0, node::clock());
        let archive = archive.map_err(|e| Failure::Usage(e.to_string()))?;
        let selection = Selection {
            database: args.database.clone(),
            policy: args.policy.clone(),
            measurement: args.measurement.clone(),
            from: args.from,
            to: args.to,
        };
        Ok(Self { archive, selection, config, _spool: spool })
    }
}

fn archive_now(url: &str, json: bool) -> Result<(), Failure> {
    let answer = request_patiently(url, "POST", "/api/v1/admin/archive")?;
    let report: RunReport = serde_json::from_slice(&answer).context("read the answer")?;
    let mut out = std::io::stdout().lock();
    if json {
        out.write_all(&answer)?;
        writeln!(out)?;
    } else {
        let RunReport { files, rows, values, bytes, .. } = report;
        writeln!(out, "{files} files written: {rows} rows, {values} values, {bytes} bytes")?;
        for failure in &report.failures {
            writeln!(out, "not archived: {}: {}", failure.file, failure.reason)?;
        }
    }
    match (report.is_cut_short, report.failed) {
        (true, _) => Err(anyhow!("the run ended early; what is left stays due").into()),
        (false, 0) => Ok(()),
        (false, failed) => Err(anyhow!("{failed} days could not be archived and stay due").into()),
    }
}

fn list(files: &Files, json: bool) -> Result<(), Failure> {
    let manifests = files.archive.list(&files.selection, &GO)?;
    let mut out = std::io::stdout().lock();
    if json {
        for manifest in &manifests {
            writeln!(out, "{}", serde_json::to_string(manifest)?)?;
        }
    } else if manifests.is_empty() {
        writeln!(out, "no files")?;
    } else {
        out.write_all(table(&manifests).as_bytes())?;
    }
    Ok(())
}

const HEADINGS: [&str; 7] = ["day", "measurement", "policy", "rows", "values", "series", "bytes"];

fn table(manifests: &[Manifest]) -> String {
    let row = |m: &Manifest| {
        let c = &m.content;
        let place = format!("{}.{}", c.database, c.policy);
        let numbers = [m.rows, m.values, m.series, m.bytes].map(|n| n.to_string());
        [vec![c.day.to_string(), c.measurement.clone(), place], numbers.to_vec()].concat()
    };
    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    lines.extend(manifests.iter().map(row));
    let missing = manifests.iter().flat_map(|m| m.missing.iter().map(move |what| (m.stem(), what)));
    missing.fold(aligned(&lines), |text, (stem, what)| text + &format!("not in {stem}: {what}\n"))
}

fn verify(files: &Files) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let (mut right, mut wrong, mut written) = (0u64, 0u64, Ok(()));
    files.archive.verify(&files.selection, &GO, &mut |finding: Finding| {
        let Some(error) = finding.wrong else {
            right += 1;
            return ControlFlow::Continue(());
        };
        wrong += 1;
        written = writeln!(out, "{error}");
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    writeln!(out, "{right} files are as they were written")?;
    match wrong {
        0 => Ok(()),
        _ => Err(anyhow!("{wrong} files are not as they were written").into()),
    }
}
