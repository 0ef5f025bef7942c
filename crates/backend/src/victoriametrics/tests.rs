//! Against a real VictoriaMetrics.

mod querying;
mod writing;

use model::{FieldValue, TimestampNs};
use rig::Server;

use super::{VictoriaMetrics, VictoriaMetricsConfig};
use crate::{Destination, Point, PointList};

/// Some Sunday in 2026, well inside of what a server keeps.
const T: i64 = 1_790_000_000_000_000_000;

fn store(server: &Server) -> VictoriaMetrics {
    VictoriaMetrics::new(&VictoriaMetricsConfig::new(server.url().parse().unwrap())).unwrap()
}

fn place() -> Destination {
    Destination { database: "ems".to_owned(), policy: "raw".to_owned(), is_default: true }
}

fn list(place: Destination, points: &[(&str, &str, FieldValue<'_>, i64)]) -> PointList {
    let mut list = PointList::new(place);
    for &(series, field, value, time) in points {
        list.push(Point { series: series.as_bytes(), field, value, time: TimestampNs(time) });
    }
    list
}
