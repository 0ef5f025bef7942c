//! Tables of measurements: reading what there is, and adding columns. Changes are made under an advisory lock for the table, in a
//! transaction that touches nothing else, so that no two sessions wait for each other; they give up after half of the timeout
//! when a long query holds the table.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use model::FieldType;
use postgres::{Client, GenericClient, Transaction};

use super::connector::Open;
use super::error::Failure;
use super::known::{Field, KnownPlace, Table};
use super::names::{Ident, Relation, TIME};
use super::partitions;
use super::places::LOCK_CLASS;
use super::timescale;
use super::view;
use crate::{Blame, WriteError};

/// What a batch needs of a measurement's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) measurement: String,
    pub(super) fields: BTreeMap<String, FieldType>,
    pub(super) tags: Vec<String>,
}

/// The names of one measurement as they are stored.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) table: Option<Ident>,
    pub(super) fields: Vec<NamedField>,
    pub(super) tags: Vec<NamedTag>,
}

/// A field, its column in the table and the one in the view.
#[derive(Debug, Clone)]
pub(super) struct NamedField {
    pub(super) name: String,
    pub(super) field: Field,
    pub(super) shown: Option<Ident>,
}

/// A tag and its column in the view.
#[derive(Debug, Clone)]
pub(super) struct NamedTag {
    pub(super) name: String,
    pub(super) shown: Option<Ident>,
}

impl Names {
    /// Reads the names of a measurement.
    pub(super) fn read(client: &mut impl GenericClient, schema: &Ident, measurement: &str) -> Result<Self, Failure> {
        let sql = format!(
            "SELECT kind, name, type, stored, shown FROM {} WHERE measurement = $1 ORDER BY kind, name COLLATE \"C\"",
            Relation::names(schema)
        );
        let mut names = Self::default();
        for row in client.query(&sql, &[&measurement])? {
            let (kind, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let stored = row.try_get::<_, Option<String>>(3)?.map(Ident::known);
            let shown = row.try_get::<_, Option<String>>(4)?.map(Ident::known);
            match (kind.as_str(), stored) {
                ("measurement", stored) => names.table = stored,
                ("tag", _) => names.tags.push(NamedTag { name, shown }),
                (_, Some(column)) => {
                    let kind: Option<String> = row.try_get(2)?;
                    let Some(kind) = kind.as_deref().and_then(parse_kind) else { continue };
                    names.fields.push(NamedField { name, field: Field { column, kind }, shown });
                }
                _ => {}
            }
        }
        Ok(names)
    }

    fn into_table(self, schema: &Ident, measurement: &str) -> Table {
        let relation = Relation::new(schema, self.table.unwrap_or_else(|| Ident::table(measurement)));
        let fields: HashMap<_, _> = self.fields.into_iter().map(|named| (named.name, named.field)).collect();
        let tags: HashSet<_> = self.tags.into_iter().map(|tag| tag.name).collect();
        Table { relation, fields, tags, partitions: Vec::new(), is_hypertable: false }
    }
}

fn parse_kind(word: &str) -> Option<FieldType> {
    FieldType::ALL.into_iter().find(|kind| kind.to_string() == word)
}

/// Type of a field's column.
pub(super) const fn column_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Float => "float8",
        FieldType::Integer => "int8",
        FieldType::Unsigned => "numeric(20,0)",
        FieldType::Boolean => "bool",
        FieldType::String => "text",
    }
}

impl Table {
    /// Whether everything needed is there.
    ///
    /// # Errors
    /// A field is of another type: its points can never be stored.
    pub(super) fn suffices(&self, needs: &Needs) -> Result<bool, Failure> {
        for (name, kind) in &needs.fields {
            match self.fields.get(name) {
                None => return Ok(false),
                Some(field) if field.kind != *kind => return Err(conflict(needs, name, *kind, field.kind)),
                Some(_) => {}
            }
        }
        Ok(needs.tags.iter().all(|tag| self.tags.contains(tag)))
    }
}

fn conflict(needs: &Needs, field: &str, new: FieldType, old: FieldType) -> Failure {
    let measurement = &needs.measurement;
    let message = format!(
        "field `{field}` of `{measurement}` is of type {old} in PostgreSQL, the point's value is of type {new}"
    );
    WriteError::Points { message, blame: Blame::Column }.into()
}

/// The table of a measurement, if it exists, as it stands in the table of names.
pub(super) fn load(client: &mut Client, schema: &Ident, measurement: &str) -> Result<Option<Table>, Failure> {
    let names = Names::read(client, schema, measurement)?;
    if names.table.is_none() {
        return Ok(None);
    }
    let mut table = names.into_table(schema, measurement);
    table.partitions = partitions::list(client, &table.relation)?.ranges();
    table.is_hypertable = !partitions::is_partitioned(client, &table.relation)?;
    Ok(Some(table))
}

/// Makes what is missing of a measurement's table, and remembers it.
pub(super) fn extend(open: &mut Open, place: &KnownPlace, needs: &Needs, width: Duration) -> Result<(), Failure> {
    let extension = open.peer.timescale.as_ref();
    let mut transaction = open.client.transaction()?;
    let relation = lock(&mut transaction, &place.schema, &needs.measurement)?;
    let mut names = Names::read(&mut transaction, &place.schema, &needs.measurement)?;
    let is_new = make_table(&mut transaction, &relation, needs, extension.is_none())?;
    if let (true, Some(extension)) = (is_new, extension) {
        timescale::hypertable(extension, &relation, width).run(&mut transaction)?;
    }
    add_names(&mut transaction, &mut names, &relation, needs)?;
    add_columns(&mut transaction, &names, &relation)?;
    transaction.commit()?;
    if let (true, Some(extension)) = (is_new, extension) {
        timescale::compress(&mut open.client, extension, &relation, width);
    }
    view::refresh(&mut open.client, &place.schema, &needs.measurement);
    Ok(())
}

/// Waits until nobody else changes the table of this measurement; until the end of the transaction nobody will.
pub(super) fn lock(transaction: &mut Transaction<'_>, schema: &Ident, measurement: &str) -> Result<Relation, Failure> {
    let relation = Relation::new(schema, Ident::table(measurement));
    transaction.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&LOCK_CLASS, &relation.to_string()])?;
    Ok(relation)
}

/// Makes the table where there is none, and says so.
fn make_table(
    transaction: &mut Transaction<'_>,
    relation: &Relation,
    needs: &Needs,
    is_partitioned: bool,
) -> Result<bool, Failure> {
    let exists = "SELECT FROM pg_class WHERE oid = to_regclass($1)";
    if !transaction.query(exists, &[&relation.to_string()])?.is_empty() {
        return Ok(false);
    }
    let key = Ident::primary_key(&needs.measurement);
    let by_time = if is_partitioned { "PARTITION BY RANGE (time)" } else { "" };
    transaction.batch_execute(&format!(
        "CREATE TABLE {relation} ({TIME} timestamptz NOT NULL, series int4 NOT NULL,
         CONSTRAINT {key} PRIMARY KEY (series, {TIME})) {by_time}"
    ))?;
    Ok(true)
}

/// Writes down the names that are new.
fn add_names(
    transaction: &mut Transaction<'_>,
    names: &mut Names,
    relation: &Relation,
    needs: &Needs,
) -> Result<(), Failure> {
    let sql = format!(
        "INSERT INTO {} (measurement, kind, name, type, stored) VALUES ($1, $2, $3, $4, $5)",
        Relation::names(&relation.schema)
    );
    let measurement = &needs.measurement;
    if names.table.is_none() {
        transaction.execute(&sql, &[measurement, &"measurement", &"", &None::<&str>, &relation.name.as_str()])?;
        names.table = Some(relation.name.clone());
    }
    for (name, &kind) in &needs.fields {
        if let Some(known) = names.fields.iter().find(|known| known.name == *name) {
            if known.field.kind != kind {
                return Err(conflict(needs, name, kind, known.field.kind));
            }
            continue;
        }
        let column = Ident::column(name);
        transaction.execute(&sql, &[measurement, &"field", name, &Some(kind.to_string()), &column.as_str()])?;
        names.fields.push(NamedField { name: name.clone(), field: Field { column, kind }, shown: None });
    }
    for name in &needs.tags {
        if !names.tags.iter().any(|known| known.name == *name) {
            transaction.execute(&sql, &[measurement, &"tag", name, &None::<&str>, &None::<&str>])?;
            names.tags.push(NamedTag { name: name.clone(), shown: None });
        }
    }
    Ok(())
}

/// Adds the columns that the table does not have. It is not locked when it has all of them.
fn add_columns(transaction: &mut Transaction<'_>, names: &Names, relation: &Relation) -> Result<(), Failure> {
    let rows = transaction.query(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
        &[&relation.to_string()],
    )?;
    let mut there = HashSet::new();
    for row in rows {
        there.insert(row.try_get::<_, String>(0)?);
    }
    let missing = names.fields.iter().map(|named| &named.field).filter(|field| !there.contains(field.column.as_str()));
    let added: Vec<String> =
        missing.map(|field| format!("ADD COLUMN {} {}", field.column, column_type(field.kind))).collect();
    if !added.is_empty() {
        transaction.batch_execute(&format!("ALTER TABLE {relation} {}", added.join(", ")))?;
    }
    Ok(())
}
