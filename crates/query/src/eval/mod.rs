//! Values of expressions, one row at a time, as InfluxDB reckons.
//!
//! [`bind`] turns an [`Expr`] into a [`Bound`] once, in which fields, tags and functions over points are column numbers; its
//! values are then computed row by row, without copying texts. Nothing fails in a row: what cannot be reckoned is null,
//! what cannot be compared is false. [`check_types`] says beforehand what can never be reckoned.
//! Not here: aggregates and transforms, which see more than one row.

mod binary;
mod math;
mod types;

use std::sync::Arc;

use model::FieldValue;
use regex::Regex;

use crate::QueryError;
use crate::plan::expr::{BinaryOp, Expr, MathFunction};
use crate::result::Cell;

pub use types::check_types;

/// An expression whose leaves are columns of a row.
#[derive(Debug, Clone)]
pub enum Bound {
    /// The value of a column.
    Column(usize),
    /// The same in each row; null for names that stand for nothing.
    Constant(Cell),
    /// A function of numbers.
    Math {
        /// Function.
        function: MathFunction,
        /// Its arguments.
        args: Vec<Bound>,
    },
    /// Two values become one.
    Binary {
        /// Operator, none for patterns.
        op: BinaryOp,
        /// Left operand.
        left: Box<Bound>,
        /// Right operand.
        right: Box<Bound>,
    },
    /// A text is compared with a pattern.
    Matches {
        /// The text.
        of: Box<Bound>,
        /// The pattern.
        pattern: Arc<Regex>,
        /// True for those it is not found in.
        negated: bool,
    },
}

/// A column of a row: `None` where it is null.
type Lookup<'r, 'a> = &'r dyn Fn(usize) -> Option<FieldValue<'a>>;

/// Binds `expr` to the columns of a row. `leaf` is asked for every reference, aggregate and transform and gives its column;
/// `None` is always null.
///
/// # Errors
/// [`QueryError::Invalid`] for a wildcard or a pattern where a value must stand.
pub fn bind(expr: &Expr, leaf: &mut dyn FnMut(&Expr) -> Option<usize>) -> Result<Bound, QueryError> {
    match expr {
        Expr::Reference(_) | Expr::Aggregate(_) | Expr::Transform(_) => {
            Ok(leaf(expr).map_or(Bound::Constant(Cell::Null), Bound::Column))
        }
        Expr::Literal(cell) => Ok(Bound::Constant(cell.clone())),
        Expr::Math { function, args } => {
            let args = args.iter().map(|arg| bind(arg, leaf)).collect::<Result<_, _>>()?;
            Ok(Bound::Math { function: *function, args })
        }
        Expr::Binary { op, left, right } => bind_binary(*op, left, right, leaf),
        Expr::All(_) | Expr::Like(_) => Err(QueryError::invalid("a wildcard cannot stand where a value is computed")),
        Expr::Pattern(_) => Err(QueryError::invalid("a regular expression can only stand right of =~ or !~")),
    }
}

fn bind_binary(
    op: BinaryOp,
    left: &Expr,
    right: &Expr,
    leaf: &mut dyn FnMut(&Expr) -> Option<usize>,
) -> Result<Bound, QueryError> {
    let left = Box::new(bind(left, leaf)?);
    match (op, right) {
        (BinaryOp::Matches | BinaryOp::NotMatches, Expr::Pattern(pattern)) => {
            Ok(Bound::Matches { of: left, pattern: Arc::clone(pattern), negated: op == BinaryOp::NotMatches })
        }
        (BinaryOp::Matches | BinaryOp::NotMatches, _) => {
            Err(QueryError::invalid("expected a regular expression right of =~ or !~"))
        }
        _ => Ok(Bound::Binary { op, left, right: Box::new(bind(right, leaf)?) }),
    }
}

impl Bound {
    /// Its value in a row of cells.
    pub fn eval<'a>(&'a self, row: &dyn Fn(usize) -> &'a Cell) -> Cell {
        self.value(&|column| value_of(row(column))).map_or(Cell::Null, Cell::from)
    }

    /// True when it is true in a row of cells: as a condition, null and everything but `true` is false.
    pub fn is_true<'a>(&'a self, row: &dyn Fn(usize) -> &'a Cell) -> bool {
        self.holds(&|column| value_of(row(column)))
    }

    /// Its value in a row of borrowed values; null is `None`.
    pub fn value<'a>(&'a self, row: Lookup<'_, 'a>) -> Option<FieldValue<'a>> {
        match self {
            Self::Column(column) => row(*column),
            Self::Constant(cell) => value_of(cell),
            Self::Math { function, args } => math::apply(*function, args, row),
            Self::Binary { op, left, right } => {
                let left = left.value(row);
                if *op == BinaryOp::And && left == Some(FieldValue::Boolean(false)) {
                    return left;
                }
                binary::apply(*op, left, right.value(row))
            }
            Self::Matches { of, pattern, negated } => match of.value(row)? {
                FieldValue::String(text) => Some(FieldValue::Boolean(pattern.is_match(text) != *negated)),
                _ => None,
            },
        }
    }

    /// True when it is true in a row of borrowed values.
    pub fn holds<'a>(&'a self, row: Lookup<'_, 'a>) -> bool {
        self.value(row) == Some(FieldValue::Boolean(true))
    }
}

/// The value of a cell, borrowed; `None` for null.
pub fn value_of(cell: &Cell) -> Option<FieldValue<'_>> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Float(v) => FieldValue::Float(*v),
        Cell::Integer(v) => FieldValue::Integer(*v),
        Cell::Unsigned(v) => FieldValue::Unsigned(*v),
        Cell::Boolean(v) => FieldValue::Boolean(*v),
        Cell::String(v) => FieldValue::String(v),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::expr::Reference;

    fn column(name: &str) -> Expr {
        Expr::Reference(Reference { name: name.to_owned(), cast: None })
    }

    fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
        Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
    }

    fn number(value: f64) -> Expr {
        Expr::Literal(Cell::Float(value))
    }

    /// Columns `a` and `b` of one row.
    fn bound(expr: &Expr) -> Bound {
        bind(expr, &mut |leaf| match leaf {
            Expr::Reference(reference) => ["a", "b"].iter().position(|name| *name == reference.name),
            _ => None,
        })
        .unwrap()
    }

    fn eval(expr: &Expr, row: &[Cell]) -> Cell {
        bound(expr).eval(&|column| &row[column])
    }

    #[test]
    fn names_become_columns_and_unknown_ones_null() {
        let row = [Cell::Float(2.0), Cell::Float(5.0)];
        let sum = binary(BinaryOp::Add, column("a"), binary(BinaryOp::Mul, column("b"), number(10.0)));
        assert_eq!(eval(&sum, &row), Cell::Float(52.0));
        assert_eq!(eval(&binary(BinaryOp::Add, column("a"), column("c")), &row), Cell::Null);
        assert_eq!(eval(&column("b"), &row), Cell::Float(5.0));
    }

    #[test]
    fn a_condition_holds_only_when_it_is_true() {
        let larger = binary(BinaryOp::Greater, column("a"), number(1.0));
        let both = binary(BinaryOp::And, larger.clone(), binary(BinaryOp::Less, column("b"), number(1.0)));
        let row = [Cell::Float(2.0), Cell::Null];
        assert!(bound(&larger).is_true(&|i| &row[i]));
        assert!(!bound(&both).is_true(&|i| &row[i]));
        let either = binary(BinaryOp::Or, both, larger);
        assert!(bound(&either).is_true(&|i| &row[i]));
        assert!(!bound(&column("a")).is_true(&|i| &row[i]));
    }

    #[test]
    fn patterns_match_texts_and_the_empty_text_of_a_missing_tag_but_no_null() {
        let like = |op| binary(op, column("a"), Expr::Pattern(Arc::new(Regex::new("^PCS|^$").unwrap())));
        let found = |op, cell: Cell| bound(&like(op)).is_true(&|_| &cell);
        assert!(found(BinaryOp::Matches, Cell::String("PCS1".to_owned())));
        assert!(found(BinaryOp::Matches, Cell::String(String::new())));
        assert!(found(BinaryOp::NotMatches, Cell::String("BMS".to_owned())));
        for op in [BinaryOp::Matches, BinaryOp::NotMatches] {
            assert!(!found(op, Cell::Null));
            assert!(!found(op, Cell::Float(1.0)));
        }
    }

    #[test]
    fn wildcards_and_stray_patterns_are_refused() {
        let pattern = || Expr::Pattern(Arc::new(Regex::new("x").unwrap()));
        let refused = |expr: Expr| bind(&expr, &mut |_| None).unwrap_err().to_string();
        assert!(refused(Expr::All(crate::plan::expr::Kinds::Both)).starts_with("a wildcard"));
        assert!(refused(binary(BinaryOp::Eq, column("a"), pattern())).starts_with("a regular expression"));
        assert!(refused(binary(BinaryOp::Matches, column("a"), column("b"))).starts_with("expected a regular"));
    }
}
