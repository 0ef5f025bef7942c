//! `hissrv export`: stored points, or the answer to a query, to files or standard output.

mod outputs;
mod pipes;
mod progress;
mod source;
mod stream;
mod summary;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use anyhow::{Context, anyhow};

use crate::cli::{ExportArgs, Failure};
use crate::commands::address::load;
use crate::export::{Format, Part, Summary};
use outputs::{Place, Task};
use source::{Parameters, Source};

/// Set by SIGINT and SIGTERM.
static STOP: AtomicBool = AtomicBool::new(false);

pub(crate) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let config = load(args.config.as_deref())?;
    let place = Place::of(args)?;
    super::signals::on_stop(&STOP).context("listen for signals")?;
    let begun = Instant::now();
    let source = Source::open(args, &config)?;
    let exported = progress::shown(args.quiet, place.is_stdout(), || export(args, &source, &place));
    source.close();
    let (files, done) = match exported {
        Ok(exported) => exported,
        Err(_) if pipes::reader_has_gone() => return Ok(()),
        Err(_) if STOP.load(Relaxed) => return Err(anyhow!("stopped before the end").into()),
        // The service has other names for the options.
        Err(Failure::Usage(text)) if args.query.is_none() => {
            return Err(Failure::Usage(text.replace("`start`", "--from").replace("`end`", "--to")));
        }
        Err(failure) => return Err(failure),
    };
    summary::tell(args, &place, files, &done, begun.elapsed())?;
    match done.damaged.len() {
        0 => Ok(()),
        parts => Err(anyhow!("what is damaged in the store is missing in the export: {parts} parts or more").into()),
    }
}

/// Writes every file; gives how many there are and what they hold.
fn export(args: &ExportArgs, source: &Source, place: &Place) -> Result<(usize, Summary), Failure> {
    let (mut files, mut done) = (0, Summary::default());
    let tasks = tasks(args, source, place)?;
    progress::begin(tasks.len());
    for task in tasks {
        let part = place.write(&task, |to| source.export(&task.parameters, to))?;
        files += usize::from(place.keeps(&part));
        done.add(part);
        progress::next();
    }
    Ok((files, done))
}

/// The files to write, and what goes into each.
fn tasks(args: &ExportArgs, source: &Source, place: &Place) -> Result<Vec<Task>, Failure> {
    let asked = source::parameters(args);
    if args.query.is_some() {
        return Ok(vec![place.task(None, with(&asked, &[("format", place.format.text())]))]);
    }
    let parts = source.parts(&with(&asked, &[("format", Format::List.text())]))?;
    if parts.is_empty() {
        let database = args.database.as_deref().unwrap_or(&source.database);
        return Err(anyhow!("there is nothing to export: {database} has no such measurement").into());
    }
    let parts = match place.format {
        Format::Lines => policies(parts),
        _ => parts,
    };
    if !place.is_folder() {
        check_single(&parts, place.format)?;
    }
    Ok(parts.into_iter().map(|part| place.task(Some(&part), of_part(&asked, &part, place.format))).collect())
}

/// Line protocol takes all measurements of a policy at once: parts without a measurement.
fn policies(parts: Vec<Part>) -> Vec<Part> {
    let mut policies: Vec<_> = parts.into_iter().map(|part| Part { measurement: String::new(), ..part }).collect();
    policies.dedup();
    policies
}

fn check_single(parts: &[Part], format: Format) -> Result<(), Failure> {
    if parts.len() <= 1 {
        return Ok(());
    }
    let mut names: Vec<String> = parts.iter().map(|part| name(part, format)).collect();
    names.dedup();
    let many = names.len();
    names.truncate(5);
    let (what, how) = match format {
        Format::Lines => ("retention policy", "--policy"),
        _ => ("measurement", "--measurement (and --policy)"),
    };
    let list = format!("{}{}", names.join(", "), if many > names.len() { ", ..." } else { "" });
    Err(Failure::Usage(format!(
        "a file in the format {} holds points of one {what}, and there are {many}: {list}. Name one with {how}, or a folder with --output DIR/",
        format.text(),
    )))
}

fn name(part: &Part, format: Format) -> String {
    if format == Format::Lines { part.policy.clone() } else { format!("{}.{}", part.policy, part.measurement) }
}

/// The question for one file.
fn of_part(asked: &Parameters, part: &Part, format: Format) -> Parameters {
    let mut parameters = with(asked, &[("policy", &part.policy), ("format", format.text())]);
    if format != Format::Lines {
        parameters.retain(|(key, _)| key != "measurement");
        parameters.push(("measurement".to_owned(), quoted(&part.measurement)));
    }
    parameters
}

/// A name as a pattern that only it fits.
fn quoted(name: &str) -> String {
    let mut out = String::new();
    for sign in name.chars() {
        if matches!(sign, '*' | '?' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(sign);
    }
    out
}

fn with(asked: &Parameters, more: &[(&str, &str)]) -> Parameters {
    let mut parameters = asked.clone();
    for (key, value) in more {
        parameters.retain(|(known, _)| known != key);
        parameters.push(((*key).to_owned(), (*value).to_owned()));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_fits_nothing_else() {
        for name in ["a*", "a[1]?", r"back\slash", "plain"] {
            assert!(model::glob::matches(quoted(name).as_bytes(), name.as_bytes()), "{name}");
        }
        assert!(!model::glob::matches(quoted("a*").as_bytes(), b"ab"));
    }
}
