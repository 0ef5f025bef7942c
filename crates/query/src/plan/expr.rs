//! Expressions of a [`super::Select`]: what is computed of a row, and what a row must fulfil.

use std::sync::Arc;

/// Operators with two operands: those of InfluxQL.
pub use influxql::ast::BinaryOp;
use model::FieldType;
use regex::Regex;

use crate::result::Cell;

/// An expression over fields, tags and functions of them.
#[derive(Debug, Clone)]
pub enum Expr {
    /// A field or a tag.
    Reference(Reference),
    /// All fields, all tags, or both; only where columns are selected, alone or as what a function is computed of.
    All(Kinds),
    /// Fields and tags whose names are found by a regular expression; where [`Expr::All`] may stand.
    Like(Arc<Regex>),
    /// A constant.
    Literal(Cell),
    /// A pattern, right of [`BinaryOp::Matches`] and [`BinaryOp::NotMatches`] only.
    Pattern(Arc<Regex>),
    /// Values of one field become one value (or some) a window.
    Aggregate(AggregateCall),
    /// A sequence of points becomes another one.
    Transform(TransformCall),
    /// Values of a row become one value.
    Math {
        /// Function.
        function: MathFunction,
        /// As many as the function takes.
        args: Vec<Expr>,
    },
    /// Two values become one.
    Binary {
        /// Operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
}

/// A field or tag by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// Its key.
    pub name: String,
    /// What it is held to be; `None`: the field where there is one of the name, else the tag.
    pub cast: Option<Cast>,
}

/// What a reference is held to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cast {
    /// A field of any type.
    Field,
    /// A tag.
    Tag,
    /// A field, its values converted between numbers; null where they are no numbers.
    Type(FieldType),
}

/// What [`Expr::All`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Fields and tags.
    Both,
    /// Fields.
    Fields,
    /// Tags.
    Tags,
}

/// A function over the values of one field.
#[derive(Debug, Clone)]
pub struct AggregateCall {
    /// Its name in the registry, or `top`, `bottom`, `sample`, `distinct`, `integral_of_windows` (InfluxQL's `integral`), which may give
    /// several points a window.
    pub function: String,
    /// Name of its column where nobody gave one: `count` of `count(distinct(x))`, too.
    pub label: String,
    /// Of what: a reference, or [`Expr::All`] or [`Expr::Like`] for several columns.
    pub of: Box<Expr>,
    /// Tags (or fields) of `top` and `bottom`: the best point of each combination counts.
    pub keys: Vec<Reference>,
    /// Constant arguments: N of `percentile`, `top`, ...; the unit of `integral_of_windows` in nanoseconds.
    pub arguments: Vec<Cell>,
}

/// A function over a sequence of points.
#[derive(Debug, Clone)]
pub struct TransformCall {
    /// Which one.
    pub transform: Transform,
    /// Of what: an [`Expr::Aggregate`] over windows, or a reference ([`Expr::All`], [`Expr::Like`]).
    pub of: Box<Expr>,
}

/// What is made of a sequence of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transform {
    /// Change per unit of time.
    Derivative {
        /// The unit; `None`: a second, or the length of the windows.
        unit_ns: Option<i64>,
        /// Falls are left out.
        non_negative: bool,
    },
    /// Change.
    Difference {
        /// Falls are left out.
        non_negative: bool,
    },
    /// Sum so far.
    CumulativeSum,
    /// Mean of the last points.
    MovingAverage {
        /// How many, at least 2.
        points: usize,
    },
    /// Time since the point before.
    Elapsed {
        /// The unit it is told in.
        unit_ns: i64,
    },
    /// Forecast by the Holt-Winters method.
    HoltWinters {
        /// How many points are forecast.
        points: usize,
        /// Points a season; 0 or 1: no season.
        season: usize,
        /// The fitted values of the past come, too.
        with_fit: bool,
    },
}

impl Transform {
    /// Its name in InfluxQL.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Derivative { non_negative: false, .. } => "derivative",
            Self::Derivative { non_negative: true, .. } => "non_negative_derivative",
            Self::Difference { non_negative: false } => "difference",
            Self::Difference { non_negative: true } => "non_negative_difference",
            Self::CumulativeSum => "cumulative_sum",
            Self::MovingAverage { .. } => "moving_average",
            Self::Elapsed { .. } => "elapsed",
            Self::HoltWinters { with_fit: false, .. } => "holt_winters",
            Self::HoltWinters { with_fit: true, .. } => "holt_winters_with_fit",
        }
    }
}

/// Functions of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MathFunction {
    /// Amount without sign.
    Abs,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Tangent.
    Tan,
    /// Inverse sine.
    Asin,
    /// Inverse cosine.
    Acos,
    /// Inverse tangent.
    Atan,
    /// Angle of a point, from y and x.
    Atan2,
    /// e to the power of.
    Exp,
    /// Natural logarithm.
    Ln,
    /// Logarithm to the base of the second argument.
    Log,
    /// Logarithm to base 2.
    Log2,
    /// Logarithm to base 10.
    Log10,
    /// Square root.
    Sqrt,
    /// First argument to the power of the second.
    Pow,
    /// Down to a whole number.
    Floor,
    /// Up to a whole number.
    Ceil,
    /// To the nearest whole number, halves away from zero.
    Round,
}
