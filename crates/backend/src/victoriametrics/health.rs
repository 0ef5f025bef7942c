//! Whether it takes points, and what a person should know about how it was started.

use std::time::Duration;

use crate::{Health, Probe, WriteError};

use super::VictoriaMetrics;
use super::facts::Facts;
use super::manage::shortfalls;
use super::store::Known;

/// Flags that change how points are called, and with which their names cannot be told from each other any more.
const UNREADABLE: [&str; 2] = ["influxSkipMeasurement", "influxSkipSingleField"];

/// Longer than this, and [`crate::Write::durable_after`] is too short.
const MAX_IN_MEMORY: Duration = Duration::from_secs(20);

impl Health for VictoriaMetrics {
    fn probe(&self) -> Result<Probe, WriteError> {
        // A write of nothing: `/health` answers whom it does not let write, and on a path that is none.
        self.shared.client.write("/write", b"")?;
        match self.shared.learn() {
            Ok(known) => Ok(self.told(&known)),
            Err(error) => {
                let advice =
                    format!("{error}: without /metrics its settings, its version and its restarts are not known");
                Ok(Probe { version: "VictoriaMetrics".to_owned(), incarnation: None, advice: vec![advice] })
            }
        }
    }
}

impl VictoriaMetrics {
    fn told(&self, known: &Known) -> Probe {
        let (Some(writer), Some(reader)) = (&known.writer, &known.reader) else { return Probe::default() };
        let mut advice = advice_on_writing(writer);
        advice.extend(advice_on_duplicates(reader));
        let wanted = self.shared.wanted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        advice.extend(shortfalls(writer, &wanted));
        let product = if self.shared.is_cluster { "VictoriaMetrics cluster" } else { "VictoriaMetrics" };
        Probe {
            version: writer.version.as_ref().map_or(product.to_owned(), |version| format!("{product} {version}")),
            // Of a cluster only the processes that keep points would matter, and they are not asked.
            incarnation: writer.started.filter(|_| !self.shared.is_cluster).map(|second| second.to_string()),
            advice,
        }
    }
}

fn advice_on_writing(facts: &Facts) -> Vec<String> {
    let mut advice = Vec::new();
    for flag in UNREADABLE {
        if facts.flag(flag) == Some("true") {
            advice.push(format!(
                "VictoriaMetrics runs with -{flag}: hissrv cannot find its points again; start it without"
            ));
        }
    }
    if let Some(label) = facts.flag("influxDBLabel").filter(|label| *label != "db") {
        advice
            .push(format!("VictoriaMetrics runs with -influxDBLabel={label}: hissrv looks for `db`; start it without"));
    }
    if let Some(unit) = facts.duration("influxTrimTimestamp").filter(|unit| *unit > Duration::from_millis(1)) {
        advice
            .push(format!("VictoriaMetrics runs with -influxTrimTimestamp={unit:?}: times are cut; start it without"));
    }
    if let Some(interval) = facts.duration("inmemoryDataFlushInterval").filter(|interval| *interval > MAX_IN_MEMORY) {
        advice.push(format!(
            "VictoriaMetrics keeps points in memory for {interval:?} and loses them when it crashes: set -inmemoryDataFlushInterval=5s"
        ));
    }
    if facts.has_left_out {
        advice.push(
            "VictoriaMetrics has left out rows since its start: see vm_rows_ignored_total (outside of its retention) and \
             vm_rows_invalid_total on its /metrics"
                .to_owned(),
        );
    }
    advice
}

fn advice_on_duplicates(facts: &Facts) -> Option<String> {
    let interval = facts.duration("dedup.minScrapeInterval")?;
    if interval.is_zero() {
        return Some(
            "VictoriaMetrics runs without -dedup.minScrapeInterval=1ms: points sent again after an outage stand there twice and \
             count twice; start it with that flag"
                .to_owned(),
        );
    }
    (interval > Duration::from_millis(1)).then(|| {
        format!(
            "VictoriaMetrics runs with -dedup.minScrapeInterval={interval:?} and keeps one value of each such time only: set it to 1ms"
        )
    })
}
