//! Functions of the values of one row, by name.

use crate::QueryError;
use crate::plan::expr::MathFunction;

const FUNCTIONS: [(&str, MathFunction); 18] = [
    ("abs", MathFunction::Abs),
    ("sin", MathFunction::Sin),
    ("cos", MathFunction::Cos),
    ("tan", MathFunction::Tan),
    ("asin", MathFunction::Asin),
    ("acos", MathFunction::Acos),
    ("atan", MathFunction::Atan),
    ("atan2", MathFunction::Atan2),
    ("exp", MathFunction::Exp),
    ("ln", MathFunction::Ln),
    ("log", MathFunction::Log),
    ("log2", MathFunction::Log2),
    ("log10", MathFunction::Log10),
    ("sqrt", MathFunction::Sqrt),
    ("pow", MathFunction::Pow),
    ("floor", MathFunction::Floor),
    ("ceil", MathFunction::Ceil),
    ("round", MathFunction::Round),
];

/// The function of this name.
pub(super) fn function(name: &str) -> Option<MathFunction> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|&(_, function)| function)
}

/// Its name.
pub(super) fn name(function: MathFunction) -> &'static str {
    FUNCTIONS.iter().find(|(_, known)| *known == function).map_or("", |&(name, _)| name)
}

/// How many arguments it takes.
pub(super) fn arity(function: MathFunction) -> usize {
    match function {
        MathFunction::Atan2 | MathFunction::Pow | MathFunction::Log => 2,
        _ => 1,
    }
}

/// A function was given more or fewer arguments than it takes.
pub(super) fn wrong_arity(name: &str, expected: usize, got: usize) -> QueryError {
    QueryError::invalid(format!("invalid number of arguments for {name}, expected {expected}, got {got}"))
}

/// Whether a function was given as many arguments as it takes.
pub(super) fn check_arity(name: &str, expected: usize, got: usize) -> Result<(), QueryError> {
    if got == expected { Ok(()) } else { Err(wrong_arity(name, expected, got)) }
}
