//! The example of docs/extending.md: what stands there is what is compiled here, installed, and asked for.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail the test")]

mod range_ratio;
#[path = "../behaviour/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use model::{FieldType, TimeRange, TimestampNs, Values};
use query::aggregate::{Accumulator, AggregateFunction, InstallError, Registry, Wants};
use query::compile::{Context, Dialect, compile};
use query::{AggregateRequest, Cell, QueryError, RequestContext, Select};
use range_ratio::RangeRatio;
use support::{MemoryStore, cells, influxql, run};

/// 2026-11-22T00:00:00Z
const MIDNIGHT: i64 = 1_795_305_600 * 1_000_000_000;
const MINUTE: i64 = 60 * 1_000_000_000;

const DOCUMENT: &str = include_str!("../../../../docs/extending.md");

/// The text of the first block of a language in the document.
fn block(language: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

fn request(body: &str) -> Select {
    let context = RequestContext { now: TimestampNs(100), database: "telemetry".to_owned(), epoch: None };
    AggregateRequest::parse(body.as_bytes()).unwrap().into_plan(&context).unwrap()
}

fn strict(text: &str) -> Result<Select, QueryError> {
    let statements = ::influxql::parse(text, &Default::default(), &Default::default()).unwrap();
    let [::influxql::ast::Statement::Select(select)] = statements.as_slice() else { panic!("one SELECT: {text}") };
    let context = Context {
        now: TimestampNs(100),
        database: Some("telemetry".to_owned()),
        policy: None,
        dialect: Dialect::Strict,
        into: false,
    };
    compile(select, &context)
}

#[test]
fn the_document_shows_the_code_that_is_compiled_here() {
    assert_eq!(block("rust"), include_str!("range_ratio.rs"));
}

/// A function of any name.
struct Named(&'static str);

impl AggregateFunction for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn accepts(&self, kind: FieldType) -> bool {
        RangeRatio.accepts(kind)
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        RangeRatio.result_type(kind)
    }

    fn new_state(&self, numbers: &[f64], kind: FieldType, span: TimeRange, wants: Wants) -> Box<dyn Accumulator> {
        RangeRatio.new_state(numbers, kind, span, wants)
    }
}

/// One test, since functions are installed once a process and before the first query.
#[test]
fn an_installed_function_is_asked_for_in_requests_and_in_influxql() {
    assert_eq!(Registry::install(Box::new(RangeRatio)), Ok(()));
    let name = "range_ratio";
    assert_eq!(Registry::install(Box::new(RangeRatio)), Err(InstallError::Taken { name }));
    for name in ["mean", "top", "sqrt", "moving_average", "time"] {
        assert_eq!(Registry::install(Box::new(Named(name))), Err(InstallError::Taken { name }));
    }
    for name in ["", "Ratio", "2nd", "a-b"] {
        assert_eq!(Registry::install(Box::new(Named(name))), Err(InstallError::Name { name }));
    }

    let mut store = MemoryStore::new();
    let times = [0, 10, 20, 60, 70].map(|minute| MIDNIGHT + minute * MINUTE).to_vec();
    store.add("c=1", vec![("value", times, Values::Float(vec![1.0, 3.0, 2.0, 5.0, 5.0]))]);
    let expected = [Cell::Float(100.0), Cell::Float(0.0)];
    assert_eq!(cells(&run(&request(block("json")), &store).series[0], "value"), expected);
    assert_eq!(cells(&run(&influxql(block("sql")), &store).series[0], "range_ratio"), expected);
    let refusal = strict(block("sql")).unwrap_err().to_string();
    assert!(DOCUMENT.contains(&format!("`{refusal}`")), "{refusal}");

    let name = "too_late";
    let late = Registry::install(Box::new(Named(name))).unwrap_err();
    assert_eq!(late, InstallError::Late { name });
    assert_eq!(
        late.to_string(),
        "the function `too_late` comes too late: functions are installed before the first query"
    );
}
