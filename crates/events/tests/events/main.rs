//! What events promise: cutting samples and saving the state change nothing, and the logs say what happened.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod logs;
mod slices;

use events::{Config, Detector, Event, Rules, Watch};
use model::TimestampNs;
use model::key::SeriesKey;

const MINUTE: i64 = 60_000_000_000;

fn rules(yaml: &str) -> Rules {
    Rules::new(&serde_saphyr::from_str::<Config>(yaml).unwrap()).unwrap()
}

fn watch(rules: &Rules, series: &str) -> Watch {
    rules.watch(&SeriesKey::parse(series.as_bytes()).unwrap(), "value").unwrap()
}

/// Events of one column, whose samples are given as minute and value.
fn events_of(rules: &Rules, series: &str, samples: &[(i64, f64)]) -> Vec<Event> {
    let mut detector = Detector::new(rules);
    detector.add(7, watch(rules, series));
    let (times, values) = columns(samples);
    let mut events = Vec::new();
    detector.feed(7, &times, &values, &mut events);
    assert_eq!(detector.stats().events, events.len() as u64);
    events
}

fn columns(samples: &[(i64, f64)]) -> (Vec<TimestampNs>, Vec<f64>) {
    samples.iter().map(|&(minute, value)| (TimestampNs(minute * MINUTE), value)).unzip()
}
