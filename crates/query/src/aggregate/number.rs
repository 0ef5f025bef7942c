//! The types of fields as Rust types, so that a state is compiled once for each.

use std::cmp::Ordering;

use super::{View, kernel};
use crate::Parts;
use crate::result::Cell;

/// A type of field values.
pub(super) trait Value: Clone + Send + 'static {
    /// What a summary, which is of floats, must tell besides what is wanted of it; `None`: it can tell nothing of such values.
    const NEEDS: Option<Parts> = None;

    /// What summaries must tell where `parts` are wanted.
    fn parts(parts: Parts) -> Option<Parts> {
        Self::NEEDS.map(|needed| needed.and(parts))
    }

    /// The value at `index` of a view of this type.
    fn at(view: &View<'_>, index: usize) -> Option<Self>;

    /// As a cell of an answer.
    fn cell(self) -> Cell;

    /// Order of values; NaN, should a store hold it, comes last.
    fn order(&self, other: &Self) -> Ordering;

    /// A value of a summary; `None` where it may have been rounded.
    fn from_summary(_value: f64) -> Option<Self> {
        None
    }

    /// Bytes held besides the value itself.
    fn bytes(&self) -> usize {
        0
    }
}

/// A type whose values lie side by side.
pub(super) trait Plain: Value + Copy + PartialOrd {
    /// The values of a view of this type.
    fn slice<'a>(view: &View<'a>) -> &'a [Self];
}

/// A type that can be reckoned with.
pub(super) trait Number: Plain + Default {
    /// A sum that is exact, or as exact as floats are.
    type Total: Total;

    /// As a float, rounded where it has more than 53 bits.
    fn float(self) -> f64;

    /// Sum, in this type.
    fn plus(self, other: Self) -> Self;

    /// Difference, in this type.
    fn minus(self, other: Self) -> Self;

    /// Sum of many, in this type: integers wrap.
    fn sum(values: &[Self]) -> Self;

    /// Sum of many.
    fn total(values: &[Self]) -> Self::Total;
}

/// A sum.
pub(super) trait Total: Copy + Default + Send + std::ops::AddAssign + 'static {
    /// As a float.
    fn float(self) -> f64;
}

impl Total for f64 {
    fn float(self) -> f64 {
        self
    }
}

/// 128 bits hold the sum of 2^63 values of 64 bits.
impl Total for i128 {
    fn float(self) -> f64 {
        self as f64
    }
}

/// A plain type: its variant of `View` and `Cell`, its order, and what else a `Value` says of itself.
macro_rules! plain {
    ($type:ty, $variant:ident, $order:path $(, $more:item)*) => {
        impl Value for $type {
            fn at(view: &View<'_>, index: usize) -> Option<Self> {
                Self::slice(view).get(index).copied()
            }

            fn cell(self) -> Cell {
                Cell::$variant(self)
            }

            fn order(&self, other: &Self) -> Ordering {
                $order(self, other)
            }

            $($more)*
        }

        impl Plain for $type {
            fn slice<'a>(view: &View<'a>) -> &'a [Self] {
                let View::$variant(values) = view else {
                    debug_assert!(false, "a run of {} was given to another type's accumulator", view.field_type());
                    return &[];
                };
                values
            }
        }
    };
}

plain!(
    f64,
    Float,
    f64::total_cmp,
    const NEEDS: Option<Parts> = Some(Parts::NONE);,
    fn from_summary(value: f64) -> Option<Self> {
        Some(value)
    }
);
plain!(
    i64,
    Integer,
    Ord::cmp,
    const NEEDS: Option<Parts> = Some(Parts::EXACT);,
    fn from_summary(value: f64) -> Option<Self> {
        Some(value as Self)
    }
);
plain!(
    u64,
    Unsigned,
    Ord::cmp,
    const NEEDS: Option<Parts> = Some(Parts::EXACT);,
    fn from_summary(value: f64) -> Option<Self> {
        Some(value as Self)
    }
);
plain!(bool, Boolean, Ord::cmp);

impl Value for String {
    fn at(view: &View<'_>, index: usize) -> Option<Self> {
        match Cell::from(view.get(index)?) {
            Cell::String(text) => Some(text),
            _ => None,
        }
    }

    fn cell(self) -> Cell {
        Cell::String(self)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn bytes(&self) -> usize {
        self.capacity()
    }
}

impl Number for f64 {
    type Total = Self;

    fn float(self) -> f64 {
        self
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn sum(values: &[Self]) -> Self {
        kernel::sum_of_floats(values)
    }

    fn total(values: &[Self]) -> Self {
        kernel::sum_of_floats(values)
    }
}

impl Number for i64 {
    type Total = i128;

    fn float(self) -> f64 {
        self as f64
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn sum(values: &[Self]) -> Self {
        values.iter().fold(0, |sum, &value| sum.wrapping_add(value))
    }

    fn total(values: &[Self]) -> i128 {
        kernel::sum_of_halves(values, |value| (value >> 32, value as u32))
    }
}

impl Number for u64 {
    type Total = i128;

    fn float(self) -> f64 {
        self as f64
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn sum(values: &[Self]) -> Self {
        values.iter().fold(0, |sum, &value| sum.wrapping_add(value))
    }

    fn total(values: &[Self]) -> i128 {
        kernel::sum_of_halves(values, |value| ((value >> 32).cast_signed(), value as u32))
    }
}

/// Boxes `$make` for the number type that `$kind` is (integers where it is no number, which `accepts` has ruled out).
macro_rules! for_number {
    ($kind:expr, $n:ident => $make:expr) => {
        match $kind {
            model::FieldType::Float => {
                type $n = f64;
                Box::new($make)
            }
            model::FieldType::Unsigned => {
                type $n = u64;
                Box::new($make)
            }
            model::FieldType::Integer | model::FieldType::Boolean | model::FieldType::String => {
                type $n = i64;
                Box::new($make)
            }
        }
    };
}
pub(super) use for_number;

/// Boxes `$make` for the plain type that `$kind` is (integers for strings, which `accepts` has ruled out).
macro_rules! for_plain {
    ($kind:expr, $v:ident => $make:expr) => {
        match $kind {
            model::FieldType::Boolean => {
                type $v = bool;
                Box::new($make)
            }
            kind => crate::aggregate::number::for_number!(kind, $v => $make),
        }
    };
}
pub(super) use for_plain;

/// Boxes `$make` for the type that `$kind` is.
macro_rules! for_value {
    ($kind:expr, $v:ident => $make:expr) => {
        match $kind {
            model::FieldType::String => {
                type $v = String;
                Box::new($make)
            }
            kind => crate::aggregate::number::for_plain!(kind, $v => $make),
        }
    };
}
pub(super) use for_value;
