//! Writing one batch: series and tables are made ready, each in transactions of their own; then all rows are stored in one. A batch
//! of new rows is copied straight into the tables. Where one of its rows is there already, that is undone and the batch is merged
//! row by row, value by value, and so are the next ones: copying takes half the time, but each attempt in vain is lost.

use std::sync::Arc;

use model::FieldType;
use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Statement, Transaction};

use super::Shared;
use super::client::Conversation;
use super::connector::Open;
use super::encode::{Batch, SortedRows};
use super::error::Failure;
use super::known::{KnownPlace, PlaceName, Table};
use super::names::Relation;
use super::schema::Needs;
use super::{partitions, places, schema, series};
use crate::Destination;

/// Batches that are merged after one that met rows that are there already.
const UPSERTS: u32 = 64;

/// How far what is known is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Tables are as they were left.
    AsKnown,
    /// PostgreSQL has said otherwise: everything is looked at.
    Nothing,
}

/// Stores a batch; what turns out to have been changed behind our back is learnt anew, once.
pub(super) fn write(
    conversation: &mut Conversation,
    shared: &Shared,
    to: &Destination,
    batch: &Batch,
) -> Result<(), Failure> {
    match attempt(conversation, shared, to, batch, Trust::AsKnown) {
        Err(failure) if is_stale(&failure) => {
            shared.known.forget(&place_name(to));
            attempt(conversation, shared, to, batch, Trust::Nothing)
        }
        outcome => outcome,
    }
}

/// A table, column, schema or partition is not there (any more).
fn is_stale(failure: &Failure) -> bool {
    let stale = [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::INVALID_SCHEMA_NAME,
        SqlState::CHECK_VIOLATION,
        SqlState::INVALID_COLUMN_REFERENCE,
    ];
    failure.code().is_some_and(|code| stale.contains(code))
}

fn place_name(to: &Destination) -> PlaceName {
    PlaceName { database: to.database.clone(), policy: to.policy.clone() }
}

fn attempt(
    conversation: &mut Conversation,
    shared: &Shared,
    to: &Destination,
    batch: &Batch,
    trust: Trust,
) -> Result<(), Failure> {
    let open = conversation.open()?;
    shared.known.expect_incarnation(&open.peer.incarnation);
    let place = ready_place(open, shared, to, trust)?;
    let found = series::ids_of(open, &place, &batch.series)?;
    let learnt = found.learnt.iter().filter_map(|&index| batch.series.get(index));
    let mut targets = Vec::with_capacity(batch.tables.len());
    for (needs, rows) in batch.needs(learnt).iter().zip(batch.tables.values()) {
        let table = ready_table(open, shared, &place, needs, &rows.times(), trust)?;
        targets.push(Target::new(&table, rows.sorted(&found.ids))?);
    }
    store(conversation, &targets)
}

/// The schema of a place.
fn ready_place(open: &mut Open, shared: &Shared, to: &Destination, trust: Trust) -> Result<Arc<KnownPlace>, Failure> {
    let name = place_name(to);
    if to.is_default {
        shared.known.set_default(&to.database, &to.policy);
    }
    if let (Trust::AsKnown, Some(place)) = (trust, shared.known.place(&name)) {
        return Ok(place);
    }
    let there = if trust == Trust::AsKnown { places::find(&mut open.client, &name)? } else { None };
    let schema = match there {
        Some(schema) => schema,
        None => places::make(&mut open.client, to)?,
    };
    Ok(shared.known.add_place(&name, schema))
}

/// The table of a measurement, ready for rows of these ascending times. Other sessions may know it otherwise meanwhile.
fn ready_table(
    open: &mut Open,
    shared: &Shared,
    place: &KnownPlace,
    needs: &Needs,
    times: &[i64],
    trust: Trust,
) -> Result<Arc<Table>, Failure> {
    let measurement = &needs.measurement;
    let known = if trust == Trust::AsKnown { place.table(measurement) } else { None };
    let mut table = match known {
        Some(table) => table,
        None => load(open, shared, place, needs, trust)?,
    };
    if !table.suffices(needs)? {
        schema::extend(open, place, needs, shared.width)?;
        table = reload(open, place, measurement)?;
    }
    let missing: Vec<i64> = times.iter().copied().filter(|&time| !table.has_partition(time)).collect();
    if !missing.is_empty() {
        partitions::make(&mut open.client, &place.schema, measurement, &missing, shared.width_micros())?;
        table = reload(open, place, measurement)?;
    }
    Ok(table)
}

fn load(
    open: &mut Open,
    shared: &Shared,
    place: &KnownPlace,
    needs: &Needs,
    trust: Trust,
) -> Result<Arc<Table>, Failure> {
    if trust == Trust::AsKnown
        && let Some(table) = schema::load(&mut open.client, &place.schema, &needs.measurement)?
    {
        return Ok(place.set_table(&needs.measurement, table));
    }
    schema::extend(open, place, needs, shared.width)?;
    reload(open, place, &needs.measurement)
}

fn reload(open: &mut Open, place: &KnownPlace, measurement: &str) -> Result<Arc<Table>, Failure> {
    let table = schema::load(&mut open.client, &place.schema, measurement)?;
    Ok(place.set_table(measurement, table.ok_or_else(vanished)?))
}

fn vanished() -> Failure {
    let message = "tables vanish from PostgreSQL while they are written to".to_owned();
    crate::WriteError::Busy { message, retry_after: None }.into()
}

/// One table with what is to be stored in it. Of several tables the first by name comes first, for all who write.
struct Target<'a> {
    relation: Relation,
    /// Quoted columns of the fields with their types, in the order of the rows' columns.
    columns: Vec<(String, FieldType)>,
    rows: SortedRows<'a>,
}

fn store(conversation: &mut Conversation, targets: &[Target<'_>]) -> Result<(), Failure> {
    if conversation.upserts_left == 0 {
        match all_in_one(conversation.opened()?, targets, Way::Copy) {
            Err(failure) if failure.code() == Some(&SqlState::UNIQUE_VIOLATION) => conversation.upserts_left = UPSERTS,
            outcome => return outcome,
        }
    }
    conversation.upserts_left -= 1;
    all_in_one(conversation.opened()?, targets, Way::Merge)
}

/// How rows get into a table.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// All are new.
    Copy,
    /// Some may be there.
    Merge,
}

/// Runs one statement for each table, in one transaction.
fn all_in_one(open: &mut Open, targets: &[Target<'_>], way: Way) -> Result<(), Failure> {
    let mut statements = Vec::with_capacity(targets.len());
    for target in targets {
        let sql = match way {
            Way::Copy => target.copy_sql(),
            Way::Merge => target.upsert_sql(),
        };
        statements.push(open.statement(&sql)?);
    }
    let mut transaction = open.client.transaction()?;
    for (target, statement) in targets.iter().zip(&statements) {
        match way {
            Way::Copy => copy(&mut transaction, statement, &target.rows)?,
            Way::Merge => upsert(&mut transaction, statement, &target.rows)?,
        }
    }
    Ok(transaction.commit()?)
}

fn copy(transaction: &mut Transaction<'_>, statement: &Statement, rows: &SortedRows<'_>) -> Result<(), Failure> {
    let mut writer = transaction.copy_in(statement)?;
    let written = std::io::Write::write_all(&mut writer, &rows.copy_text());
    let finished = writer.finish();
    // The server's own words, where it ended the copy; it does not read on then.
    finished?;
    written.map_err(|_| Failure::Thread)
}

fn upsert(transaction: &mut Transaction<'_>, statement: &Statement, rows: &SortedRows<'_>) -> Result<(), Failure> {
    let arrays = rows.arrays();
    let parameters: Vec<&(dyn ToSql + Sync)> =
        arrays.iter().map(|array| array.as_ref() as &(dyn ToSql + Sync)).collect();
    transaction.execute(statement, &parameters)?;
    Ok(())
}

impl<'a> Target<'a> {
    fn new(table: &Table, rows: SortedRows<'a>) -> Result<Self, Failure> {
        let column = |(field, kind): (&str, FieldType)| {
            table.fields.get(field).map(|known| (known.column.to_string(), kind)).ok_or_else(vanished)
        };
        let columns = rows.fields().map(column).collect::<Result<_, _>>()?;
        Ok(Self { relation: table.relation.clone(), columns, rows })
    }

    fn copy_sql(&self) -> String {
        let columns: String = self.columns.iter().map(|(column, _)| format!(", {column}")).collect();
        format!("COPY {} (series, time{columns}) FROM STDIN (FORMAT binary)", self.relation)
    }

    /// A value that is there and is not in the batch stays; a row that would not change is not written.
    fn upsert_sql(&self) -> String {
        let list = |each: &dyn Fn(usize, &str, FieldType) -> String, separator: &str| -> String {
            let parts = self.columns.iter().enumerate().map(|(index, (column, kind))| each(index, column, *kind));
            parts.collect::<Vec<_>>().join(separator)
        };
        let names = list(&|_, column, _| format!(", {column}"), "");
        let aliases = list(&|index, _, _| format!(", c{index}"), "");
        let parameters = list(&|index, _, kind| format!(", ${}::{}[]", index + 3, array_type(kind)), "");
        let values = list(&|index, _, kind| format!(", c{index}::{}", schema::column_type(kind)), "");
        let merged = |column: &str| format!("COALESCE(EXCLUDED.{column}, t.{column})");
        let set = list(&|_, column, _| format!("{column} = {}", merged(column)), ", ");
        let differs = list(&|_, column, _| format!("t.{column} IS DISTINCT FROM {}", merged(column)), " OR ");
        format!(
            "INSERT INTO {} AS t (series, time{names}) SELECT series, time{values} \
             FROM unnest($1::int4[], $2::timestamptz[]{parameters}) AS new (series, time{aliases}) \
             ON CONFLICT (series, time) DO UPDATE SET {set} WHERE {differs}",
            self.relation
        )
    }
}

/// Type of the elements of a field's array: see [`super::encode::SortedRows::arrays`].
const fn array_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Unsigned => "text",
        other => schema::column_type(other),
    }
}
