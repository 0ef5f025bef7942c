//! Conditions on fields that PostgreSQL checks: comparisons of a field with a constant of a fitting type, joined by AND and OR. There
//! SQL and hissrv decide alike, also about values that are missing. Whatever else a filter says is left to hissrv's execution.

use model::FieldType;
use query::Cell;
use query::plan::expr::{BinaryOp, Cast, Expr, Reference};

use super::stream::Parameter;
use crate::postgres::schema::{NamedField, Names};

/// A condition in SQL.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Condition {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Value(Value),
}

/// A constant with its type.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Float(f64),
    Integer(i64),
    Boolean(bool),
    Text(String),
}

impl Condition {
    /// The condition behind others, and its values; `first` is the number of the first of them.
    pub(super) fn render(&self, first: usize) -> (String, Vec<Parameter>) {
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut sql = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => sql += text,
                Part::Value(value) => {
                    sql += &format!("${}::{}", first + parameters.len(), value.sql_type());
                    parameters.push(value.parameter());
                }
            }
        }
        let sql = if sql.is_empty() { sql } else { format!(" AND {sql}") };
        (sql, parameters)
    }
}

impl Value {
    const fn sql_type(&self) -> &'static str {
        match self {
            Self::Float(_) => "float8",
            Self::Integer(_) => "int8",
            Self::Boolean(_) => "bool",
            Self::Text(_) => "text",
        }
    }

    fn parameter(&self) -> Parameter {
        match self {
            Self::Float(v) => Box::new(*v),
            Self::Integer(v) => Box::new(*v),
            Self::Boolean(v) => Box::new(*v),
            Self::Text(v) => Box::new(v.clone()),
        }
    }
}

/// Takes the conditions that SQL can say out of a filter, all parts of which must hold; what is left of the filter stays.
pub(super) fn split(filter: Option<Expr>, names: &Names) -> (Condition, Option<Expr>) {
    let mut condition = Condition::default();
    let rest = filter.and_then(|filter| take(filter, names, &mut condition));
    (condition, rest)
}

fn take(filter: Expr, names: &Names, condition: &mut Condition) -> Option<Expr> {
    if let Some(parts) = said(&filter, names) {
        if !condition.parts.is_empty() {
            condition.parts.push(Part::Text(" AND ".to_owned()));
        }
        condition.parts.extend(parts);
        return None;
    }
    let Expr::Binary { op: BinaryOp::And, left, right } = filter else { return Some(filter) };
    match (take(*left, names, condition), take(*right, names, condition)) {
        (Some(left), Some(right)) => {
            Some(Expr::Binary { op: BinaryOp::And, left: Box::new(left), right: Box::new(right) })
        }
        (left, right) => left.or(right),
    }
}

/// Whether a filter looks at values of points, so that it cannot be decided series by series.
pub(super) fn reads_field(filter: &Expr, names: &Names) -> bool {
    match filter {
        Expr::Reference(reference) => {
            reference.cast != Some(Cast::Tag) && names.fields.iter().any(|field| field.name == reference.name)
        }
        Expr::Math { args, .. } => args.iter().any(|arg| reads_field(arg, names)),
        Expr::Binary { left, right, .. } => reads_field(left, names) || reads_field(right, names),
        Expr::Literal(_) | Expr::Pattern(_) => false,
        _ => true,
    }
}

/// The expression in SQL, where it says the same.
fn said(expr: &Expr, names: &Names) -> Option<Vec<Part>> {
    let Expr::Binary { op, left, right } = expr else { return None };
    let word = match op {
        BinaryOp::And => " AND ",
        BinaryOp::Or => " OR ",
        _ => return compared(*op, left, right, names).or_else(|| compared(mirrored(*op)?, right, left, names)),
    };
    let mut parts = vec![Part::Text("(".to_owned())];
    parts.extend(said(left, names)?);
    parts.push(Part::Text(word.to_owned()));
    parts.extend(said(right, names)?);
    parts.push(Part::Text(")".to_owned()));
    Some(parts)
}

/// The operator with its operands exchanged.
const fn mirrored(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Eq | BinaryOp::NotEq => op,
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEq => BinaryOp::GreaterEq,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEq => BinaryOp::LessEq,
        _ => return None,
    })
}

/// `field op constant`
fn compared(op: BinaryOp, field: &Expr, constant: &Expr, names: &Names) -> Option<Vec<Part>> {
    let (Expr::Reference(reference), Expr::Literal(constant)) = (field, constant) else { return None };
    let field = known(reference, names)?;
    let column = field.field.column.to_string();
    let (of, value) = match (field.field.kind, constant) {
        (FieldType::Float, Cell::Float(v)) => (column, Value::Float(*v)),
        (FieldType::Float, Cell::Integer(v)) => (column, Value::Float(*v as f64)),
        (FieldType::Integer | FieldType::Unsigned, Cell::Integer(v)) => (column, Value::Integer(*v)),
        (FieldType::Integer | FieldType::Unsigned, Cell::Float(v)) => (format!("{column}::float8"), Value::Float(*v)),
        (FieldType::Boolean, Cell::Boolean(v)) if is_equality(op) => (column, Value::Boolean(*v)),
        (FieldType::String, Cell::String(v)) if is_equality(op) && !v.contains('\0') => {
            (column, Value::Text(v.clone()))
        }
        _ => return None,
    };
    let word = match op {
        BinaryOp::Eq => "=",
        BinaryOp::NotEq => "<>",
        BinaryOp::Less => "<",
        BinaryOp::LessEq => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEq => ">=",
        _ => return None,
    };
    // PostgreSQL has an order of its own for NaN.
    if matches!(value, Value::Float(v) if v.is_nan()) {
        return None;
    }
    Some(vec![Part::Text(format!("{of} {word} ")), Part::Value(value)])
}

const fn is_equality(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Eq | BinaryOp::NotEq)
}

/// The field that a name means.
fn known<'n>(reference: &Reference, names: &'n Names) -> Option<&'n NamedField> {
    let is_field = matches!(reference.cast, None | Some(Cast::Field));
    names.fields.iter().find(|field| is_field && field.name == reference.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::known::Field;
    use crate::postgres::names::Ident;

    fn names() -> Names {
        let field = |(name, kind): (&str, FieldType)| NamedField {
            name: name.to_owned(),
            field: Field { column: Ident::column(name), kind },
            shown: None,
        };
        let fields = [
            ("f", FieldType::Float),
            ("i", FieldType::Integer),
            ("on", FieldType::Boolean),
            ("a\"b", FieldType::String),
        ];
        Names { fields: fields.map(field).to_vec(), ..Names::default() }
    }

    /// The filter of a query.
    fn filter(text: &str) -> Option<Expr> {
        let query = format!("SELECT f FROM m WHERE {text}");
        let parsed = influxql::parse(&query, &influxql::Params::default(), &influxql::Limits::default()).unwrap();
        let [influxql::ast::Statement::Select(select)] = parsed.as_slice() else { panic!("{query}") };
        let context = query::compile::Context {
            now: model::TimestampNs(0),
            database: Some("d".to_owned()),
            policy: None,
            dialect: query::compile::Dialect::Extended,
            into: false,
        };
        query::compile::compile(select, &context).unwrap().filter
    }

    fn sql(text: &str) -> (String, usize, bool) {
        let (condition, rest) = split(filter(text), &names());
        let (sql, parameters) = condition.render(4);
        (sql, parameters.len(), rest.is_some())
    }

    #[test]
    fn comparisons_of_fields_with_constants_are_said_in_sql() {
        assert_eq!(sql("f > 1"), (" AND \"f\" > $4::float8".to_owned(), 1, false));
        assert_eq!(sql("3 <= i AND i != 5"), (" AND (\"i\" >= $4::int8 AND \"i\" <> $5::int8)".to_owned(), 2, false));
        assert_eq!(sql("i < 1.5"), (" AND \"i\"::float8 < $4::float8".to_owned(), 1, false));
        let or = " AND (\"on\" = $4::bool OR \"a\"\"b\" <> $5::text)".to_owned();
        assert_eq!(sql("\"on\" = true OR \"a\\\"b\" != 'x'"), (or, 2, false));
    }

    #[test]
    fn what_sql_would_decide_otherwise_is_left() {
        for text in ["a = 'x'", "f = 'x'", "\"on\" > 1", "i * 2 > 5", "f > i", "\"a\\\"b\" =~ /x/", "f > 1 OR a = 'x'"]
        {
            assert_eq!(sql(text), (String::new(), 0, true), "{text}");
        }
        let (said, count, is_left) = sql("f > 1 AND a = 'x' AND i = 2");
        assert_eq!((said.as_str(), count, is_left), (" AND \"f\" > $4::float8 AND \"i\" = $5::int8", 2, true));
    }
}
