//! Where an export comes from: a running service, or the data directory that none uses.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use formats::{Output, Packing};
use query::Cancel;
use server::{ApiError, ErrorKind};

use super::STOP;
use super::pipes::Kept;
use super::stream::download;
use crate::cli::{ExportArgs, Failure};
use crate::commands::address::url_of;
use crate::commands::store::encoded;
use crate::config::Config;
use crate::export::{self, Part, Question, Summary};
use crate::node::{Node, now};

/// Longest wait for what the journal holds, and longest time for the end.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often is looked whether the user wants it to end.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Names and values of a request, in order.
pub(super) type Parameters = Vec<(String, String)>;

/// Where an export comes from.
pub(super) struct Source {
    from: From,
    /// Database of questions that name none, as far as we know.
    pub(super) database: String,
}

enum From {
    Service(String),
    Here(Box<Node>, Cancel),
}

/// What the command line asks for.
pub(super) fn parameters(args: &ExportArgs) -> Parameters {
    let one = |key: &str, value: &Option<String>| value.clone().map(|value| (key.to_owned(), value));
    let single = [
        one("database", &args.database),
        one("policy", &args.policy),
        one("start", &args.from),
        one("end", &args.to),
        one("query", &args.query),
    ];
    let measurements = args.measurements.iter().map(|name| ("measurement".to_owned(), name.clone()));
    let tags = args.tags.iter().map(|(name, value)| (format!("tag.{name}"), value.clone()));
    single.into_iter().flatten().chain(measurements).chain(tags).collect()
}

impl Source {
    pub(super) fn open(args: &ExportArgs, config: &Config) -> Result<Self, Failure> {
        let database = config.database().to_owned();
        let is_served = args.url.is_some() || Node::is_in_use(&config.data_dir);
        if is_served {
            let url = args.url.clone().unwrap_or_else(|| url_of(config));
            return Ok(Self { from: From::Service(url), database });
        }
        if !config.data_dir.exists() {
            let dir = config.data_dir.display();
            return Err(Failure::Usage(format!(
                "there is no data directory {dir}: name the configuration with --config"
            )));
        }
        let node = Box::new(Node::open(config)?);
        wait_until_ready(&node)?;
        Ok(Self { from: From::Here(node, cancelled_by_signal()?), database })
    }

    /// The parts that are meant.
    pub(super) fn parts(&self, parameters: &Parameters) -> Result<Vec<Part>, Failure> {
        let kept = Kept::default();
        let to = Output::new(Box::new(kept.clone()), Packing::Plain)?;
        self.export(parameters, to)?;
        Ok(serde_json::from_slice(&kept.take()).context("read the list of measurements")?)
    }

    /// Writes the answer to `to` and ends it.
    pub(super) fn export(&self, parameters: &Parameters, to: Output) -> Result<Summary, Failure> {
        match &self.from {
            From::Service(url) => download(url, &path(parameters), to),
            From::Here(node, cancel) => {
                let question = Question::read(parameters, &self.database, now()).map_err(explained)?;
                export::run(node, &question, cancel, to).map_err(explained)
            }
        }
    }

    /// Writes to files what is in memory, where that is ours to do.
    pub(super) fn close(&self) {
        if let From::Here(node, _) = &self.from {
            let deadline = Instant::now() + PATIENCE;
            node.stop_sources(deadline);
            node.close(deadline);
        }
    }
}

/// Before the journal is taken in, what it holds would be missing.
fn wait_until_ready(node: &Node) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while let Err(reason) = node.ready() {
        if STOP.load(Relaxed) || Instant::now() >= deadline {
            return Err(anyhow!("given up while {reason}"));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// What a signal cancels, from now to the end of the process.
fn cancelled_by_signal() -> std::io::Result<Cancel> {
    let cancel = Cancel::new();
    let given = cancel.clone();
    std::thread::Builder::new().name("export-stop".to_owned()).spawn(move || {
        while !STOP.load(Relaxed) {
            std::thread::sleep(LOOK_EVERY);
        }
        given.cancel();
    })?;
    Ok(cancel)
}

fn path(parameters: &Parameters) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
    format!("/api/v1/export?{}", pairs.join("&"))
}

/// As the service would say it.
fn explained(error: ApiError) -> Failure {
    let text = match error.hint.as_str() {
        "" => error.message,
        hint => format!("{} ({hint})", error.message),
    };
    match error.kind {
        ErrorKind::BadRequest | ErrorKind::NotFound => Failure::Usage(text),
        ErrorKind::Timeout if STOP.load(Relaxed) => Failure::Run(anyhow!("stopped before the end")),
        _ => Failure::Run(anyhow!(text)),
    }
}
