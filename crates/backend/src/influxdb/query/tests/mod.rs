//! The same plans asked of a real InfluxDB 1.x and of the embedded engine over the same points.

mod answers;
mod identity;
mod names;
mod newest;
mod plans;
mod requests;
mod windows;

mod asker;
mod reference;
