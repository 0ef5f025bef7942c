//! SHOW DIAGNOSTICS: what runs here, since when and where.

use crate::failure::Failure;
use crate::rows::{number, text};
use crate::show::stats::{Module, known, send};
use crate::task::{Sink, Task};
use crate::time::{go_duration, rfc3339};

pub(super) fn run(task: &Task<'_>, wanted: Option<&str>, sink: Sink<'_>) -> Result<(), Failure> {
    send(vec![build(), system(task), limits(task)], wanted, sink)
}

fn build() -> Module {
    let figures = vec![
        ("Name", text("hissrv")),
        ("Version", text(env!("CARGO_PKG_VERSION"))),
        ("OS", text(std::env::consts::OS)),
        ("Architecture", text(std::env::consts::ARCH)),
    ];
    Module::new("build", figures)
}

fn system(task: &Task<'_>) -> Module {
    let uptime = i64::try_from(task.inner.started.elapsed().as_nanos()).unwrap_or(i64::MAX);
    let folder = std::env::current_dir().ok().map(|path| path.display().to_string());
    let figures = vec![
        ("PID", number(u64::from(std::process::id()))),
        ("currentTime", text(rfc3339(task.now))),
        ("started", text(rfc3339(task.inner.started_at))),
        ("uptime", text(go_duration(uptime))),
        ("folder", known(folder)),
    ];
    Module::new("system", figures)
}

fn limits(task: &Task<'_>) -> Module {
    let limits = &task.parts.limits;
    let figures = vec![
        ("max-points", number(limits.max_points)),
        ("max-series", number(limits.max_series)),
        ("max-rows", number(limits.max_rows)),
        ("max-memory-bytes", number(limits.max_memory.0)),
        ("query-timeout", text(go_duration(i64::try_from(limits.timeout.as_nanos()).unwrap_or(i64::MAX)))),
        ("query-threads", number(task.parts.threads as u64)),
    ];
    Module::new("config-query", figures)
}
