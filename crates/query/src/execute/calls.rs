//! Which functions over points a plan computes: every one once, with the field it is computed of and what is made of its
//! results, and how far beyond the range of the plan they read. Not here: what the functions give (`computed`).

use model::{TimeRange, TimestampNs};

use super::layout::note_leaf;
use crate::QueryError;
use crate::aggregate::Point;
use crate::pick;
use crate::plan::expr::{AggregateCall, Expr, Reference, Transform};
use crate::plan::{FillWith, Order, Select, Windowing};
use crate::plot::Method;
use crate::result::Cell;

/// The functions over points that a plan computes, each once.
pub(super) struct Calls<'p> {
    pub(super) list: Vec<Call<'p>>,
    /// There is one function only, and it picks points: rows then are these points.
    pub(super) is_selector: bool,
}

/// A function over points.
pub(super) struct Call<'p> {
    /// Text by which equal calls are known.
    key: String,
    pub(super) aggregate: Option<Aggregate<'p>>,
    /// What is made of the aggregate's results, or of the points of the field, one after the other.
    pub(super) transforms: Vec<&'p Transform>,
    pub(super) leaf: usize,
}

/// An aggregate of a call.
#[derive(Clone, Copy)]
pub(super) struct Aggregate<'p> {
    pub(super) call: &'p AggregateCall,
    pub(super) field: &'p str,
}

impl<'p> Calls<'p> {
    /// The calls in the columns of a plan. Names that they use are added to `leaves`.
    pub(super) fn of(plan: &'p Select, leaves: &mut Vec<Reference>) -> Self {
        let mut calls = Self { list: Vec::new(), is_selector: false };
        for column in &plan.columns {
            calls.note(&column.expr, leaves);
        }
        if let [Call { aggregate: Some(aggregate), transforms, .. }] = calls.list.as_slice()
            && transforms.is_empty()
        {
            let name = aggregate.call.function.as_str();
            calls.is_selector =
                matches!(name, "min" | "max" | "first" | "last" | "percentile" | "top" | "bottom" | "sample")
                    || aggregate.plots().is_some();
        }
        calls
    }

    fn note(&mut self, expr: &'p Expr, leaves: &mut Vec<Reference>) {
        match expr {
            Expr::Aggregate(_) | Expr::Transform(_) => {
                let mut transforms = Vec::new();
                let base = base_of(expr, &mut transforms);
                self.add(expr, base, transforms, leaves);
            }
            Expr::Math { args, .. } => args.iter().for_each(|arg| self.note(arg, leaves)),
            Expr::Binary { left, right, .. } => {
                self.note(left, leaves);
                self.note(right, leaves);
            }
            _ => {}
        }
    }

    fn add(&mut self, expr: &Expr, base: &'p Expr, transforms: Vec<&'p Transform>, leaves: &mut Vec<Reference>) {
        let (aggregate, of) = match base {
            Expr::Aggregate(call) => (Some(call), &*call.of),
            other => (None, other),
        };
        let Expr::Reference(reference) = of else { return };
        for key in aggregate.iter().flat_map(|call| &call.keys) {
            note_leaf(key, leaves);
        }
        let aggregate = aggregate.map(|call| Aggregate { call, field: &reference.name });
        let call = Call { key: key_of(expr), aggregate, transforms, leaf: note_leaf(reference, leaves) };
        if !self.list.iter().any(|known| known.key == call.key) {
            self.list.push(call);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Tags of `top` and `bottom`.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'p Reference> {
        self.list.iter().filter_map(|call| call.aggregate).flat_map(|aggregate| &aggregate.call.keys)
    }

    /// Number of the call that an expression is.
    pub(super) fn position(&self, expr: &Expr) -> Option<usize> {
        let key = key_of(expr);
        self.list.iter().position(|call| call.key == key)
    }

    /// Fields that functions are computed of.
    pub(super) fn leaves(&self) -> impl Iterator<Item = usize> {
        self.list.iter().map(|call| call.leaf)
    }

    /// True when every function gives one value a window, and nothing looks beyond its window.
    pub(super) fn are_all_plain(&self) -> bool {
        self.list.iter().all(|call| call.transforms.is_empty() && call.is_plain())
    }
}

/// What transformations are applied to; they are noted from the inside outwards.
fn base_of<'p>(expr: &'p Expr, transforms: &mut Vec<&'p Transform>) -> &'p Expr {
    let Expr::Transform(call) = expr else { return expr };
    let base = base_of(&call.of, transforms);
    transforms.push(&call.transform);
    base
}

/// Text by which equal calls are known.
fn key_of(expr: &Expr) -> String {
    format!("{expr:?}")
}

impl Call<'_> {
    /// Whether an aggregate gives one value a window.
    pub(super) fn is_plain(&self) -> bool {
        self.aggregate.is_some_and(|aggregate| !aggregate.picks_several())
    }

    /// How many windows it looks back: one for every transformation that looks at the one before (newest first: after).
    pub(super) fn windows_before(&self) -> i64 {
        self.transforms.iter().filter(|transform| looks_back(transform)).count() as i64
    }
}

/// Transforms that make their first value of two points.
const fn looks_back(transform: &Transform) -> bool {
    !matches!(transform, Transform::CumulativeSum | Transform::HoltWinters { .. })
}

impl Aggregate<'_> {
    /// Whether it may give several points a window.
    fn picks_several(&self) -> bool {
        matches!(self.call.function.as_str(), "top" | "bottom" | "sample" | "distinct" | pick::INTEGRAL)
            || self.plots().is_some()
    }

    /// How it picks the points of a plot, if it does.
    pub(super) fn plots(&self) -> Option<Method> {
        Method::of_function(&self.call.function)
    }

    /// Refuses values that the function cannot be computed of; all points are of one type.
    pub(super) fn check_type(&self, points: &[Point]) -> Result<(), QueryError> {
        let name = self.call.label.as_str();
        let of = match points.first().map(|point| &point.cell) {
            Some(Cell::String(_)) if !matches!(name, "distinct" | "sample") => "string",
            Some(Cell::Boolean(_)) if !matches!(name, "distinct" | "sample") => "boolean",
            _ => return Ok(()),
        };
        Err(QueryError::invalid(format!(
            "{name}() cannot be computed of field `{}`, which is of type {of}",
            self.field
        )))
    }

    /// Whether it may give nothing of a window that has points.
    pub(super) fn is_percentile(&self) -> bool {
        self.call.function.starts_with("percentile")
    }

    /// Its arguments; NaN for what is no number.
    pub(super) fn numbers(&self) -> Vec<f64> {
        let number = |cell: &Cell| match cell {
            Cell::Float(v) => *v,
            Cell::Integer(v) => *v as f64,
            Cell::Unsigned(v) => *v as f64,
            _ => f64::NAN,
        };
        self.call.arguments.iter().map(number).collect()
    }

    /// How many points are asked for.
    pub(super) fn count(&self) -> usize {
        match self.call.arguments.first() {
            Some(Cell::Integer(n)) => usize::try_from(*n).unwrap_or(0),
            _ => 0,
        }
    }

    /// How empty windows are filled: a count of nothing is 0.
    pub(super) fn fill(&self, fill: &FillWith) -> FillWith {
        match fill {
            FillWith::Null if self.call.label == "count" => FillWith::Value(Cell::Integer(0)),
            fill => fill.clone(),
        }
    }
}

/// Whether an expression computes functions over points.
pub(super) fn has_call(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(_) | Expr::Transform(_) => true,
        Expr::Math { args, .. } => args.iter().any(has_call),
        Expr::Binary { left, right, .. } => has_call(left) || has_call(right),
        _ => false,
    }
}

/// The range that a plan reads with all that its functions look back to.
pub(super) fn beyond(plan: &Select) -> TimeRange {
    let Some(Windowing::Fixed { width, .. }) = plan.window else { return plan.range };
    let calls = Calls::of(plan, &mut Vec::new());
    let most = calls.list.iter().filter(|call| call.aggregate.is_some()).map(Call::windows_before).max().unwrap_or(0);
    extended(plan, width.get().saturating_mul(most))
}

/// The range of a plan, with so much more before it (newest first: after it).
pub(super) fn extended(plan: &Select, more_ns: i64) -> TimeRange {
    let range = plan.range;
    match plan.direction {
        Order::Ascending if range.start == TimestampNs::MIN => range,
        Order::Ascending => TimeRange::new(range.start.saturating_add(-more_ns), range.end),
        Order::Descending if range.end == TimestampNs::MAX => range,
        Order::Descending => TimeRange::new(range.start, range.end.saturating_add(more_ns)),
    }
}
