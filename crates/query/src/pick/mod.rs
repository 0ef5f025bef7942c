//! Functions that give several points of one window (`top bottom distinct sample`), and `integral`, whose windows share the areas
//! between points.
//!
//! All take the points of one group; but for `integral` those of one window, oldest first. What is picked keeps the
//! stored point it is, so that its time and its tags can be shown. Not here: windows, fill, the answer's order.

mod distinct;
mod extremes;
mod integral;
mod sample;

pub use distinct::distinct;
pub use extremes::{Side, best_per_key, bottom, top};
pub use integral::{Integral, integral};
pub use sample::sample;

/// What plans call the integral of these functions, which look at the points of the range only; that of the registry interpolates at its
/// edges.
pub const INTEGRAL: &str = "integral_of_windows";

#[cfg(test)]
mod support {
    use model::TimestampNs;

    use crate::aggregate::Point;
    use crate::result::Cell;

    /// Points of floats at seconds.
    pub(super) fn floats(values: &[(i64, f64)]) -> Vec<Point> {
        let point = |&(time, v)| Point { time: TimestampNs(time * 1_000_000_000), cell: Cell::Float(v), at: None };
        values.iter().map(point).collect()
    }
}
