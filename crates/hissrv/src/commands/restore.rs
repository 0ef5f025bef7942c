//! `hissrv archive restore`: files of the archive back to points, which a running service takes as line protocol.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::{Context, anyhow};
use archive::{Error, Restored, RestoredPoint, restore_file};
use model::TimestampNs;
use model::line::{Value, print_line};
use model::value::FieldValue;
use serde_json::json;
use vfs::RealFs;

use super::address::load;
use super::address::url_of;
use super::archive::{Files, GO};
use super::client::post;
use super::store::encoded;
use crate::cli::{Failure, RestoreArgs};

/// Lines of one request.
const LINES: usize = 5000;
/// A request is sent from so many bytes on, however few lines it has.
const BYTES: usize = 4 << 20;
/// Fields of one line; what has more takes several.
const FIELDS: usize = 32;

pub(super) fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let (restored, counts) = match &args.file {
        Some(file) => {
            let config = load(args.files.config.as_deref())?;
            let mut batch = Batch::new(args, url_of(&config));
            let restored = restore_file(&RealFs, file, &GO, &mut |point| batch.take(point));
            batch.end(restored)?
        }
        None => {
            let files = Files::of(&args.files)?;
            let mut batch = Batch::new(args, url_of(&files.config));
            let restored = files.archive.restore(&files.selection, &GO, &mut |point| batch.take(point));
            batch.end(restored)?
        }
    };
    Ok(tell(args, restored, &counts)?)
}

fn tell(args: &RestoreArgs, restored: Restored, counts: &Counts) -> std::io::Result<()> {
    let Restored { files, rows, values } = restored;
    let mut out = std::io::stdout().lock();
    if args.json {
        let summary = json!({
            "dry_run": args.dry_run, "files": files, "rows": rows, "values": values, "lines_written": counts.lines,
            "requests": counts.requests, "left_out": counts.left_out,
        });
        return writeln!(out, "{summary}");
    }
    if args.dry_run {
        return writeln!(out, "would restore {values} values in {rows} rows of {files} files");
    }
    writeln!(out, "restored {values} values in {rows} rows of {files} files")?;
    match counts.left_out {
        0 => Ok(()),
        n => writeln!(out, "{n} of the values were left out: they are not finite, which line protocol cannot say"),
    }
}

/// What was sent.
#[derive(Default)]
struct Counts {
    lines: u64,
    requests: u64,
    /// Values that line protocol cannot say.
    left_out: u64,
}

/// Points on their way to the service.
struct Batch<'a> {
    args: &'a RestoreArgs,
    url: String,
    /// Path of the requests for the lines gathered.
    path: String,
    /// Database and policy that the path is for.
    place: (String, String),
    text: Vec<u8>,
    lines: usize,
    row: Row,
    counts: Counts,
    failure: Option<anyhow::Error>,
}

/// Values of one series and time.
#[derive(Default)]
struct Row {
    series: Vec<u8>,
    time: TimestampNs,
    fields: Vec<(String, Value<'static>)>,
}

impl<'a> Batch<'a> {
    fn new(args: &'a RestoreArgs, default_url: String) -> Self {
        Self {
            args,
            url: args.url.clone().unwrap_or(default_url),
            path: String::new(),
            place: Default::default(),
            text: Vec::new(),
            lines: 0,
            row: Row::default(),
            counts: Counts::default(),
            failure: None,
        }
    }

    /// Takes a value of the archive; ends it when the service does not take what came before.
    fn take(&mut self, point: RestoredPoint<'_>) -> ControlFlow<()> {
        if self.args.dry_run {
            return ControlFlow::Continue(());
        }
        match self.add(point) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    fn add(&mut self, point: RestoredPoint<'_>) -> anyhow::Result<()> {
        let content = point.content;
        let is_elsewhere = self.place.0 != content.database || self.place.1 != content.policy;
        if is_elsewhere || self.row.time != point.time || self.row.series != point.series {
            self.end_row();
            if is_elsewhere || self.lines >= LINES || self.text.len() >= BYTES {
                self.send()?;
            }
            if is_elsewhere {
                self.go_to(&content.database, &content.policy);
            }
            self.row.series.clear();
            self.row.series.extend_from_slice(point.series);
            self.row.time = point.time;
        }
        match owned(point.value) {
            Some(value) => self.row.fields.push((point.field.to_owned(), value)),
            None => self.counts.left_out += 1,
        }
        Ok(())
    }

    fn go_to(&mut self, database: &str, policy: &str) {
        self.place = (database.to_owned(), policy.to_owned());
        let database = self.args.into_database.as_deref().unwrap_or(database);
        let policy = self.args.into_policy.as_deref().unwrap_or(policy);
        self.path = format!("/write?db={}&rp={}&precision=ns", encoded(database), encoded(policy));
    }

    fn end_row(&mut self) {
        for fields in self.row.fields.chunks(FIELDS) {
            let fields = fields.iter().map(|(key, value)| (key.as_str(), value.as_field_value()));
            print_line(&mut self.text, &self.row.series, fields, self.row.time);
            self.lines += 1;
        }
        self.row.fields.clear();
    }

    fn send(&mut self) -> anyhow::Result<()> {
        if self.lines == 0 {
            return Ok(());
        }
        post(&self.url, &self.path, &self.text).map_err(|cause| self.explain(&cause))?;
        self.counts.requests += 1;
        self.counts.lines += self.lines as u64;
        self.lines = 0;
        self.text.clear();
        Ok(())
    }

    fn explain(&self, cause: &anyhow::Error) -> anyhow::Error {
        let cause = format!("{cause:#}");
        let advice = if cause.contains("beyond retention policy") {
            "; restore them to a policy that keeps values that old (--into-policy)"
        } else if cause.contains("not found") {
            "; create it first, or name another one (--into-database, --into-policy)"
        } else {
            ""
        };
        let database = self.args.into_database.as_ref().unwrap_or(&self.place.0);
        let policy = self.args.into_policy.as_ref().unwrap_or(&self.place.1);
        anyhow!(
            "{} does not take all points for {database}.{policy}: {cause}{advice}. {} lines were written before; to do that again \
             does no harm",
            self.url,
            self.counts.lines
        )
    }

    /// Sends the rest. A file that cannot be read is an error after what came before it was sent.
    fn end(mut self, restored: Result<Restored, Error>) -> anyhow::Result<(Restored, Counts)> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.end_row();
        self.send()?;
        let before = self.counts.lines;
        let restored =
            restored.with_context(|| format!("not everything could be read ({before} lines were written)"))?;
        Ok((restored, self.counts))
    }
}

/// A value that outlives the file's buffers; `None` for what line protocol cannot say.
fn owned(value: FieldValue<'_>) -> Option<Value<'static>> {
    Some(match value {
        FieldValue::Float(v) if !v.is_finite() => return None,
        FieldValue::Float(v) => Value::Float(v),
        FieldValue::Integer(v) => Value::Integer(v),
        FieldValue::Unsigned(v) => Value::Unsigned(v),
        FieldValue::Boolean(v) => Value::Boolean(v),
        FieldValue::String(v) => Value::String(v.to_owned().into()),
    })
}
