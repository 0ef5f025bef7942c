//! What the cache promises: an answer with it is the answer without it, whatever is written or deleted between and during queries.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use model::{ByteSize, ColumnId, FieldValue, HumanDuration, TimeRange, TimestampNs, Values};
use proptest::prelude::*;
use query::aggregate::Registry;
use query::cache::{Access, Bypass, Cache, CacheConfig};
use query::execute::{Options, execute};
use query::plan::Select;
use query::result::{Cell, Table};
use query::store::{Extent, Place, Reader, Schema, SeriesQuery, Store, StoredSeries};
use query::{CacheUse, Cancel, Limits, QueryError, Report, Shortcuts};

use crate::support::{MemoryStore, compiled, count, influxql};

/// A time after all points.
const LATER: i64 = 1_000_000;

/// Keeps everything.
fn keen() -> CacheConfig {
    CacheConfig { min_seen: 0, ..CacheConfig::default() }
}

fn answer(
    plan: &Select,
    store: &dyn Store,
    access: Option<Access<'_>>,
    threads: usize,
) -> Result<(Vec<Table>, Report), QueryError> {
    let mut tables = Vec::new();
    let options = Options {
        limits: &Limits { max_rows: 500, ..Limits::default() },
        cancel: &Cancel::new(),
        registry: Registry::shared(),
        threads,
        into: false,
        shortcuts: Shortcuts::ALL,
        cache: access,
    };
    let report = execute(plan, store, &options, &mut |table| {
        tables.push(table);
        Ok(())
    })?;
    Ok((tables, report))
}

/// Asks with the cache at a time after all points; checks that the answer is right.
fn ask(text: &str, store: &MemoryStore, cache: &Cache) -> CacheUse {
    let plan = influxql(text);
    let (tables, report) = answer(&plan, store, Some(Access { cache, now: TimestampNs(LATER) }), 1).unwrap();
    assert_eq!(tables, answer(&plan, store, None, 1).unwrap().0);
    report.cache
}

/// The same, with the number of points read.
fn read(text: &str, store: &MemoryStore, cache: &Cache) -> (CacheUse, u64) {
    let plan = influxql(text);
    let before = count(&store.points_read);
    let (_, report) = answer(&plan, store, Some(Access { cache, now: TimestampNs(LATER) }), 1).unwrap();
    (report.cache, count(&store.points_read) - before)
}

/// Two series with the fields `v` (times 0 to 99) and `w` (even times).
fn hundred() -> MemoryStore {
    let mut store = MemoryStore::new();
    store.summaries = false;
    for channel in [1, 2] {
        let v = Values::Integer((0..100).map(|t| t * channel).collect());
        let w = Values::Integer((0..50).collect());
        store.add(
            &format!("c={channel}"),
            vec![("v", (0..100).collect(), v), ("w", (0..50).map(|t| 2 * t).collect(), w)],
        );
    }
    store
}

#[test]
fn a_question_asked_again_reads_only_what_is_new() {
    let (store, cache) = (hundred(), Cache::new(keen()));
    let text = |from, to| {
        format!("SELECT sum(v), max(w) FROM m WHERE time >= {from} AND time < {to} AND c = '1' GROUP BY time(10ns)")
    };
    assert_eq!(read(&text(0, 60), &store, &cache), (CacheUse::Miss, 90));
    assert_eq!(read(&text(0, 60), &store, &cache), (CacheUse::Hit, 0));
    assert_eq!(read(&text(20, 80), &store, &cache), (CacheUse::Partial, 30));
    assert_eq!(read(&text(5, 75), &store, &cache), (CacheUse::Partial, 15), "windows cut by the range are computed");
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.partial_hits, stats.misses), (1, 2, 1));
    assert_eq!((stats.windows_served, stats.windows_computed), (6 + 4 + 6, 6 + 2 + 2));
    assert_eq!(stats.entries, 1);
}

#[test]
fn what_comes_after_the_functions_is_shared() {
    let (store, cache) = (hundred(), Cache::new(keen()));
    let from = "FROM m WHERE time >= 0 AND time < 100 GROUP BY time(10ns), c";
    assert_eq!(ask(&format!("SELECT sum(v) {from}"), &store, &cache), CacheUse::Miss);
    for text in [
        format!("SELECT sum(v) {from} fill(none) LIMIT 3"),
        format!("SELECT sum(v) * 2 + 1 {from} ORDER BY time DESC"),
        format!("SELECT cumulative_sum(sum(v)) {from} LIMIT 2 OFFSET 1"),
        "SELECT max(s) FROM (SELECT sum(v) AS s FROM m GROUP BY time(10ns), c) WHERE time >= 0 AND time < 100"
            .to_owned(),
    ] {
        assert_ne!(ask(&text, &store, &cache), CacheUse::Miss, "{text}");
    }
    assert_eq!(ask(&format!("SELECT mean(v) {from}"), &store, &cache), CacheUse::Miss);
    let other = "SELECT sum(v) FROM m WHERE time >= 0 AND time < 100 GROUP BY time(10ns, 5ns), c";
    assert_eq!(ask(other, &store, &cache), CacheUse::Miss);
}

#[test]
fn a_range_without_windows_is_known_again_by_the_same_range() {
    let (store, cache) = (hundred(), Cache::new(keen()));
    let text = |to| format!("SELECT max(v), c FROM m WHERE time >= 0 AND time < {to}");
    assert_eq!(ask(&text(50), &store, &cache), CacheUse::Miss);
    assert_eq!(ask(&text(50), &store, &cache), CacheUse::Partial, "the tag is looked up beside the point");
    assert_eq!(ask(&text(51), &store, &cache), CacheUse::Miss);
    assert_eq!(ask("SELECT max(v) FROM m WHERE time >= 0", &store, &cache), CacheUse::Bypass, "it has no end");
}

#[test]
fn why_queries_go_past_the_cache_is_counted() {
    let (store, cache) = (hundred(), Cache::new(CacheConfig::default()));
    let bypasses = || cache.stats().bypasses;
    let position = |reason| Bypass::ALL.iter().position(|r| *r == reason).unwrap();
    let raw = [
        "SELECT v FROM m WHERE time >= 0 AND time < 7200s",
        "SELECT top(v, 3) FROM m WHERE time >= 0 AND time < 7200s GROUP BY time(10ns)",
        "SELECT sum(v) FROM m WHERE time >= 0 AND time < 7200s AND w > 3 GROUP BY time(10ns) LIMIT 1",
        "SELECT sum(v) FROM (SELECT v FROM m) WHERE time >= 0 AND time < 7200s",
        "SELECT sum(v::float) FROM m WHERE time >= 0 AND time < 7200s GROUP BY time(10ns) LIMIT 1",
    ];
    for text in raw {
        let text = text.replace("7200s", "100");
        let cache = Cache::new(keen());
        assert_eq!(ask(&text, &store, &cache), CacheUse::Bypass, "{text}");
        assert_eq!(cache.stats().bypasses[position(Bypass::NotCacheable)], 1, "{text}");
    }
    let short = influxql("SELECT sum(v) FROM m WHERE time >= 0 AND time < 100 GROUP BY time(10ns)");
    let late = Some(Access { cache: &cache, now: TimestampNs(i64::MAX / 2) });
    let uses: Vec<_> = (0..5).map(|_| answer(&short, &store, late, 1).unwrap().1.cache).collect();
    let [bypass, miss, hit] = [CacheUse::Bypass, CacheUse::Miss, CacheUse::Hit];
    assert_eq!(uses, [bypass, bypass, bypass, miss, hit], "kept when seen more than three times");
    assert_eq!(bypasses()[position(Bypass::NotAdmitted)], 3);
    let off = Cache::new(CacheConfig { enabled: false, ..keen() });
    assert_eq!(
        answer(&short, &store, Some(Access { cache: &off, now: TimestampNs(LATER) }), 1).unwrap().1.cache,
        bypass
    );
    assert_eq!(off.stats().bypasses[position(Bypass::Off)], 1);
}

#[test]
fn hot_data_and_long_ranges_are_kept_at_once() {
    let store = hundred();
    let config = CacheConfig { hot: HumanDuration(std::time::Duration::from_nanos(50)), ..CacheConfig::default() };
    let first = |text: &str, now| {
        let cache = Cache::new(config);
        answer(&influxql(text), &store, Some(Access { cache: &cache, now: TimestampNs(now) }), 1).unwrap().1.cache
    };
    let short = "SELECT sum(v) FROM m WHERE time >= 0 AND time < 100 GROUP BY time(10ns) fill(none)";
    assert_eq!(first(short, 149), CacheUse::Miss);
    assert_eq!(first(short, 150), CacheUse::Bypass);
    let long = "SELECT sum(v) FROM m WHERE time >= 0 AND time < 3601s GROUP BY time(1h) fill(none)";
    assert_eq!(first(long, i64::MAX - 1), CacheUse::Miss);
}

#[test]
fn windows_that_are_not_over_are_computed_each_time() {
    let (store, cache) = (hundred(), Cache::new(keen()));
    let plan = influxql("SELECT sum(v) FROM m WHERE time >= 0 AND time < 100 AND c = '1' GROUP BY time(10ns)");
    let at = |now| {
        let before = count(&store.points_read);
        answer(&plan, &store, Some(Access { cache: &cache, now: TimestampNs(now) }), 1).unwrap();
        count(&store.points_read) - before
    };
    assert_eq!([at(95), at(95), at(100), at(100)], [100, 10, 10, 0]);
}

#[test]
fn what_is_past_its_retention_is_not_shown_although_it_was_known() {
    let (mut store, cache) = (hundred(), Cache::new(keen()));
    let text = "SELECT sum(v) FROM m WHERE time >= 0 AND time < 100 GROUP BY time(10ns) fill(none)";
    ask(text, &store, &cache);
    store.kept_since = TimestampNs(35);
    assert_eq!(ask(text, &store, &cache), CacheUse::Partial);
    let whole = "SELECT sum(v) FROM m WHERE time >= 0 AND time < 100";
    assert_eq!(ask(whole, &store, &cache), CacheUse::Bypass);
}

#[test]
fn nothing_is_kept_of_what_was_read_from_a_damaged_store() {
    let (mut store, cache) = (hundred(), Cache::new(keen()));
    let text = "SELECT sum(v) FROM m WHERE time >= 0 AND time < 100 GROUP BY time(10ns)";
    store.damaged = vec!["a file".to_owned()];
    assert_eq!([ask(text, &store, &cache), ask(text, &store, &cache)], [CacheUse::Miss; 2]);
}

/// What happens between queries.
#[derive(Debug, Clone)]
enum Step {
    Write { column: usize, time: i64, value: i64 },
    Delete { columns: Vec<usize>, start: i64, length: i64 },
    Ask(Question),
    Forget,
    Age(i64),
}

/// A query; functions and windows are chosen of the few of a case, so that questions come again.
#[derive(Debug, Clone)]
struct Question {
    functions: prop::sample::Index,
    window: prop::sample::Index,
    from: Option<i64>,
    to: i64,
    condition: &'static str,
    group: &'static str,
    tail: String,
}

const COLUMNS: [u32; 6] = [0, 1, 100, 101, 200, 201];

/// Of the values written (integers and halves) all of these are exact in whatever portions points are added up; `stddev` is not.
const FUNCTIONS: [&str; 19] = [
    "sum(v)",
    "count(w)",
    "mean(v)",
    "max(w)",
    "first(v)",
    "last(w), sum(v)",
    "min(v), max(v)",
    "max(v), c",
    "percentile(w, 80)",
    "median(v) + count(v)",
    "spread(w), first(w)",
    "cumulative_sum(sum(v))",
    "difference(mean(w))",
    "derivative(last(v), 10ns), max(v)",
    "moving_average(sum(w), 2)",
    "top(v, 2)",
    "distinct(w)",
    "mode(w)",
    "integral(v)",
];

const WINDOWS: [&str; 5] = ["time(10ns)", "time(10ns, 3ns)", "time(25ns)", "time(60ns)", ""];

fn one_of(texts: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    prop::sample::select(texts.to_vec())
}

fn question() -> impl Strategy<Value = Question> {
    let fill = one_of(&["", "fill(none)", "fill(previous)", "fill(linear)", "fill(7)"]);
    let order = one_of(&["", "ORDER BY time DESC"]);
    let limit = one_of(&["", "LIMIT 1", "LIMIT 3 OFFSET 1", "LIMIT 4 SLIMIT 2"]);
    let tail = (fill, order, limit).prop_map(|(fill, order, limit)| format!("{fill} {order} {limit}"));
    let bounds =
        (prop::sample::select(vec![None, Some(0), Some(10), Some(33)]), prop::sample::select(vec![90, 99, 140]));
    let condition = one_of(&["", "", "", "AND c != '1'", "AND w > 0"]);
    (any::<(prop::sample::Index, prop::sample::Index)>(), bounds, condition, one_of(&["c", "c", ""]), tail).prop_map(
        |((functions, window), (from, to), condition, group, tail)| Question {
            functions,
            window,
            from,
            to,
            condition,
            group,
            tail,
        },
    )
}

impl Question {
    fn text(&self, functions: &[&str], windows: &[&str]) -> String {
        let (functions, window) = (self.functions.get(functions), self.window.get(windows));
        let from = self.from.map_or(String::new(), |from| format!("time >= {from} AND"));
        let by: Vec<&str> = [*window, self.group].into_iter().filter(|by| !by.is_empty()).collect();
        let by = if by.is_empty() { String::new() } else { format!("GROUP BY {}", by.join(", ")) };
        format!("SELECT {functions} FROM m WHERE {from} time < {} {} {by} {}", self.to, self.condition, self.tail)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let columns = prop::sample::subsequence((0..COLUMNS.len()).collect::<Vec<_>>(), 1..4);
    prop_oneof![
        10 => (0..COLUMNS.len(), 0i64..150, -9i64..9).prop_map(|(column, time, value)| Step::Write { column, time, value }),
        2 => (columns, 0i64..150, 0i64..60).prop_map(|(columns, start, length)| Step::Delete { columns, start, length }),
        20 => question().prop_map(Step::Ask),
        1 => Just(Step::Forget),
        1 => (0i64..30).prop_map(Step::Age),
    ]
}

/// A store and the cache that is told of its changes.
struct World {
    store: MemoryStore,
    cache: Cache,
    max_memory: u64,
    now: i64,
    threads: usize,
}

impl World {
    fn new(max_memory: u64, threads: usize) -> Self {
        let mut store = MemoryStore::new();
        for channel in 0..3 {
            let v = ("v", vec![5, 25, 61], Values::Integer(vec![channel, 2, 3]));
            let w = ("w", vec![7, 61], Values::Float(vec![0.5, 4.0]));
            store.add(&format!("c={channel}"), vec![v, w]);
        }
        let cache = Cache::new(CacheConfig { max_memory: ByteSize(max_memory), ..keen() });
        Self { store, cache, max_memory, now: 100, threads }
    }

    fn take(&mut self, step: Step, functions: &[&str], windows: &[&str]) -> Result<(), TestCaseError> {
        match step {
            Step::Write { column, time, value } => {
                let id = ColumnId(COLUMNS[column]);
                let is_float = id.0 % 2 == 1;
                let value = if is_float { FieldValue::Float(value as f64 / 2.0) } else { FieldValue::Integer(value) };
                self.store.write(id, time, value);
                self.cache.touched([(id, TimestampNs(time))].into_iter());
            }
            Step::Delete { columns, start, length } => {
                let range = TimeRange::new(TimestampNs(start), TimestampNs(start + length));
                let ids: Vec<_> = columns.iter().map(|&column| ColumnId(COLUMNS[column])).collect();
                ids.iter().for_each(|id| self.store.delete(*id, range));
                self.cache.deleted(&ids, range);
            }
            Step::Ask(question) => return self.ask(&question.text(functions, windows)),
            Step::Forget => self.cache.clear(),
            Step::Age(by) => {
                self.now += by;
                self.store.kept_since = TimestampNs(self.now - 95);
            }
        }
        Ok(())
    }

    fn ask(&self, text: &str) -> Result<(), TestCaseError> {
        // Some functions want windows, or go with no other fill.
        let Ok(plan) = compiled(text) else { return Ok(()) };
        let access = Access { cache: &self.cache, now: TimestampNs(self.now) };
        let cached = answer(&plan, &self.store, Some(access), self.threads).map(|(tables, _)| tables);
        let plain = answer(&plan, &self.store, None, self.threads).map(|(tables, _)| tables);
        match (cached, plain) {
            (Ok(cached), Ok(plain)) => prop_assert_eq!(cached, plain, "{}", text),
            (Err(cached), Err(plain)) => prop_assert_eq!(cached.to_string(), plain.to_string(), "{}", text),
            (cached, plain) => prop_assert!(false, "{}: {:?}, not {:?}", text, cached, plain),
        }
        prop_assert!(self.cache.stats().bytes <= self.max_memory);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn an_answer_with_the_cache_is_the_answer_without_it(
        steps in prop::collection::vec(step(), 1..60),
        functions in prop::sample::subsequence(FUNCTIONS.to_vec(), 1..3),
        windows in prop::sample::subsequence(WINDOWS.to_vec(), 1..3),
        max_memory in prop::sample::select(vec![64 << 20, 64 << 20, 20_000, 3_000]),
        threads in 1usize..3,
    ) {
        let mut world = World::new(max_memory, threads);
        for step in steps {
            world.take(step, &functions, &windows)?;
        }
    }
}

/// A store that is written to while it is read.
struct Shared(RwLock<MemoryStore>);

impl Store for Shared {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        self.0.read().unwrap().measurements(place)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        self.0.read().unwrap().schema(place, measurement)
    }

    fn series(&self, place: &Place, query: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError> {
        self.0.read().unwrap().series(place, query)
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(SharedReader(self))
    }
}

struct SharedReader<'a>(&'a Shared);

impl Reader for SharedReader<'_> {
    fn scan(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        wish: &query::Wish<'_>,
        visit: &mut dyn FnMut(query::Piece<'_>) -> std::ops::ControlFlow<()>,
    ) -> query::scan::ScanReport {
        let report = self.0.0.read().unwrap().reader().scan(column, range, wish, visit);
        // Lets writers in before the result is brought back.
        std::thread::yield_now();
        report
    }

    fn latest(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> query::scan::ScanReport {
        self.0.0.read().unwrap().reader().latest(column, range, visit)
    }

    fn extents(&mut self, column: ColumnId, range: TimeRange, out: &mut Vec<Extent>) {
        self.0.0.read().unwrap().reader().extents(column, range, out);
    }
}

/// Sum of all cells.
fn total(tables: &[Table]) -> i64 {
    let number = |cell: &Cell| if let Cell::Integer(v) = cell { *v } else { 0 };
    tables.iter().flat_map(|table| &table.cells).flatten().map(number).sum()
}

#[test]
fn no_answer_lacks_a_value_that_was_acknowledged_before_it_was_asked() {
    const WRITES: i64 = 3000;
    let mut store = MemoryStore::new();
    store.add("c=1", vec![("v", Vec::new(), Values::Integer(Vec::new()))]);
    let (store, cache) = (Shared(RwLock::new(store)), Cache::new(keen()));
    let (acknowledged, asked, done) = (AtomicI64::new(0), AtomicI64::new(0), AtomicBool::new(false));
    let plan = influxql("SELECT count(v) FROM m WHERE time >= 0 AND time < 4000 GROUP BY time(100ns)");
    let ask = || answer(&plan, &store, Some(Access { cache: &cache, now: TimestampNs(LATER) }), 1).unwrap();
    let read = || {
        while !done.load(Ordering::Acquire) {
            let before = acknowledged.load(Ordering::Acquire);
            let found = total(&ask().0);
            assert!(found >= before, "{found} of {before} acknowledged");
            asked.fetch_add(1, Ordering::Release);
        }
    };
    std::thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        for n in 0..WRITES {
            // All times in an order that jumps about.
            let (id, time) = (ColumnId(0), n * 1009 % WRITES);
            store.0.write().unwrap().write(id, time, FieldValue::Integer(n));
            cache.touched([(id, TimestampNs(time))].into_iter());
            acknowledged.store(n + 1, Ordering::Release);
            // However busy the machine is, both sides go on side by side.
            while asked.load(Ordering::Acquire) < n / 10 && !readers.iter().any(|reader| reader.is_finished()) {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(total(&ask().0), WRITES);
    let (tables, report) = ask();
    assert_eq!((total(&tables), report.cache), (WRITES, CacheUse::Hit));
    let stats = cache.stats();
    assert!(stats.windows_invalidated > 0 && stats.partial_hits > 0, "{stats:?}");
}
