//! What is asked, free of any query language.

pub mod expr;
mod fit;
mod select;

pub use select::{
    CalendarUnit, Column, Dimension, FillWith, MeasurementRef, NameOrPattern, Order, Select, Source, Windowing,
};
