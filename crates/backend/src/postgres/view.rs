//! Views for people: time, tags and fields of a measurement side by side. hissrv does not read them. New columns come last, since
//! PostgreSQL lets a view only grow at its end.

use postgres::Client;

use super::error::Failure;
use super::names::{Ident, Relation, TIME};
use super::schema::{Names, lock};

/// Shows fields and tags that the view does not show yet. A view that cannot be changed does not hold up a write.
pub(super) fn refresh(client: &mut Client, schema: &Ident, measurement: &str) {
    if let Err(failure) = try_refresh(client, schema, measurement) {
        let (view, error) = (Relation::new(schema, Ident::view(measurement)), failure.into_write_error(""));
        tracing::warn!(%view, %error, "a view in PostgreSQL does not show all columns; it is tried again with the next new one");
    }
}

fn try_refresh(client: &mut Client, schema: &Ident, measurement: &str) -> Result<(), Failure> {
    let mut transaction = client.transaction()?;
    lock(&mut transaction, schema, measurement)?;
    let names = Names::read(&mut transaction, schema, measurement)?;
    let view = Relation::new(schema, Ident::view(measurement));
    let there = transaction.query(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 ORDER BY attnum",
        &[&view.to_string()],
    )?;
    let there = there.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    let columns = Columns::new(&names, there);
    transaction.batch_execute(&columns.sql(&view, &names))?;
    let save =
        format!("UPDATE {} SET shown = $1 WHERE measurement = $2 AND kind = $3 AND name = $4", Relation::names(schema));
    for column in columns.0.iter().filter(|column| column.is_new) {
        transaction.execute(&save, &[&column.shown.as_str(), &measurement, &column.kind, &column.name])?;
    }
    Ok(transaction.commit()?)
}

/// Columns of a view besides the time, in their order.
struct Columns(Vec<Column>);

struct Column {
    shown: Ident,
    /// `tag` or `field`.
    kind: &'static str,
    name: String,
    value: String,
    is_new: bool,
}

impl Columns {
    /// Those that the view has, in its order; then new ones, tags first.
    fn new(names: &Names, there: Vec<String>) -> Self {
        let tags = names.tags.iter().map(|tag| {
            (tag.shown.clone(), "tag", &tag.name, format!("s.tags ->> {}", super::places::literal(&tag.name)))
        });
        let fields = names
            .fields
            .iter()
            .map(|field| (field.shown.clone(), "field", &field.name, format!("t.{}", field.field.column)));
        let mut columns = Vec::new();
        let mut taken: Vec<String> = there.clone();
        for (shown, kind, name, value) in tags.chain(fields) {
            let is_new = shown.is_none();
            let shown = shown.unwrap_or_else(|| Ident::shown(name, &|candidate| taken.iter().any(|t| t == candidate)));
            taken.push(shown.as_str().to_owned());
            columns.push(Column { shown, kind, name: name.clone(), value, is_new });
        }
        let place = |column: &Column| there.iter().position(|name| name == column.shown.as_str());
        columns.sort_by_key(|column| place(column).unwrap_or(usize::MAX));
        Self(columns)
    }

    fn sql(&self, view: &Relation, names: &Names) -> String {
        let table = Relation::new(&view.schema, names.table.clone().unwrap_or_else(|| view.name.clone()));
        let columns: String = self.0.iter().map(|column| format!(", {} AS {}", column.value, column.shown)).collect();
        let series = Relation::series(&view.schema);
        format!(
            "CREATE OR REPLACE VIEW {view} AS SELECT t.{TIME}{columns} FROM {table} t JOIN {series} s ON s.id = t.series"
        )
    }
}
