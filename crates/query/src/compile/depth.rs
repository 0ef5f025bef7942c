//! A bound on how deep an expression is, because everything that walks one goes down into it.

use influxql::ast::Expr;

use crate::QueryError;

/// Operators, functions and parentheses inside each other; a chain `a + a + ...` is as deep as it is long. AND and OR do not
/// count.
const LIMIT: usize = 256;

/// Refuses what is too deep.
pub(super) fn check(expr: &Expr) -> Result<(), QueryError> {
    let mut open = vec![(expr, 1)];
    while let Some((expr, depth)) = open.pop() {
        if depth > LIMIT {
            return Err(QueryError::invalid(format!(
                "expression too deep: at most {LIMIT} operators inside each other"
            )));
        }
        match expr {
            Expr::Binary { left, right, .. } => open.extend([(left.as_ref(), depth + 1), (right.as_ref(), depth + 1)]),
            Expr::Paren(inner) => open.push((inner, depth + 1)),
            Expr::Call { args, .. } => open.extend(args.iter().map(|arg| (arg, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}
