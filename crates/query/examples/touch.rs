//! What a written value costs the cache of results: one that is newer than everything known, one of a column that nobody asked for,
//! and one that falls into a known window. Run with `cargo run --release -p query --example touch`.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::ops::ControlFlow;
use std::time::Instant;

use model::{ColumnId, FieldType, FieldValue, TimeRange, TimestampNs, Values};
use query::aggregate::Registry;
use query::cache::{Access, Cache, CacheConfig};
use query::compile::{Context, Dialect, compile};
use query::execute::{Options, execute};
use query::scan::{Piece, ScanReport, Wish};
use query::store::{Extent, Place, Reader, Schema, SeriesQuery, Store, StoredSeries};
use query::{Cancel, Limits, QueryError, Shortcuts};

const SERIES: u32 = 1000;
const WINDOWS: i64 = 100;
const VALUES: usize = 10_000_000;

/// A point in every window of every series.
struct Points;

impl Store for Points {
    fn measurements(&self, _: &Place) -> Result<Vec<String>, QueryError> {
        Ok(vec!["m".to_owned()])
    }

    fn schema(&self, _: &Place, _: &str) -> Result<Schema, QueryError> {
        Ok(Schema { fields: vec![("v".to_owned(), FieldType::Integer)], tags: vec!["c".to_owned()] })
    }

    fn series(&self, _: &Place, _: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError> {
        let series = |n: u32| StoredSeries { tags: vec![Some(n.to_string())], columns: vec![Some(ColumnId(n))] };
        Ok((0..SERIES).map(series).collect())
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(Self)
    }
}

impl Reader for Points {
    fn scan(
        &mut self,
        _: ColumnId,
        range: TimeRange,
        _: &Wish<'_>,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ScanReport {
        let times: Vec<_> = (0..WINDOWS).map(|n| TimestampNs(n * 10)).filter(|time| range.contains(*time)).collect();
        let values = Values::Integer(times.iter().map(|time| time.0).collect());
        // There is one piece only, so it does not matter whether more is wanted.
        match visit(Piece::Points { times: &times, values: &values }) {
            ControlFlow::Continue(()) | ControlFlow::Break(()) => ScanReport::default(),
        }
    }

    fn latest(&mut self, _: ColumnId, _: TimeRange, _: &mut dyn FnMut(TimestampNs, FieldValue<'_>)) -> ScanReport {
        ScanReport::default()
    }

    fn extents(&mut self, _: ColumnId, _: TimeRange, _: &mut Vec<Extent>) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = Cache::new(CacheConfig::default());
    ask(&cache)?;
    println!("{:?}", cache.stats());
    let column = |n: usize| n as u32 % SERIES;
    measure("newer than all that is known", &cache, |n| (column(n), 10 * WINDOWS + n as i64));
    measure("older, of a column that is not known", &cache, |n| (SERIES + column(n), 5));
    measure("in a known window, once; then in an unknown one", &cache, |n| (column(n), 15));
    println!("{:?}", cache.stats());
    Ok(())
}

/// Makes all windows of all series known.
fn ask(cache: &Cache) -> Result<(), Box<dyn std::error::Error>> {
    let text = format!("SELECT sum(v) FROM m WHERE time >= 0 AND time < {} GROUP BY time(10ns), c", 10 * WINDOWS);
    let statements = influxql::parse(&text, &influxql::Params::default(), &influxql::Limits::default())?;
    let Some(influxql::ast::Statement::Select(select)) = statements.first() else { return Err("no SELECT".into()) };
    let now = TimestampNs(10 * WINDOWS);
    let context =
        Context { now, database: Some("d".to_owned()), policy: None, dialect: Dialect::Extended, into: false };
    let options = Options {
        limits: &Limits::default(),
        cancel: &Cancel::new(),
        registry: Registry::shared(),
        threads: 1,
        into: false,
        shortcuts: Shortcuts::ALL,
        cache: Some(Access { cache, now }),
    };
    execute(&compile(select, &context)?, &Points, &options, &mut |_| Ok(()))?;
    Ok(())
}

fn measure(what: &str, cache: &Cache, value: impl Fn(usize) -> (u32, i64)) {
    let written: Vec<_> = (0..VALUES).map(value).map(|(column, time)| (ColumnId(column), TimestampNs(time))).collect();
    let start = Instant::now();
    written.chunks(1000).for_each(|record| cache.touched(record.iter().copied()));
    println!("{what}: {:.2} ns a value", start.elapsed().as_nanos() as f64 / VALUES as f64);
}
