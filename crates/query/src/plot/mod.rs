//! Plots: of all points of a range, however long, so few that draw the same curve at a width in pixels.
//!
//! The range is cut into pixel columns, which are windows of the plan ([`pixel_columns`]); of each the first and the last point and those
//! with the smallest and the largest value are found, and a [`Method`] picks some of these ([`Method::pick`]):
//!
//! - `m4`: all four; the drawn line is that of all points to the pixel (Jugel, Jerzak, Hackenbroich, Markl: M4, VLDB 2014),
//!   where pixels and columns are the same;
//! - `minmax`: the two extremes;
//! - `lttb`: the points with the largest triangles (Steinarsson 2013), chosen among the extremes of four columns a pixel
//!   (`MinMaxLTTB`, Van Der Donckt and others 2023): where no column has more than two points, that is among all points.
//!
//! What has no order worth drawing (texts, booleans) keeps the first and the last point of each column. All are stored points with their own
//! times, none twice, in the order of time.
//!
//! A method is a function of the plan, in the way of `top`: it gives several points a window. So every store can answer it (those that
//! do not know it, by hissrv's own execution), groups, filters and limits are those of all plans, and InfluxQL's extended dialect
//! has it. But unlike `top` it is computed by the folds of `first`, `last`, `min` and `max`, which take summaries: rollups whose windows
//! lie inside the pixel columns are as good as points, and a plot over years reads few of these. That is why columns are as long
//! as a round number of hours or days where they are that long. A further request of its own with four functions a window would have had
//! the values but not the times, and an execution beside the plans none of the rest.
//!
//! Not here: the request (`request::plot`), how windows are folded (`execute`).

mod columns;
mod lttb;
mod pick;

use serde::Deserialize;

pub use columns::pixel_columns;
pub use lttb::lttb;
pub use pick::Column;

/// Pixel columns that `lttb` chooses from, for each pixel.
const COLUMNS_A_PIXEL: usize = 4;

/// How points are picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// First, last, smallest and largest of each pixel column.
    #[default]
    M4,
    /// Smallest and largest of each pixel column.
    MinMax,
    /// The points with the largest triangles, as many as pixels.
    Lttb,
}

impl Method {
    /// What plans and InfluxQL call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::M4 => "m4",
            Self::MinMax => "minmax",
            Self::Lttb => "lttb",
        }
    }

    /// The method that a plan's function is.
    pub fn of_function(name: &str) -> Option<Self> {
        [Self::M4, Self::MinMax, Self::Lttb].into_iter().find(|method| method.name() == name)
    }

    /// Most windows that a plot of a width in pixels has.
    pub const fn columns(self, width_px: usize) -> usize {
        match self {
            Self::M4 | Self::MinMax => width_px,
            Self::Lttb => width_px.saturating_mul(COLUMNS_A_PIXEL),
        }
    }
}
