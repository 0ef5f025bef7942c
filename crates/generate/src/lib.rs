//! Synthetic metrics: IT nodes every 15 minutes, or the data points of an energy-management system every second, with the shape of days
//! and weeks, noise, and anomalies whose labels are known.
//!
//! A [`Plan`] is made of [`Options`] and gives points in any order and any part: each value is a function of the seed, its series and its
//! time, so parts can be made on their own, on other machines, and later, and are byte for byte those of the whole. Only additions,
//! multiplications, divisions and rounding are used, which IEEE 754 defines to the last bit; `sin`, `exp` and the like differ
//! between platforms. What a seed gives changes only with a line in the changelog (`tests/generate` holds examples).
//!
//! Pure: no clock, no files, no sockets. Not here: where points go, at what rate, and what detects the anomalies.

mod random;

pub mod offset;
pub mod options;
pub mod quantity;

mod shape;

pub mod ems;
pub mod nodes;
pub mod series;

pub mod anomaly;
mod runs;

pub mod plan;
pub mod publish;

pub use anomaly::{Anomaly, AnomalyKind};
pub use ems::{EmsOptions, PointType};
pub use nodes::{Node, NodeOptions, NodeType};
pub use offset::UtcOffset;
pub use options::{AnomalyOptions, Options, OptionsError, Subject};
pub use plan::{Order, Plan, Sample, Samples};
pub use publish::{Format, Message};
pub use series::Series;
