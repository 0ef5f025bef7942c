//! Partitions of tables: one for each span of time that has points, made when the first of them comes. They stand in a schema of
//! their own, so that lists of tables stay short. A partition is made as a table and attached, which neither waits for queries nor
//! holds them up, as creating it in its place would.

use std::ops::Range;

use jiff::Timestamp;
use postgres::{Client, GenericClient};

use super::error::Failure;
use super::known::range_of;
use super::names::{Ident, PARTITIONS, Relation};
use super::places::literal;
use super::schema::lock;

/// With every so many partitions a table has, new ones get ten times as long: each takes locks in every query, and points
/// from the whole past of a plant must not use them up.
const MANY: usize = 500;
/// Partitions made in one transaction, which has locks for all of them.
const AT_ONCE: usize = 32;
/// Longest wait for a table from which partitions are to be dropped.
const DROP_WAIT_MS: u32 = 500;

/// A table's partitions.
#[derive(Debug, Default)]
pub(super) struct Partitions(pub(super) Vec<Partition>);

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) relation: Relation,
    /// Its times, in microseconds.
    pub(super) range: Range<i64>,
}

impl Partitions {
    /// Their times, ascending.
    pub(super) fn ranges(&self) -> Vec<Range<i64>> {
        let mut ranges: Vec<_> = self.0.iter().map(|partition| partition.range.clone()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        ranges
    }
}

/// Whether the table is partitioned by PostgreSQL itself.
pub(super) fn is_partitioned(client: &mut Client, table: &Relation) -> Result<bool, Failure> {
    let row =
        client.query_opt("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass($1)", &[&table.to_string()])?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(true))
}

/// The partitions that a table has. A default one takes all times.
pub(super) fn list(client: &mut impl GenericClient, table: &Relation) -> Result<Partitions, Failure> {
    let mut partitions = Partitions::default();
    for row in client.query(&format!("{PARTS} WHERE i.inhparent = to_regclass($1)"), &[&table.to_string()])? {
        let relation = Relation { schema: Ident::known(row.try_get(1)?), name: Ident::known(row.try_get(2)?) };
        let (start, end): (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
        partitions.0.push(Partition { relation, range: start.unwrap_or(i64::MIN)..end.unwrap_or(i64::MAX) });
    }
    Ok(partitions)
}

/// Table, schema and name of a partition, and its bounds in microseconds: null where there is none.
const PARTS: &str = r"SELECT p.relname::text, n.nspname::text, c.relname::text,
        CASE WHEN b.bound[1] LIKE '''%' THEN round(extract(epoch FROM trim('''' FROM b.bound[1])::timestamptz) * 1000000)::int8 END,
        CASE WHEN b.bound[2] LIKE '''%' THEN round(extract(epoch FROM trim('''' FROM b.bound[2])::timestamptz) * 1000000)::int8 END
    FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
        JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \((.+)\) TO \((.+)\)') AS bound) b";

/// Measurements of a schema, with their tables.
pub(super) fn tables(client: &mut Client, schema: &Ident) -> Result<Vec<(String, Relation)>, Failure> {
    let sql =
        format!("SELECT measurement, stored FROM {} WHERE kind = 'measurement' ORDER BY 1", Relation::names(schema));
    let rows = client.query(&sql, &[])?;
    rows.iter().map(|row| Ok((row.try_get(0)?, Relation::new(schema, Ident::known(row.try_get(1)?))))).collect()
}

/// Measurements that have partitions of ours that end at `limit` (in microseconds) or before.
pub(super) fn measurements_with_expired(
    client: &mut Client,
    schema: &Ident,
    limit: i64,
) -> Result<Vec<String>, Failure> {
    let sql = format!(
        "SELECT DISTINCT m.measurement FROM {} m JOIN ({PARTS} WHERE n.nspname = $1 AND p.relnamespace = $2::text::regnamespace)
             AS part (parent, schema, name, first, behind) ON m.stored = part.parent
         WHERE m.kind = 'measurement' AND part.behind <= $3 ORDER BY 1",
        Relation::names(schema)
    );
    let rows = client.query(&sql, &[&PARTITIONS, &schema.to_string(), &limit])?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Makes the partitions that the ascending `times` (in microseconds) need and that are missing, some at a time.
pub(super) fn make(
    client: &mut Client,
    schema: &Ident,
    measurement: &str,
    times: &[i64],
    width: i64,
) -> Result<(), Failure> {
    let mut rest = times;
    while !rest.is_empty() {
        let mut transaction = client.transaction()?;
        let table = lock(&mut transaction, schema, measurement)?;
        // Another session may have made some meanwhile.
        let plan = plan(list(&mut transaction, &table)?.ranges(), rest, width);
        for range in &plan.new {
            transaction.batch_execute(&make_sql(&table, range)?)?;
        }
        transaction.commit()?;
        rest = rest.get(plan.settled..).unwrap_or_default();
    }
    Ok(())
}

/// What one transaction makes.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    new: Vec<Range<i64>>,
    /// How many of the times have a partition then.
    settled: usize,
}

fn plan(mut there: Vec<Range<i64>>, times: &[i64], width: i64) -> Plan {
    let mut new = Vec::new();
    for (settled, &time) in times.iter().enumerate() {
        if range_of(&there, time).is_some() {
            continue;
        }
        if new.len() == AT_ONCE {
            return Plan { new, settled };
        }
        let range = range_for(&there, time, width);
        there.insert(there.partition_point(|other| other.start < range.start), range.clone());
        new.push(range);
    }
    Plan { new, settled: times.len() }
}

/// A span of time around `time` that meets none of the ascending `ranges`.
fn range_for(ranges: &[Range<i64>], time: i64, width: i64) -> Range<i64> {
    let width = (0..ranges.len() / MANY).fold(width, |width, _| width.saturating_mul(10));
    let start = time.div_euclid(width).saturating_mul(width);
    let behind = ranges.partition_point(|range| range.start <= time);
    let before = behind.checked_sub(1).and_then(|index| ranges.get(index)).map_or(i64::MIN, |range| range.end);
    let after = ranges.get(behind).map_or(i64::MAX, |range| range.start);
    start.max(before)..start.saturating_add(width).min(after)
}

fn make_sql(table: &Relation, range: &Range<i64>) -> Result<String, Failure> {
    let (start, end) = (instant(range.start)?, instant(range.end)?);
    let name = if range.start.rem_euclid(1_000_000) == 0 { "%Y%m%dT%H%M%S" } else { "%Y%m%dT%H%M%S%.6f" };
    let partition = table.partition(&start.strftime(name).to_string());
    let (start, end) = (literal(&start.to_string()), literal(&end.to_string()));
    Ok(format!(
        "CREATE TABLE {partition} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING INDEXES);
         ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end})"
    ))
}

fn instant(micros: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_microsecond(micros)
        .map_err(|_| super::error::points(format!("{micros} us is no time that PostgreSQL has")).into())
}

/// Drops the partitions of ours that end at `limit` (in microseconds) or before; returns how many. Does not wait for long: while
/// it waits for a query to end, all others wait for it.
pub(super) fn drop_before(
    client: &mut Client,
    schema: &Ident,
    measurement: &str,
    limit: i64,
) -> Result<usize, Failure> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(&format!("SET LOCAL lock_timeout = {DROP_WAIT_MS}"))?;
    let table = lock(&mut transaction, schema, measurement)?;
    let mut gone = list(&mut transaction, &table)?.0;
    gone.retain(|part| part.range.end <= limit && part.relation.schema.as_str() == PARTITIONS);
    for some in gone.chunks(AT_ONCE) {
        let names: Vec<String> = some.iter().map(|part| part.relation.to_string()).collect();
        transaction.batch_execute(&format!("DROP TABLE {}", names.join(", ")))?;
    }
    transaction.commit()?;
    Ok(gone.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn partitions_are_whole_spans_aligned_to_the_epoch() {
        assert_eq!(range_for(&[], 5, DAY), 0..DAY);
        assert_eq!(range_for(&[], -1, DAY), -DAY..0);
        assert_eq!(range_for(&[0..DAY, 2 * DAY..3 * DAY], DAY, DAY), DAY..2 * DAY);
    }

    #[test]
    fn a_partition_of_another_length_is_not_overlapped() {
        let there = [0..DAY, 8 * DAY..9 * DAY];
        assert_eq!(range_for(&there, 3 * DAY, 7 * DAY), DAY..7 * DAY);
        assert_eq!(range_for(&there, 7 * DAY, 7 * DAY), 7 * DAY..8 * DAY);
        assert_eq!(range_for(&there, 10 * DAY, 7 * DAY), 9 * DAY..14 * DAY);
    }

    #[test]
    fn many_partitions_make_the_next_ones_longer() {
        let there: Vec<_> = (0..MANY as i64).map(|day| day * DAY..(day + 1) * DAY).collect();
        assert_eq!(range_for(&there, -1, DAY), -10 * DAY..0);
        assert_eq!(range_for(&there, 503 * DAY, DAY), 500 * DAY..510 * DAY);
    }

    /// One partition.
    fn span(from_day: i64, to_day: i64) -> Vec<Range<i64>> {
        vec![Range { start: from_day * DAY, end: to_day * DAY }]
    }

    #[test]
    fn a_transaction_makes_some_partitions_and_leaves_the_rest_to_the_next() {
        let times: Vec<i64> = (0..100).flat_map(|day| [day * DAY, day * DAY + 5]).collect();
        let first = plan(span(0, 1), &times, DAY);
        assert_eq!((first.new.len(), first.settled), (AT_ONCE, 2 + 2 * AT_ONCE));
        assert_eq!(first.new.first(), Some(&(DAY..2 * DAY)));
        let last = plan(span(0, 99), &times, DAY);
        assert_eq!(last, Plan { new: span(99, 100), settled: times.len() });
    }

    #[test]
    fn a_partition_is_attached_not_created_in_place() {
        let table = Relation::new(&Ident::known("db".to_owned()), Ident::known("m".to_owned()));
        let sql = make_sql(&table, &(0..DAY)).unwrap();
        assert!(sql.contains("~19700101T000000\" (LIKE \"db\".\"m\""), "{sql}");
        assert!(sql.ends_with("FOR VALUES FROM ('1970-01-01T00:00:00Z') TO ('1970-01-02T00:00:00Z')"), "{sql}");
        let odd = make_sql(&table, &(1..DAY)).unwrap();
        assert!(odd.contains("~19700101T000000.000001\""), "{odd}");
    }
}
