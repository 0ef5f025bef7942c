//! Names of columns: an alias is kept, everything else is named after what it is computed of, and moves aside where a name is
//! taken.

use std::collections::HashMap;

use super::math;
use crate::plan::Column;
use crate::plan::expr::Expr;

/// Names of all columns, that of the time first. The tags of `top` and `bottom` have columns of their own behind them, unless
/// the result is written (`into`).
pub fn column_names(time_name: &str, columns: &[Column], into: bool) -> Vec<String> {
    let wanted: Vec<Wanted> = columns.iter().flat_map(|column| wanted(column, into)).collect();
    let mut taken = Taken::default();
    for alias in wanted.iter().filter_map(|wanted| wanted.alias) {
        taken.counts.insert(alias.to_owned(), 1);
    }
    let named = wanted.into_iter().map(|wanted| match wanted.alias {
        Some(alias) => alias.to_owned(),
        None => taken.claim(wanted.name),
    });
    std::iter::once(time_name.to_owned()).chain(named).collect()
}

/// The name of a column, were it the only one.
pub(super) fn name_of(column: &Column) -> String {
    alias_of(column).map_or_else(|| name_of_expr(&column.expr), str::to_owned)
}

/// A name that is asked for: for good, or as long as it is free.
struct Wanted<'a> {
    alias: Option<&'a str>,
    name: String,
}

fn wanted(column: &Column, into: bool) -> Vec<Wanted<'_>> {
    let mut wanted = vec![Wanted { alias: alias_of(column), name: name_of_expr(&column.expr) }];
    if let Expr::Aggregate(call) = &column.expr
        && !into
    {
        wanted.extend(call.keys.iter().map(|key| Wanted { alias: None, name: key.name.clone() }));
    }
    wanted
}

fn alias_of(column: &Column) -> Option<&str> {
    column.alias.as_deref().filter(|alias| !alias.is_empty())
}

fn name_of_expr(expr: &Expr) -> String {
    let mut names = Vec::new();
    collect(expr, &mut names);
    names.join("_")
}

/// Names in an expression, from left to right; those inside functions do not count.
fn collect<'a>(expr: &'a Expr, names: &mut Vec<&'a str>) {
    match expr {
        Expr::Reference(reference) => names.push(&reference.name),
        Expr::Aggregate(call) => names.push(&call.label),
        Expr::Transform(call) => names.push(call.transform.name()),
        Expr::Math { function, .. } => names.push(math::name(*function)),
        Expr::Binary { left, right, .. } => {
            collect(left, names);
            collect(right, names);
        }
        Expr::All(_) | Expr::Like(_) | Expr::Literal(_) | Expr::Pattern(_) => {}
    }
}

/// Names in use, with the number that the next of the same name gets.
#[derive(Default)]
struct Taken {
    counts: HashMap<String, usize>,
}

impl Taken {
    fn claim(&mut self, name: String) -> String {
        let Some(mut count) = self.counts.get(&name).copied() else {
            self.counts.insert(name.clone(), 1);
            return name;
        };
        let mut free = format!("{name}_{count}");
        while self.counts.contains_key(&free) {
            count += 1;
            free = format!("{name}_{count}");
        }
        self.counts.insert(name, count + 1);
        self.counts.insert(free.clone(), 1);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::*;
    use super::*;
    use influxql::ast::BinaryOp::{Mul, Sub};
    use influxql::ast::{Expr, Select};

    fn names(query: &Select) -> Vec<String> {
        let plan = plan(query);
        column_names(&plan.time_name, &plan.columns, false)
    }

    fn aliased(fields: impl IntoIterator<Item = (Expr, &'static str)>) -> Select {
        let mut query = select([]);
        for (expr, alias) in fields {
            let alias = Some(alias.to_owned()).filter(|alias| !alias.is_empty());
            query.fields.push(influxql::ast::Field { expr, alias });
        }
        query
    }

    #[test]
    fn expressions_are_named_after_what_is_in_them() {
        let math = binary(of_v("max"), Sub, of_v("min"));
        let query = select([math.clone(), binary(of_v("mean"), Mul, Expr::Integer(2)), call("abs", [paren(math)])]);
        assert_eq!(names(&query), ["time", "max_min", "mean", "abs"]);
        assert_eq!(names(&select([binary(name("v"), Mul, name("raw"))])), ["time", "v_raw"]);
        assert_eq!(names(&select([call("count", [of_v("distinct")])])), ["time", "count"]);
        assert_eq!(names(&by_minute([call("derivative", [of_v("mean")])])), ["time", "derivative"]);
    }

    #[test]
    fn repeated_names_are_counted() {
        assert_eq!(names(&select([name("v"), name("v"), name("v")])), ["time", "v", "v_1", "v_2"]);
        assert_eq!(names(&select([name("v"), name("v"), name("v_1")])), ["time", "v", "v_1", "v_1_1"]);
    }

    #[test]
    fn aliases_stay_and_other_names_move_aside() {
        let query = aliased([(of_v("mean"), ""), (of_v("max"), "mean"), (of_v("min"), "mean")]);
        assert_eq!(names(&query), ["time", "mean_1", "mean", "mean"]);
    }

    #[test]
    fn keys_of_top_have_columns_unless_the_result_is_written() {
        let query = select([call("top", [name("v"), name("h"), Expr::Integer(2)]), name("h")]);
        let plan = plan(&query);
        assert_eq!(names(&query), ["time", "top", "h", "h_1"]);
        assert_eq!(column_names("time", &plan.columns, true), ["time", "top", "h"]);
    }
}
