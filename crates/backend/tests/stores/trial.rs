//! A subject beside an embedded engine that holds the same points: both are asked the same.

use std::cell::RefCell;

use backend::{Destination, Point, PointList, Points as _, Query, WriteError, Written};
use model::TimestampNs;
use query::aggregate::Registry;
use query::compile::{Context, Dialect, compile};
use query::execute::Options;
use query::store::{Place, SeriesQuery};
use query::{Cancel, Cell, Limits, QueryError, QueryResult, Select, collect};

use crate::data::{START, list};
use crate::difference::difference;
use crate::embedded::Plant;
use crate::subjects::Subject;

/// What sums in different orders may differ by.
const ROUNDING: f64 = 1e-9;
/// Breaches of one promise that are shown.
const SHOWN: usize = 8;
/// `now()` of every query: a day after the first points.
const NOW: TimestampNs = TimestampNs(START + 86_400_000_000_000);

/// A subject and what it is compared with.
pub(crate) struct Trial<'a> {
    pub(crate) subject: &'a dyn Subject,
    reference: Plant,
    broken: RefCell<Vec<String>>,
}

impl<'a> Trial<'a> {
    /// Both without points.
    pub(crate) fn new(subject: &'a dyn Subject) -> Self {
        let reference = Plant::new();
        reference.make(subject.place());
        Self { subject, reference, broken: RefCell::default() }
    }

    /// Where points go.
    pub(crate) fn place(&self) -> &Destination {
        self.subject.place()
    }

    /// Writes these points to both.
    #[track_caller]
    pub(crate) fn write(&self, points: &[Point<'_>]) {
        self.write_list(&list(self.place(), points));
    }

    /// Writes these points to both. What the subject has no type for has to be counted.
    #[track_caller]
    pub(crate) fn write_list(&self, points: &PointList) {
        self.try_write_list(points).unwrap_or_else(|error| panic!("write: {error:?}"));
    }

    /// Writes these points to the subject, and to the reference what the subject takes.
    #[track_caller]
    pub(crate) fn try_write(&self, points: &[Point<'_>]) -> Result<(), WriteError> {
        self.try_write_list(&list(self.place(), points))
    }

    #[track_caller]
    fn try_write_list(&self, points: &PointList) -> Result<(), WriteError> {
        let mut kept = PointList::new(points.place().clone());
        points.visit(0..points.len(), &mut |point| {
            if let Some(value) = self.subject.keeps(point.value) {
                kept.push(Point { value, ..point });
            }
        });
        let filtered = (points.len() - kept.len()) as u64;
        assert_eq!(self.subject.write(points)?, Written { filtered });
        assert_eq!(self.reference.write(&kept), 0, "the points contradict each other");
        Ok(())
    }

    /// Both give the same rows to a query, bit by bit as far as the subject keeps numbers so.
    pub(crate) fn same(&self, question: &str) {
        self.compare(question, &self.plan(question), self.subject.abilities().error);
    }

    /// Both compute the same, but for rounding.
    pub(crate) fn alike(&self, question: &str) {
        self.compare(question, &self.plan(question), ROUNDING);
    }

    /// The same with InfluxDB's windows, which know no calendar.
    pub(crate) fn alike_in_strict_dialect(&self, question: &str) {
        let plan = plan_in(Dialect::Strict, question, &self.place().database);
        self.compare(question, &plan, ROUNDING);
    }

    fn compare(&self, question: &str, plan: &Select, error: f64) {
        let expected = run(&self.reference.store, plan).unwrap_or_else(|e| panic!("reference: {question}: {e}"));
        let difference = match run(self.subject.backend(), plan) {
            Ok(found) => difference(&expected, &found, error),
            Err(failure) => Some(format!("{failure:?}")),
        };
        if let Some(difference) = difference {
            self.broken(format!("{question}\n    {difference}"));
        }
    }

    /// Notes a breach of the promise; the trial fails at its end, with all of them.
    pub(crate) fn broken(&self, breach: String) {
        self.broken.borrow_mut().push(breach);
    }

    /// Both give so many rows, and the same ones: for questions whose answer must not be empty.
    pub(crate) fn same_rows(&self, question: &str, rows: usize) {
        self.same(question);
        match run(self.subject.backend(), &self.plan(question)).map(|answer| row_count(&answer)) {
            Ok(found) if found == rows => {}
            found => self.broken(format!("{question}\n    expected {rows} rows, found {found:?}")),
        }
    }

    /// Times and values of the only column of the only series the subject answers with; none where it answers with none.
    #[track_caller]
    pub(crate) fn column(&self, question: &str) -> Vec<(i64, Cell)> {
        let mut series = self.ask(question).series;
        assert!(series.len() <= 1, "{question}: {} series", series.len());
        let Some(mut only) = series.pop() else { return Vec::new() };
        assert_eq!(only.columns.len(), 1, "{question}");
        let times = only.times.iter().map(|time| time.0);
        times.zip(only.columns.swap_remove(0).cells).collect()
    }

    /// The subject's answer.
    #[track_caller]
    pub(crate) fn ask(&self, question: &str) -> QueryResult {
        run(self.subject.backend(), &self.plan(question)).unwrap_or_else(|e| panic!("{question}: {e:?}"))
    }

    /// The latest values of both are the same.
    #[track_caller]
    pub(crate) fn same_latest(&self, query: &SeriesQuery) -> QueryResult {
        let place = Place { database: self.place().database.clone(), policy: None };
        let ask = |store: &dyn Query| {
            let mut result = store.latest(&place, query.clone(), &Cancel::new())?;
            // What order series and fields come in is not promised.
            result.series.sort_by_key(|s| (s.tags.clone(), s.columns[0].name.clone()));
            Ok::<_, QueryError>(result)
        };
        let expected = ask(&self.reference.store).unwrap();
        let found = ask(self.subject.backend()).unwrap_or_else(|failure| {
            self.broken(format!("latest of {query:?}\n    {failure:?}"));
            expected.clone()
        });
        if let Some(difference) = difference(&expected, &found, self.subject.abilities().error) {
            self.broken(format!("latest of {query:?}\n    {difference}"));
        }
        found
    }

    fn plan(&self, question: &str) -> Select {
        plan(question, &self.place().database)
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        let broken = self.broken.borrow();
        if !broken.is_empty() && !std::thread::panicking() {
            let shown = &broken[..broken.len().min(SHOWN)];
            panic!("{} breaches, such as:\n{}", broken.len(), shown.join("\n"));
        }
    }
}

fn row_count(answer: &QueryResult) -> usize {
    answer.series.iter().map(|series| series.times.len()).sum()
}

/// The plan of a query about a database.
#[track_caller]
pub(crate) fn plan(question: &str, database: &str) -> Select {
    plan_in(Dialect::Extended, question, database)
}

#[track_caller]
fn plan_in(dialect: Dialect, question: &str, database: &str) -> Select {
    let parsed = influxql::parse(question, &influxql::Params::default(), &influxql::Limits::default());
    let statements = parsed.unwrap_or_else(|e| panic!("{question}: {e}"));
    let [influxql::ast::Statement::Select(select)] = statements.as_slice() else { panic!("one SELECT: {question}") };
    let database = Some(database.to_owned());
    let context = Context { now: NOW, database, policy: None, dialect, into: false };
    compile(select, &context).unwrap_or_else(|e| panic!("{question}: {e}"))
}

/// The whole answer of a store.
pub(crate) fn run<S: Query + ?Sized>(store: &S, plan: &Select) -> Result<QueryResult, QueryError> {
    run_within(store, plan, &Limits::default())
}

/// The same within limits.
pub(crate) fn run_within<S: Query + ?Sized>(
    store: &S,
    plan: &Select,
    limits: &Limits,
) -> Result<QueryResult, QueryError> {
    let cancel = Cancel::new();
    collect(plan, limits, |plan, limits, sink| {
        let options = Options {
            limits,
            cancel: &cancel,
            registry: Registry::shared(),
            threads: 2,
            into: false,
            shortcuts: query::Shortcuts::NONE,
            cache: None,
        };
        store.query(plan, &options, sink)
    })
}
