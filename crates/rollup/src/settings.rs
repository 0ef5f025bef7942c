//! How rollups are worked at.

use std::time::Duration;

use model::ByteSize;

use crate::Order;

/// Settings of the worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Which windows come first.
    pub order: Order,
    /// Windows are made so long after their end, so that what is a little late does not make them twice. Default 5 s.
    pub delay: Duration,
    /// Part of one processor's time that is used at most, above 0 and up to 1. Default 0.25.
    pub share: f64,
    /// Time between two looks when there was nothing to do. Default 500 ms.
    pub idle: Duration,
    /// Memory for marks; past it marks become coarser. Default 64 MiB.
    pub max_memory: ByteSize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            order: Order::OldestFirst,
            delay: Duration::from_secs(5),
            share: 0.25,
            idle: Duration::from_millis(500),
            max_memory: ByteSize(64 << 20),
        }
    }
}
