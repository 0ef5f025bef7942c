//! Wildcards and patterns become the fields and tags there are, as InfluxDB's RewriteFields does it.

use model::FieldType;

use super::names::name_of;
use crate::QueryError;
use crate::plan::expr::{AggregateCall, Cast, Expr, Kinds, Reference, TransformCall};
use crate::plan::{Column, Dimension, Select};

const NUMBERS: &[FieldType] = &[FieldType::Float, FieldType::Integer, FieldType::Unsigned];
const SIGNED_NUMBERS: &[FieldType] = &[FieldType::Float, FieldType::Integer];
const NUMBERS_AND_BOOLEANS: &[FieldType] =
    &[FieldType::Float, FieldType::Integer, FieldType::Unsigned, FieldType::Boolean];

/// The query with wildcards and patterns in columns and GROUP BY replaced by names, in alphabetical order. `fields` and `tags`
/// are what all its sources together have; of several types of one field the one that is to be read. Subqueries are left as they
/// are. There may be no column left.
///
/// # Errors
/// [`QueryError::Invalid`] for a wildcard of tags inside a function.
pub fn expand(select: &Select, fields: &[(String, FieldType)], tags: &[String]) -> Result<Select, QueryError> {
    let has_open_dimension = select.group_by.iter().any(|dimension| !matches!(dimension, Dimension::Tag(_)));
    let schema = Schema::new(select, fields, tags, has_open_dimension);
    let columns: Vec<Vec<Column>> =
        select.columns.iter().map(|column| schema.expand_column(column)).collect::<Result<_, _>>()?;
    Ok(Select {
        columns: columns.into_iter().flatten().collect(),
        group_by: expand_dimensions(&select.group_by, tags),
        ..select.clone()
    })
}

/// Name of the column of one field where a function named `label` was given a wildcard: `mean_value`.
pub fn expanded_name(label: &str, field: &str) -> String {
    format!("{label}_{field}")
}

/// A name that a wildcard may stand for.
struct Member<'a> {
    name: &'a str,
    /// `None`: a tag.
    kind: Option<FieldType>,
}

impl Member<'_> {
    fn reference(&self) -> Expr {
        let cast = if self.kind.is_some() { Cast::Field } else { Cast::Tag };
        Expr::Reference(Reference { name: self.name.to_owned(), cast: Some(cast) })
    }
}

struct Schema<'a> {
    members: Vec<Member<'a>>,
}

impl<'a> Schema<'a> {
    /// Tags count where there are fields, and only those that are not grouped by; none where GROUP BY has a wildcard.
    fn new(select: &Select, fields: &'a [(String, FieldType)], tags: &'a [String], has_open_dimension: bool) -> Self {
        let mut members: Vec<Member> = fields.iter().map(|(name, kind)| Member { name, kind: Some(*kind) }).collect();
        if !fields.is_empty() && !has_open_dimension {
            let is_grouped = |tag: &String| select.group_by.iter().any(|d| matches!(d, Dimension::Tag(t) if t == tag));
            members.extend(tags.iter().filter(|tag| !is_grouped(tag)).map(|name| Member { name, kind: None }));
        }
        // The field comes before the tag of the same name.
        members.sort_by_key(|member| (member.name, member.kind.is_none()));
        Self { members }
    }

    fn expand_column(&self, column: &Column) -> Result<Vec<Column>, QueryError> {
        match &column.expr {
            open @ (Expr::All(_) | Expr::Like(_)) => Ok(self
                .members
                .iter()
                .filter(|member| fits(open, member))
                .map(|member| Column { expr: member.reference(), alias: None })
                .collect()),
            expr => match innermost(expr) {
                Some(inner) => self.expand_function(column, &inner),
                None => Ok(vec![column.clone()]),
            },
        }
    }

    fn expand_function(&self, column: &Column, inner: &Inner) -> Result<Vec<Column>, QueryError> {
        if matches!(inner.open, Expr::All(Kinds::Tags)) {
            return Err(QueryError::invalid(format!("unable to use tag wildcard in {}()", inner.function)));
        }
        let kinds = kinds_of(inner.function);
        let is_wanted = |member: &&Member| fits(inner.open, member) && member.kind.is_some_and(|k| kinds.contains(&k));
        let columns = self.members.iter().filter(is_wanted).map(|member| Column {
            expr: with_member(&column.expr, member),
            alias: Some(expanded_name(&name_of(column), member.name)),
        });
        Ok(columns.collect())
    }
}

fn fits(open: &Expr, member: &Member) -> bool {
    match open {
        Expr::All(Kinds::Both) => true,
        Expr::All(Kinds::Fields) => member.kind.is_some(),
        Expr::All(Kinds::Tags) => member.kind.is_none(),
        Expr::Like(pattern) => pattern.is_match(member.name),
        _ => false,
    }
}

/// The innermost function of a column, where it is given a wildcard or a pattern.
struct Inner<'a> {
    function: &'a str,
    open: &'a Expr,
}

fn innermost(expr: &Expr) -> Option<Inner<'_>> {
    let (function, of) = match expr {
        Expr::Aggregate(call) => (call.label.as_str(), call.of.as_ref()),
        Expr::Transform(call) => (call.transform.name(), call.of.as_ref()),
        Expr::Math { function, args } => (super::math::name(*function), args.first()?),
        _ => return None,
    };
    match of {
        open @ (Expr::All(_) | Expr::Like(_)) => Some(Inner { function, open }),
        other => innermost(other),
    }
}

/// The same column with a name in the place of the wildcard.
fn with_member(expr: &Expr, member: &Member) -> Expr {
    match expr {
        Expr::All(_) | Expr::Like(_) => member.reference(),
        Expr::Aggregate(call) => {
            Expr::Aggregate(AggregateCall { of: Box::new(with_member(&call.of, member)), ..call.clone() })
        }
        Expr::Transform(call) => {
            Expr::Transform(TransformCall { of: Box::new(with_member(&call.of, member)), ..call.clone() })
        }
        Expr::Math { function, args } => {
            Expr::Math { function: *function, args: args.iter().map(|arg| with_member(arg, member)).collect() }
        }
        other => other.clone(),
    }
}

/// Types of the fields that a wildcard inside a function stands for.
fn kinds_of(function: &str) -> &'static [FieldType] {
    match function {
        "count" | "first" | "last" | "distinct" | "elapsed" | "mode" | "sample" => &FieldType::ALL,
        "min" | "max" => NUMBERS_AND_BOOLEANS,
        "holt_winters" | "holt_winters_with_fit" => SIGNED_NUMBERS,
        _ => NUMBERS,
    }
}

fn expand_dimensions(dimensions: &[Dimension], tags: &[String]) -> Vec<Dimension> {
    let mut sorted: Vec<&String> = tags.iter().collect();
    sorted.sort();
    let names_of = |dimension: &Dimension| -> Vec<String> {
        match dimension {
            Dimension::Tag(name) => vec![name.clone()],
            Dimension::All => sorted.iter().map(|&tag| tag.clone()).collect(),
            Dimension::Like(pattern) => {
                sorted.iter().filter(|tag| pattern.is_match(tag)).map(|&tag| tag.clone()).collect()
            }
        }
    };
    let mut names: Vec<String> = Vec::new();
    for name in dimensions.iter().flat_map(names_of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(Dimension::Tag).collect()
}

#[cfg(test)]
mod tests {
    use super::super::column_names;
    use super::super::sample::*;
    use super::*;
    use influxql::ast::{self, WildcardKind};

    fn fields() -> Vec<(String, FieldType)> {
        let kinds =
            [("v", FieldType::Float), ("b", FieldType::Boolean), ("n", FieldType::Integer), ("h", FieldType::String)];
        kinds.map(|(name, kind)| (name.to_owned(), kind)).to_vec()
    }

    fn tags() -> Vec<String> {
        ["z", "h", "a"].map(str::to_owned).to_vec()
    }

    fn expanded(query: &ast::Select) -> Select {
        expand(&plan(query), &fields(), &tags()).unwrap()
    }

    fn names(query: &ast::Select) -> Vec<String> {
        column_names("time", &expanded(query).columns, false).split_off(1)
    }

    fn star() -> ast::Expr {
        ast::Expr::Wildcard(None)
    }

    fn like(pattern: &str) -> ast::Expr {
        ast::Expr::Regex(pattern.to_owned())
    }

    #[test]
    fn a_wildcard_is_all_fields_and_tags_in_one_list() {
        assert_eq!(names(&select([star()])), ["a", "b", "h", "h_1", "n", "v", "z"]);
        assert_eq!(names(&select([ast::Expr::Wildcard(Some(WildcardKind::Field))])), ["b", "h", "n", "v"]);
        assert_eq!(names(&select([ast::Expr::Wildcard(Some(WildcardKind::Tag))])), ["a", "h", "z"]);
        assert_eq!(names(&select([like("^[hz]")])), ["h", "h_1", "z"]);
        assert_eq!(names(&select([like("nothing")])), [""; 0]);
    }

    #[test]
    fn the_field_comes_before_the_tag_of_its_name() {
        let casts: Vec<_> = expanded(&select([like("^h$")]))
            .columns
            .into_iter()
            .map(|column| match column.expr {
                Expr::Reference(reference) => reference.cast,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(casts, [Some(Cast::Field), Some(Cast::Tag)]);
    }

    #[test]
    fn tags_that_are_grouped_by_are_no_columns() {
        let by = |dimension| ast::Select { dimensions: vec![dimension], ..select([star()]) };
        assert_eq!(names(&by(name("a"))), ["b", "h", "h_1", "n", "v", "z"]);
        assert_eq!(names(&by(star())), ["b", "h", "n", "v"]);
        assert_eq!(names(&by(like("z"))), ["b", "h", "n", "v"]);
    }

    #[test]
    fn functions_take_the_fields_of_fitting_types() {
        let of_all = |function: &str| names(&select([call(function, [star()])]));
        assert_eq!(of_all("mean"), ["mean_n", "mean_v"]);
        assert_eq!(of_all("max"), ["max_b", "max_n", "max_v"]);
        assert_eq!(of_all("count"), ["count_b", "count_h", "count_n", "count_v"]);
        assert_eq!(of_all("abs"), ["abs_n", "abs_v"]);
        let nested = by_minute([call("derivative", [call("last", [star()])])]);
        assert_eq!(names(&nested), ["derivative_b", "derivative_h", "derivative_n", "derivative_v"]);
        assert_eq!(names(&select([call("mean", [like("^v")])])), ["mean_v"]);
    }

    #[test]
    fn an_alias_stands_for_the_function() {
        let mut query = select([call("mean", [star()])]);
        query.fields.iter_mut().for_each(|field| field.alias = Some("average".to_owned()));
        assert_eq!(names(&query), ["average_n", "average_v"]);
    }

    #[test]
    fn dimensions_become_tags() {
        let by = |dimensions: Vec<ast::Expr>| {
            let query = ast::Select { dimensions, ..select([of_v("mean")]) };
            let tag = |dimension: Dimension| match dimension {
                Dimension::Tag(tag) => tag,
                other => panic!("{other:?}"),
            };
            expanded(&query).group_by.into_iter().map(tag).collect::<Vec<_>>()
        };
        assert_eq!(by(vec![name("z"), star()]), ["z", "a", "h"]);
        assert_eq!(by(vec![like("^[ah]")]), ["a", "h"]);
    }
}
