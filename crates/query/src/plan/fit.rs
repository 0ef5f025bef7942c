//! Leaves out of a plan what the types of its fields do not have.

use model::FieldType;

use super::expr::{Expr, Reference};
use super::{Column, Select};
use crate::aggregate::Registry;

impl Select {
    /// Leaves out columns that a field's type does not have, such as the smallest of texts. The first column of each field is
    /// what was asked for by name and stays, so that it is refused with a reason.
    pub fn fit_to_types(&mut self, kind_of: &dyn Fn(&str) -> Option<FieldType>) {
        let mut seen: Vec<Reference> = Vec::new();
        self.columns.retain(|column| {
            let Some((function, field)) = aggregate_of(column) else { return true };
            if !seen.contains(field) {
                seen.push(field.clone());
                return true;
            }
            let function = Registry::shared().get(function);
            kind_of(&field.name).is_none_or(|kind| function.is_ok_and(|f| f.accepts(kind)))
        });
    }
}

/// Function and field of a column that is an aggregate of one field.
fn aggregate_of(column: &Column) -> Option<(&str, &Reference)> {
    let Expr::Aggregate(call) = &column.expr else { return None };
    let Expr::Reference(field) = &*call.of else { return None };
    Some((&call.function, field))
}
