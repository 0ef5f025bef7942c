//! `hissrv check-config`.

use std::io::Write;
use std::path::Path;

use crate::cli::Failure;
use crate::config;
use crate::node;

pub(crate) fn run(file: &Path) -> Result<(), Failure> {
    let loaded = config::load(Some(file)).map_err(|e| Failure::Usage(e.to_string()))?;
    let c = &loaded.config;
    // Talks to none of them.
    node::stores(c).map_err(|e| Failure::Usage(format!("{}: {e:#}", file.display())))?;
    let mut out = std::io::stdout().lock();
    for warning in &loaded.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "{}: ok", file.display())?;
    writeln!(out, "  HTTP       {}", c.server.listen)?;
    writeln!(out, "  data       {} (database {})", c.data_dir.display(), c.database())?;
    writeln!(
        out,
        "  journal    fsync {:?}, at most {} on disk, when full: {:?}",
        c.journal.fsync, c.journal.max_disk, c.journal.when_full
    )?;
    for store in c.stores() {
        let answers = if store == c.answering() { ", answers queries" } else { "" };
        writeln!(out, "  store      {}{}{answers}", store.text(), c.address_of(store))?;
    }
    if let Some(archive) = c.archive() {
        let first = if archive.before_deletion { ", before anything is deleted" } else { "" };
        writeln!(out, "  archive    {} {}{first}", archive.target, archive.schedule)?;
    }
    for policy in &c.retention.policies {
        let own = if policy.measurements.is_empty() { "" } else { ", home of " };
        writeln!(out, "  policy     {} keeps {}{own}{}", policy.name, policy.duration, policy.measurements.join(" "))?;
    }
    if !c.alerts.rules.is_empty() || !c.alerts.channels.is_empty() {
        let channels: Vec<&str> = c.alerts.channels.keys().map(String::as_str).collect();
        writeln!(out, "  alerts     {} rules, channels {}", c.alerts.rules.len(), channels.join(" "))?;
    }
    match c.redis.enabled {
        true => writeln!(out, "  Redis      {} patterns {}", c.redis.url, c.redis.patterns.join(" "))?,
        false => writeln!(out, "  Redis      off")?,
    }
    Ok(())
}
