//! Tables of any file format to points: which column is what, and rows to lines. What CSV and Parquet have in common.

mod assemble;
mod cell;
mod number;
mod options;
mod plan;
mod planner;
mod sample;

pub(crate) use assemble::{Assembler, Outcome, Row};
pub(crate) use cell::{Cell, Nulls};
pub(crate) use number::Numbers;
pub use options::{FieldColumn, Kind, Layout, Mapping, Measurement, TimeOptions};
pub(crate) use plan::{FieldPlan, LayoutPlan, Name, Plan, TagPlan, TimePlan};
pub(crate) use sample::{Content, Sample};
