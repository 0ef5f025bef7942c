//! `hissrv dead-letter`: points that remote stores refused. What only reads, reads the files, whether a service runs or not; what
//! changes them is done by the service.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use serde_json::Value;
use vfs::{Fs, RealFs};
use writer::dead_letters::{self, Filter, Format, Letters};

use super::address::load;
use super::client::request;
use super::store::encoded;
use crate::cli::{DataArgs, DeadLetterArgs, DeadLetterCommand, ExportFormat, Failure};
use crate::node::DEAD_LETTERS;

pub(crate) fn run(args: &DeadLetterArgs) -> Result<(), Failure> {
    match &args.command {
        DeadLetterCommand::List(data) => list(&Folder::of(args, data)?),
        DeadLetterCommand::Show { data, limit } => show(&Folder::of(args, data)?, *limit),
        DeadLetterCommand::Export { data, format } => export(&Folder::of(args, data)?, *format),
        DeadLetterCommand::Retry(service) => {
            let answer = treat(args, &service.url, "retry")?;
            Ok(writeln!(
                std::io::stdout(),
                "{} stored, {} refused again",
                number(&answer, "stored"),
                number(&answer, "refused")
            )?)
        }
        DeadLetterCommand::Purge(service) => {
            let answer = treat(args, &service.url, "purge")?;
            Ok(writeln!(std::io::stdout(), "{} removed", number(&answer, "removed"))?)
        }
    }
}

/// The dead letters of a data directory that are meant.
struct Folder {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    stores: Vec<String>,
    filter: Filter,
}

impl Folder {
    fn of(args: &DeadLetterArgs, data: &DataArgs) -> Result<Self, Failure> {
        let dir = match &data.data_dir {
            Some(dir) => dir.clone(),
            None => load(data.config.as_deref())?.data_dir,
        };
        if !dir.is_dir() {
            return Err(Failure::Usage(format!("{}: no such directory", dir.display())));
        }
        let known = stores_in(&dir)?;
        let stores = match &args.store {
            Some(store) if known.contains(store) => vec![store.clone()],
            Some(store) => {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let message = format!(
                    "{}: there are no dead letters of a store `{store}`; stores that have some: {known}",
                    dir.display()
                );
                return Err(Failure::Usage(message));
            }
            None => known,
        };
        let filter = Filter { reason: args.reason.clone(), ..Filter::default() };
        Ok(Self { fs: Arc::new(RealFs), dir, stores, filter })
    }

    fn letters(&self, store: &str) -> anyhow::Result<Letters> {
        Ok(dead_letters::read(&self.fs, &self.dir, store, self.filter.clone())?)
    }
}

/// Names of the stores that have a folder of dead letters.
fn stores_in(dir: &std::path::Path) -> anyhow::Result<Vec<String>> {
    let folder = dir.join(DEAD_LETTERS);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn list(folder: &Folder) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for store in &folder.stores {
        let stats = dead_letters::survey(&folder.fs, &folder.dir, store)?;
        writeln!(out, "{store}: {} points, {} bytes", stats.letters, stats.bytes.0)?;
        for reason in &stats.reasons {
            writeln!(out, "  {:>8}  {}", reason.letters, reason.reason)?;
        }
        if stats.other_reasons > 0 {
            writeln!(out, "  {:>8}  other reasons", stats.other_reasons)?;
        }
        if stats.damaged > 0 {
            writeln!(out, "  {:>8}  damaged lines, which cannot be read", stats.damaged)?;
        }
    }
    if folder.stores.is_empty() {
        writeln!(out, "{}: no store has refused anything", folder.dir.display())?;
    }
    Ok(())
}

fn show(folder: &Folder, limit: usize) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let mut left = limit;
    for store in &folder.stores {
        for entry in folder.letters(store)? {
            if left == 0 {
                writeln!(out, "... and more: use --limit")?;
                return Ok(());
            }
            match entry {
                Ok(entry) => {
                    let letter = &entry.letter;
                    let place = format!("{}.{}", letter.database, letter.policy);
                    writeln!(out, "{store} {} {place}\n  {}\n  {}", entry.id, letter.line, letter.reason)?;
                    left -= 1;
                }
                Err(problem) => eprintln!("hissrv: {problem}"),
            }
        }
    }
    Ok(())
}

fn export(folder: &Folder, format: ExportFormat) -> Result<(), Failure> {
    let format = match format {
        ExportFormat::Line => Format::Line,
        ExportFormat::Json => Format::Json,
        ExportFormat::Csv => Format::Csv,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for store in &folder.stores {
        let warn = |problem| eprintln!("hissrv: {problem}");
        dead_letters::export(folder.letters(store)?, format, &mut out, warn)?;
    }
    Ok(out.flush()?)
}

/// Has the service do something with the letters meant.
fn treat(args: &DeadLetterArgs, url: &str, action: &str) -> Result<Value, Failure> {
    let mut path = format!("/api/v1/admin/dead-letters?action={action}");
    for (key, value) in [("store", &args.store), ("reason", &args.reason)] {
        if let Some(value) = value {
            path += &format!("&{key}={}", encoded(value));
        }
    }
    Ok(serde_json::from_slice(&request(url, "POST", &path, "")?)?)
}

fn number(answer: &Value, key: &str) -> u64 {
    answer.get(key).and_then(Value::as_u64).unwrap_or(0)
}
