//! A subject beside an embedded engine that holds the same points: both are asked the same.

use backend::{Destination, Point, PointList, Points as _, Query, Written};
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
/// `now()` of every query: a day after the first points.
const NOW: TimestampNs = TimestampNs(START + 86_400_000_000_000);

/// A subject and what it is compared with.
pub(crate) struct Trial<'a> {
    pub(crate) subject: &'a dyn Subject,
    reference: Plant,
}

impl<'a> Trial<'a> {
    /// Both without points.
    pub(crate) fn new(subject: &'a dyn Subject) -> Self {
        let reference = Plant::new();
        reference.make(subject.place());
        Self { subject, reference }
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
        let mut kept = PointList::new(points.place().clone());
        points.visit(0..points.len(), &mut |point| {
            if let Some(value) = self.subject.keeps(point.value) {
                kept.push(Point { value, ..point });
            }
        });
        assert_eq!(self.reference.write(&kept), 0, "the points contradict each other");
        let filtered = (points.len() - kept.len()) as u64;
        match self.subject.write(points) {
            Ok(written) => assert_eq!(written, Written { filtered }),
            Err(error) => panic!("write: {error:?}"),
        }
    }

    /// Both give the same rows to a query, bit by bit as far as the subject keeps numbers so.
    #[track_caller]
    pub(crate) fn same(&self, question: &str) {
        self.compare(question, self.subject.abilities().error);
    }

    /// Both compute the same, but for rounding.
    #[track_caller]
    pub(crate) fn alike(&self, question: &str) {
        self.compare(question, ROUNDING);
    }

    /// The same with InfluxDB's windows, which know no calendar.
    #[track_caller]
    pub(crate) fn alike_in_strict_dialect(&self, question: &str) {
        let plan = plan_in(Dialect::Strict, question, &self.place().database);
        if let Some(difference) = self.difference_of(&plan, ROUNDING) {
            panic!("{question}\n{difference}");
        }
    }

    #[track_caller]
    fn compare(&self, question: &str, error: f64) {
        if let Some(difference) = self.difference_by(question, error) {
            panic!("{question}\n{difference}");
        }
    }

    /// Where the answers to a query differ.
    pub(crate) fn difference(&self, question: &str) -> Option<String> {
        self.difference_by(question, self.subject.abilities().error)
    }

    fn difference_by(&self, question: &str, error: f64) -> Option<String> {
        self.difference_of(&self.plan(question), error)
    }

    fn difference_of(&self, plan: &Select, error: f64) -> Option<String> {
        let expected = run(&self.reference.store, plan).unwrap_or_else(|e| panic!("reference: {e}"));
        match run(self.subject.backend(), plan) {
            Ok(found) => difference(&expected, &found, error),
            Err(failure) => Some(format!("{failure:?}")),
        }
    }

    /// Both give rows, and the same ones: for questions whose answer must not be empty.
    #[track_caller]
    pub(crate) fn same_rows(&self, question: &str, rows: usize) {
        assert_eq!(self.rows(question), rows, "{question}");
        self.same(question);
    }

    /// Number of rows of the subject's answer.
    #[track_caller]
    pub(crate) fn rows(&self, question: &str) -> usize {
        self.ask(question).series.iter().map(|series| series.times.len()).sum()
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
        let found = ask(self.subject.backend()).unwrap_or_else(|e| panic!("latest of {query:?}: {e:?}"));
        if let Some(difference) = difference(&expected, &found, self.subject.abilities().error) {
            panic!("latest of {query:?}: {difference}");
        }
        found
    }

    fn plan(&self, question: &str) -> Select {
        plan(question, &self.place().database)
    }
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
    let cancel = Cancel::new();
    collect(plan, &Limits::default(), |plan, limits, sink| {
        let options = Options { limits, cancel: &cancel, registry: Registry::shared(), threads: 2, into: false };
        store.query(plan, &options, sink)
    })
}
