//! Status logs made of metrics: thresholds with levels, anomalies, changes of state, periodic status. A pure function of
//! samples and rules: the same samples give the same events with the same ids, live, over an import or over history.
//!
//! ```text
//! Config -> Rules::new -> rules.watch(series, field) -> Detector::add(key, watch), feed(key, times, values) -> Event -> write_line
//! ```
//! Not here: where samples come from and where events go, files, clocks, threads (`hissrv`).

mod config;
mod error;

mod fnv;

mod defaults;
mod messages;
mod template;
mod thresholds;

mod demo;
mod event;
mod rules;

mod anomaly;
mod window;

mod column;
mod columns;
mod detector;
mod state;

pub mod score;

pub use config::{Anomalies, Bounds, Config, Demo, Language, Method, Metric, PointMatch, Points};
pub use detector::{Added, Detector, Standpoint, Stats};
pub use error::{ConfigError, LoadError};
pub use event::{Event, EventId, Identity, Level, MEASUREMENT, Source};
pub use rules::{Rules, Subject, Watch};
