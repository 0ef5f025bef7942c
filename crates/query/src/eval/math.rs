//! Functions of numbers. What is not a number, or no finite one, comes out as null.
//!
//! `abs floor ceil round` keep integers as they are typed, all others give floats.

use model::FieldValue;
use model::FieldValue::{Float, Integer, Unsigned};

use super::binary::number;
use super::{Bound, Lookup};
use crate::plan::expr::MathFunction;

/// `function(args)`; null where there are too few arguments.
pub(super) fn apply<'a>(function: MathFunction, args: &'a [Bound], row: Lookup<'_, 'a>) -> Option<FieldValue<'a>> {
    let argument = |index: usize| args.get(index)?.value(row);
    let first = argument(0)?;
    if keeps_type(function) && !matches!(first, Float(_)) {
        return of_integer(function, first);
    }
    let x = number(first)?;
    let value = match function {
        MathFunction::Log => x.ln() / number(argument(1)?)?.ln(),
        MathFunction::Pow => x.powf(number(argument(1)?)?),
        MathFunction::Atan2 => x.atan2(number(argument(1)?)?),
        _ => of_float(function, x),
    };
    value.is_finite().then_some(Float(value))
}

/// True for functions that give an integer for an integer.
pub(super) fn keeps_type(function: MathFunction) -> bool {
    matches!(function, MathFunction::Abs | MathFunction::Floor | MathFunction::Ceil | MathFunction::Round)
}

fn of_integer(function: MathFunction, value: FieldValue<'_>) -> Option<FieldValue<'_>> {
    match value {
        Integer(v) if function == MathFunction::Abs => Some(Integer(v.wrapping_abs())),
        Integer(_) | Unsigned(_) => Some(value),
        _ => None,
    }
}

/// Functions of one float; NaN for those of two.
fn of_float(function: MathFunction, x: f64) -> f64 {
    match function {
        MathFunction::Abs => x.abs(),
        MathFunction::Sin => x.sin(),
        MathFunction::Cos => x.cos(),
        MathFunction::Tan => x.tan(),
        MathFunction::Asin => x.asin(),
        MathFunction::Acos => x.acos(),
        MathFunction::Atan => x.atan(),
        MathFunction::Exp => x.exp(),
        MathFunction::Ln => x.ln(),
        MathFunction::Log2 => x.log2(),
        MathFunction::Log10 => x.log10(),
        MathFunction::Sqrt => x.sqrt(),
        MathFunction::Floor => x.floor(),
        MathFunction::Ceil => x.ceil(),
        MathFunction::Round => x.round(),
        MathFunction::Atan2 | MathFunction::Log | MathFunction::Pow => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Cell;

    fn of(function: MathFunction, args: &[Cell]) -> Cell {
        let args = args.iter().cloned().map(Bound::Constant).collect();
        Bound::Math { function, args }.eval(&|_| &Cell::Null)
    }

    fn near(cell: Cell, expected: f64) {
        let Cell::Float(value) = cell else { panic!("{cell:?} is no float") };
        assert!((value - expected).abs() <= 1e-12 * expected.abs(), "{value} is not {expected}");
    }

    #[test]
    fn rounding_and_abs_keep_integers_and_round_goes_away_from_zero() {
        assert_eq!(of(MathFunction::Abs, &[Cell::Integer(-3)]), Cell::Integer(3));
        assert_eq!(of(MathFunction::Floor, &[Cell::Unsigned(3)]), Cell::Unsigned(3));
        assert_eq!(of(MathFunction::Round, &[Cell::Float(-2.5)]), Cell::Float(-3.0));
        assert_eq!(of(MathFunction::Round, &[Cell::Float(0.5)]), Cell::Float(1.0));
        assert_eq!(of(MathFunction::Ceil, &[Cell::Float(1.2)]), Cell::Float(2.0));
    }

    #[test]
    fn recorded_values_come_out() {
        near(of(MathFunction::Log, &[Cell::Integer(2), Cell::Integer(3)]), 0.630_929_753_571_457_5);
        near(of(MathFunction::Sqrt, &[Cell::Integer(192)]), 13.856_406_460_551_018);
        near(of(MathFunction::Pow, &[Cell::Integer(3), Cell::Integer(2)]), 9.0);
    }

    #[test]
    fn what_is_no_finite_number_is_null() {
        assert_eq!(of(MathFunction::Ln, &[Cell::Float(-5.0)]), Cell::Null);
        assert_eq!(of(MathFunction::Ln, &[Cell::Float(0.0)]), Cell::Null);
        assert_eq!(of(MathFunction::Exp, &[Cell::Float(1e4)]), Cell::Null);
        assert_eq!(of(MathFunction::Sqrt, &[Cell::String("4".to_owned())]), Cell::Null);
        assert_eq!(of(MathFunction::Abs, &[Cell::Boolean(true)]), Cell::Null);
        assert_eq!(of(MathFunction::Pow, &[Cell::Float(2.0), Cell::Null]), Cell::Null);
    }
}
