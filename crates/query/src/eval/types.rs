//! Types of expressions, and which can never be computed.
//!
//! An operator fits two types when it has a result for their zero values, so there is one set of rules only. A type that is not
//! known (an unknown name, a wildcard, a literal null) fits everything: which types there are depends on the data.

use model::{FieldType, FieldValue};

use super::{binary, math};
use crate::QueryError;
use crate::aggregate::Registry;
use crate::plan::expr::{AggregateCall, BinaryOp, Cast, Expr, MathFunction, Reference, Transform, TransformCall};
use crate::result::Cell;

/// The type of a reference; `None` where it is not known.
type TypeOf<'a> = &'a dyn Fn(&Reference) -> Option<FieldType>;

/// The type of `expr`, `None` where it is not known.
///
/// # Errors
/// [`QueryError::Invalid`], in InfluxDB's words, for operands and arguments of types that do not fit.
pub fn check_types(expr: &Expr, type_of: TypeOf<'_>) -> Result<Option<FieldType>, QueryError> {
    match expr {
        Expr::Reference(reference) => Ok(of_reference(reference, type_of)),
        Expr::Literal(cell) => Ok(of_cell(cell)),
        Expr::All(_) | Expr::Like(_) | Expr::Pattern(_) => Ok(None),
        Expr::Aggregate(call) => of_aggregate(call, type_of),
        Expr::Transform(call) => of_transform(call, type_of),
        Expr::Math { function, args } => of_math(*function, args, type_of),
        Expr::Binary { op, left, right } => of_binary(*op, left, right, type_of),
    }
}

fn of_reference(reference: &Reference, type_of: TypeOf<'_>) -> Option<FieldType> {
    match reference.cast {
        Some(Cast::Type(kind)) => Some(kind),
        _ => type_of(reference),
    }
}

fn of_cell(cell: &Cell) -> Option<FieldType> {
    super::value_of(cell).map(|value| value.field_type())
}

fn of_aggregate(call: &AggregateCall, type_of: TypeOf<'_>) -> Result<Option<FieldType>, QueryError> {
    let kind = check_types(&call.of, type_of)?;
    Ok(match call.function.as_str() {
        crate::pick::INTEGRAL => Some(FieldType::Float),
        // NOTE: what picks points (`top`, `distinct`, ...) is not registered, and keeps their type.
        name => kind.map(|kind| Registry::shared().get(name).map_or(kind, |function| function.result_type(kind))),
    })
}

fn of_transform(call: &TransformCall, type_of: TypeOf<'_>) -> Result<Option<FieldType>, QueryError> {
    let kind = check_types(&call.of, type_of)?;
    Ok(match call.transform {
        Transform::Difference { .. } | Transform::CumulativeSum => kind,
        Transform::Elapsed { .. } => Some(FieldType::Integer),
        Transform::Derivative { .. } | Transform::MovingAverage { .. } | Transform::HoltWinters { .. } => {
            Some(FieldType::Float)
        }
    })
}

fn of_math(function: MathFunction, args: &[Expr], type_of: TypeOf<'_>) -> Result<Option<FieldType>, QueryError> {
    let mut kinds = Vec::with_capacity(args.len());
    for arg in args {
        kinds.push(check_types(arg, type_of)?);
    }
    for (kind, place) in kinds.iter().zip(["first", "second"]) {
        if let Some(kind @ (FieldType::Boolean | FieldType::String)) = kind {
            let name = format!("{function:?}").to_lowercase();
            return Err(QueryError::invalid(format!(
                "invalid argument type for the {place} argument in {name}(): {kind}"
            )));
        }
    }
    let first = kinds.into_iter().next().flatten();
    Ok(if math::keeps_type(function) { first } else { Some(FieldType::Float) })
}

fn of_binary(op: BinaryOp, left: &Expr, right: &Expr, type_of: TypeOf<'_>) -> Result<Option<FieldType>, QueryError> {
    let (left, right) = (check_types(left, type_of)?, check_types(right, type_of)?);
    if matches!(op, BinaryOp::Matches | BinaryOp::NotMatches) {
        return Ok(Some(FieldType::Boolean));
    }
    let (Some(left), Some(right)) = (left, right) else { return Ok(of_half(op, left.or(right))) };
    match binary::apply(op, Some(zero(left)), Some(zero(right))) {
        Some(value) => Ok(Some(value.field_type())),
        None => Err(QueryError::invalid(format!("incompatible types: {left} and {right}"))),
    }
}

/// Type of an operation with one operand of a known type at most.
fn of_half(op: BinaryOp, known: Option<FieldType>) -> Option<FieldType> {
    let like_itself = known.and_then(|kind| binary::apply(op, Some(zero(kind)), Some(zero(kind))));
    like_itself.map(|value| value.field_type()).or(known)
}

fn zero(kind: FieldType) -> FieldValue<'static> {
    match kind {
        FieldType::Float => FieldValue::Float(0.0),
        FieldType::Integer => FieldValue::Integer(0),
        FieldType::Unsigned => FieldValue::Unsigned(0),
        FieldType::Boolean => FieldValue::Boolean(false),
        FieldType::String => FieldValue::String(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Box<Expr> {
        Box::new(Expr::Reference(Reference { name: name.to_owned(), cast: None }))
    }

    fn binary(left: &str, op: BinaryOp, right: &str) -> Expr {
        Expr::Binary { op, left: column(left), right: column(right) }
    }

    /// Columns have the type whose initial they begin with.
    fn check(expr: &Expr) -> Result<Option<FieldType>, String> {
        let type_of = |reference: &Reference| match reference.name.chars().next() {
            Some('f') => Some(FieldType::Float),
            Some('i') => Some(FieldType::Integer),
            Some('b') => Some(FieldType::Boolean),
            Some('s') => Some(FieldType::String),
            _ => None,
        };
        check_types(expr, &type_of).map_err(|error| error.to_string())
    }

    #[test]
    fn operands_that_do_not_fit_are_named() {
        let refused = |left, op, right| check(&binary(left, op, right)).unwrap_err();
        assert_eq!(refused("s", BinaryOp::Add, "s"), "incompatible types: string and string");
        assert_eq!(refused("s", BinaryOp::Mul, "f"), "incompatible types: string and float");
        assert_eq!(refused("b", BinaryOp::Add, "b"), "incompatible types: boolean and boolean");
        assert_eq!(refused("f", BinaryOp::BitAnd, "f"), "incompatible types: float and float");
    }

    #[test]
    fn what_fits_has_a_type() {
        assert_eq!(check(&binary("i", BinaryOp::Add, "i")), Ok(Some(FieldType::Integer)));
        assert_eq!(check(&binary("i", BinaryOp::Div, "i")), Ok(Some(FieldType::Float)));
        assert_eq!(check(&binary("i", BinaryOp::Mul, "f")), Ok(Some(FieldType::Float)));
        assert_eq!(check(&binary("s", BinaryOp::Less, "f")), Ok(Some(FieldType::Boolean)));
        assert_eq!(check(&binary("b", BinaryOp::BitXor, "b")), Ok(Some(FieldType::Boolean)));
    }

    #[test]
    fn unknown_types_never_fail() {
        assert_eq!(check(&binary("unknown", BinaryOp::Add, "s")), Ok(Some(FieldType::String)));
        assert_eq!(check(&binary("unknown", BinaryOp::Div, "i")), Ok(Some(FieldType::Float)));
        assert_eq!(check(&binary("unknown", BinaryOp::Add, "unknown")), Ok(None));
    }

    #[test]
    fn functions_of_numbers_refuse_texts() {
        let math = |function, name| check(&Expr::Math { function, args: vec![*column(name)] });
        let refused = "invalid argument type for the first argument in sin(): string".to_owned();
        assert_eq!(math(MathFunction::Sin, "s"), Err(refused));
        assert_eq!(math(MathFunction::Round, "i"), Ok(Some(FieldType::Integer)));
        assert_eq!(math(MathFunction::Sqrt, "i"), Ok(Some(FieldType::Float)));
    }

    #[test]
    fn functions_over_points_have_their_own_types() {
        let aggregate = |function: &str| {
            Expr::Aggregate(AggregateCall {
                function: function.to_owned(),
                label: function.to_owned(),
                of: column("i"),
                keys: Vec::new(),
                arguments: Vec::new(),
            })
        };
        assert_eq!(check(&aggregate("mean")), Ok(Some(FieldType::Float)));
        assert_eq!(check(&aggregate("max")), Ok(Some(FieldType::Integer)));
        assert_eq!(check(&aggregate("top")), Ok(Some(FieldType::Integer)));
        assert_eq!(check(&aggregate(crate::pick::INTEGRAL)), Ok(Some(FieldType::Float)));
        let elapsed = TransformCall { transform: Transform::Elapsed { unit_ns: 1 }, of: column("f") };
        assert_eq!(check(&Expr::Transform(elapsed)), Ok(Some(FieldType::Integer)));
    }
}
