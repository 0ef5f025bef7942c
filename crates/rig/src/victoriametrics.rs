//! VictoriaMetrics as a single server, set up as hissrv recommends: data stays for 100 years, one value per millisecond.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::http;
use crate::port::free_port;
use crate::server::{Kind, Server};

/// A VictoriaMetrics that keeps data for 100 years and of values of one millisecond the last.
pub fn victoriametrics() -> Server {
    victoriametrics_with(&["-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"])
}

/// A VictoriaMetrics with just these arguments besides port and folder.
pub fn victoriametrics_with(arguments: &[&str]) -> Server {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let kind = Kind {
        program: "victoria-metrics",
        package: "victoria-metrics",
        command: Box::new(move |folder, port| command(folder, port, &arguments)),
        answers: |port| http::status(&format!("http://127.0.0.1:{port}/health")) == Some(200),
        url: ("http://", ""),
    };
    Server::start(kind, TempDir::new().expect("make a folder"), free_port())
}

fn command(folder: &Path, port: u16, arguments: &[String]) -> Command {
    let mut command = Command::new("victoria-metrics");
    command.arg(format!("-storageDataPath={}", folder.join("data").display()));
    command.arg(format!("-httpListenAddr=127.0.0.1:{port}")).args(arguments);
    command
}
