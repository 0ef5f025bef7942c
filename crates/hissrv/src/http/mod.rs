//! The node as the HTTP server sees it: requests in, JSON out.

mod alerts;
mod dead_letters;
mod events;
mod stores;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use archive::Scope;
use catalog::{Catalog, MetaError};
use formats::{Output, Packing};
use model::{MeasurementId, Precision};
use pipeline::{IntakeError, LineWrite, Outcome, Target};
use query::aggregate::Registry;
use query::execute::{Options, Sink};
use query::plan::{NameOrPattern, Source};
use query::request::AggregateType;
use query::store::{Place, SeriesQuery, Store, TagCondition, TagMatch};
use query::{
    AggregateRequest, Answer, Cancel, Limits, PlotRequest, QueryError, QueryResult, Report, RequestContext, Select,
    SeriesRequest, Shortcuts, collect, collect_each, response,
};
use serde_json::json;
use server::{
    Answered, ApiError, Dropped, ErrorKind, Health, Historian, InfluxRequest, LetterAction, Modifying, QueryOptions,
    RetentionRun, StoreAction, WriteDone, WriteFailure, WriteOutcome, WriteRequest,
};

use crate::node::{Node, now};

/// Answers HTTP requests from a node.
pub(crate) struct Service(pub(crate) Arc<Node>);

impl Historian for Service {
    fn write(&self, request: WriteRequest, done: WriteDone) {
        let node = &self.0;
        if !node.is_running() {
            return done(Err(WriteFailure::Shutdown));
        }
        let target = match self.target(&request) {
            Ok(target) => target,
            Err(failure) => return done(Err(failure)),
        };
        let write = LineWrite { target: &target, text: &request.body, precision: request.precision, now: now() };
        let database = request.database.clone();
        let done = move |outcome: Result<_, _>| done(outcome.map(to_outcome).map_err(|e| to_failure(&e, &database)));
        node.intake.write_lines(write, done);
    }

    fn query_series(&self, body: &[u8], options: &QueryOptions) -> Result<Answered, ApiError> {
        let request = SeriesRequest::parse(body)?;
        let shortcuts = request.shortcuts();
        let plan = request.into_plan(&self.context(options.epoch))?;
        self.run(&plan, shortcuts, options)
    }

    fn query_aggregate(&self, body: &[u8], options: &QueryOptions) -> Result<Answered, ApiError> {
        let request = AggregateRequest::parse(body)?;
        let (kind, shortcuts) = (request.aggregate_type, request.shortcuts());
        let mut plan = request.into_plan(&self.context(options.epoch))?;
        if kind != AggregateType::Custom {
            self.fit_to_types(&mut plan)?;
        }
        self.run(&plan, shortcuts, options)
    }

    fn query_plot(&self, body: &[u8], options: &QueryOptions) -> Result<Answered, ApiError> {
        let request = PlotRequest::parse(body)?;
        let shortcuts = request.shortcuts();
        let plans = request.into_plans(&self.context(options.epoch))?;
        let ask = |plan: &Select, limits: &Limits, sink: Sink<'_>| self.ask(plan, shortcuts, options, limits, sink);
        answered(&collect_each(&plans, &self.0.limits, ask)?, options.epoch)
    }

    fn influxql(&self, request: &InfluxRequest, answer: &mut dyn Answer) -> Result<(), ApiError> {
        let request = statements::Request {
            text: &request.text,
            database: request.database.as_deref(),
            policy: request.policy.as_deref(),
            parameters: request.parameters.as_deref(),
            cancel: &request.cancel,
            modifying_is_deprecated: request.modifying == Modifying::Deprecated,
            shortcuts: request.shortcuts,
            tells_origins: request.tells_origins,
        };
        let failed = |e: statements::RequestError| ApiError::new(ErrorKind::BadRequest, e.to_string());
        self.0.statements.run(&request, answer).map_err(failed)
    }

    fn latest(&self, parameters: &[(String, String)], options: &QueryOptions) -> Result<Vec<u8>, ApiError> {
        let question = Question::read(parameters, &self.0.database, Asks::Values)?;
        let (place, wanted) = question.into_query();
        let result = self.0.backend.latest(&place, wanted, &options.cancel)?;
        to_json(&result, options.epoch)
    }

    fn measurements(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        let question = Question::read(parameters, &self.0.database, Asks::Names)?;
        let found =
            self.0.catalog.measurements_of(&question.database, question.policy.as_deref()).map_err(not_found)?;
        Ok(json!({ "measurements": found }).to_string().into_bytes())
    }

    fn tags(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        let question = Question::read(parameters, &self.0.database, Asks::Measurement)?;
        let measurement = question.measurement(&self.0.catalog)?;
        let names = self.0.catalog.read();
        let keys = names.tag_keys(measurement);
        let tags: BTreeMap<_, _> =
            keys.into_iter().map(|key| (key.clone(), names.tag_values(measurement, &key))).collect();
        Ok(json!({ "measurement": question.measurement, "tags": tags }).to_string().into_bytes())
    }

    fn fields(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        let question = Question::read(parameters, &self.0.database, Asks::Measurement)?;
        let measurement = question.measurement(&self.0.catalog)?;
        let names = self.0.catalog.read();
        let known = names.fields(measurement);
        let fields: Vec<_> = known.iter().map(|f| json!({ "name": f.name, "type": f.kind.to_string() })).collect();
        Ok(json!({ "measurement": question.measurement, "fields": fields }).to_string().into_bytes())
    }

    fn export(
        &self,
        parameters: &[(String, String)],
        cancel: &Cancel,
        to: Box<dyn Write + Send>,
    ) -> Result<String, ApiError> {
        let question = crate::export::Question::read(parameters, &self.0.database, now())?;
        let failed = |e: std::io::Error| internal(e.to_string());
        let summary = crate::export::run(&self.0, &question, cancel, Output::new(to, Packing::Plain).map_err(failed)?)?;
        serde_json::to_string(&summary).map_err(|e| internal(e.to_string()))
    }

    fn status(&self) -> Vec<u8> {
        self.0.status().to_string().into_bytes()
    }

    fn metrics(&self) -> String {
        self.0.metrics()
    }

    fn health(&self) -> Health {
        let journal = self.0.journal.stats();
        if journal.poisoned {
            let advice =
                "the journal takes no writes since a write to its disk failed: check the disk, then restart hissrv";
            return Health::Fail(advice.to_owned());
        }
        let applier_ended = self.0.applier.as_ref().is_some_and(|applier| applier.has_ended());
        let writer_ended = self.0.remotes.iter().any(|remote| remote.writer.has_ended());
        if self.0.is_running() && (applier_ended || writer_ended) {
            return Health::Fail(
                "values are no longer taken into a store: see the log, then restart hissrv".to_owned(),
            );
        }
        if self.0.is_running() && self.0.eventing.has_ended() {
            return Health::Fail("events are no longer made: see the log, then restart hissrv".to_owned());
        }
        Health::Pass
    }

    fn ready(&self) -> Result<(), String> {
        self.0.ready()
    }

    fn flush(&self, compact: bool) -> Result<Vec<u8>, ApiError> {
        let failed = |e: engine::EngineError| internal(e.to_string());
        self.0.flush().map_err(failed)?;
        if compact {
            self.0.engine.compact_all().map_err(failed)?;
        }
        let stats = self.0.engine.stats();
        let done = json!({ "flushed_seq": stats.flushed_seq.0, "files": stats.files, "file_bytes": stats.file_bytes });
        Ok(done.to_string().into_bytes())
    }

    fn retention(&self, run: RetentionRun) -> Result<Vec<u8>, ApiError> {
        if self.0.applier.is_none() {
            let message = "the embedded store is switched off: remote stores remove old values themselves";
            return Err(ApiError::new(ErrorKind::BadRequest, message));
        }
        let retention = &self.0.retention;
        let report = if run.dry { retention.look(run.forced) } else { retention.enforce(run.forced) };
        Ok(report.to_string().into_bytes())
    }

    fn archive(&self) -> Result<Vec<u8>, ApiError> {
        let Some(archiver) = &self.0.archiver else {
            let message = "there is no archive: the configuration has no section storage.archive";
            return Err(ApiError::new(ErrorKind::BadRequest, message));
        };
        self.0.ready().map_err(|e| ApiError::new(ErrorKind::Unavailable, e))?;
        serde_json::to_vec(&archiver.run(&Scope::All)).map_err(|e| internal(e.to_string()))
    }

    fn control_store(&self, name: &str, action: StoreAction) -> Result<Vec<u8>, ApiError> {
        stores::control(&self.0, name, action)
    }

    fn dead_letters(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        dead_letters::list(&self.0, parameters)
    }

    fn treat_dead_letters(&self, action: LetterAction, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        dead_letters::treat(&self.0, action, parameters)
    }

    fn alerts(&self) -> Result<Vec<u8>, ApiError> {
        alerts::list(&self.0)
    }

    fn silence(&self, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        alerts::silence(&self.0, body)
    }

    fn unsilence(&self, id: &str) -> Result<Vec<u8>, ApiError> {
        alerts::unsilence(&self.0, id)
    }

    fn events(&self, parameters: &[(String, String)], options: &QueryOptions) -> Result<Vec<u8>, ApiError> {
        events::list(&self.0, parameters, options)
    }

    fn generate_events(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        events::generate(&self.0, parameters)
    }
}

impl Service {
    fn target(&self, request: &WriteRequest) -> Result<Target, WriteFailure> {
        let (database, policy) = (&request.database, request.retention_policy.as_deref());
        self.0.intake.target(database, policy).map_err(|e| match e {
            MetaError::DatabaseNotFound(name) => WriteFailure::NoSuchDatabase(name),
            MetaError::PolicyNotFound(name) => WriteFailure::NoSuchRetentionPolicy(name),
            e => WriteFailure::Internal(e.to_string()),
        })
    }

    /// Leaves out of a request's plan what the types of its measurement's fields do not have.
    fn fit_to_types(&self, plan: &mut Select) -> Result<(), QueryError> {
        let [Source::Measurement(wanted)] = plan.sources.as_slice() else { return Ok(()) };
        let NameOrPattern::Name(name) = &wanted.name else { return Ok(()) };
        let place = Place { database: wanted.database.clone(), policy: wanted.policy.clone() };
        let kinds: BTreeMap<_, _> = self.0.embedded.schema(&place, name)?.fields.into_iter().collect();
        plan.fit_to_types(&|field| kinds.get(field).copied());
        Ok(())
    }

    fn context(&self, epoch: Option<Precision>) -> RequestContext {
        RequestContext { database: self.0.database.clone(), now: now(), epoch }
    }

    fn run(&self, plan: &Select, shortcuts: Shortcuts, options: &QueryOptions) -> Result<Answered, ApiError> {
        let ask = |plan: &Select, limits: &Limits, sink: Sink<'_>| self.ask(plan, shortcuts, options, limits, sink);
        answered(&collect(plan, &self.0.limits, ask)?, options.epoch)
    }

    /// Has the store that answers run a plan.
    fn ask(
        &self,
        plan: &Select,
        shortcuts: Shortcuts,
        options: &QueryOptions,
        limits: &Limits,
        sink: Sink<'_>,
    ) -> Result<Report, QueryError> {
        let (cancel, registry) = (&options.cancel, Registry::shared());
        let options = Options { limits, cancel, registry, threads: threads(), into: false, shortcuts, cache: None };
        self.0.backend.query(plan, &options, sink)
    }
}

/// Threads that one query may use.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn answered(result: &QueryResult, epoch: Option<Precision>) -> Result<Answered, ApiError> {
    Ok(Answered { body: to_json(result, epoch)?, cache: result.cache })
}

fn to_json(result: &QueryResult, epoch: Option<Precision>) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::new();
    response::write_json(result, epoch, &mut out).map_err(|e| internal(e.to_string()))?;
    Ok(out)
}

fn internal(message: String) -> ApiError {
    ApiError { kind: ErrorKind::Internal, message, hint: String::new() }
}

fn to_outcome(outcome: Outcome) -> WriteOutcome {
    let Outcome { lines, rejected, malformed, dropped, .. } = outcome;
    let conflict = rejected.iter().find(|r| !r.malformed).map(|r| format!("{} (line {})", r.message, r.line));
    WriteOutcome {
        accepted: lines,
        rejected: rejected.into_iter().filter(|r| r.malformed).map(|r| r.message).collect(),
        rejected_total: malformed,
        dropped: conflict.map(|reason| Dropped { reason, points: dropped }),
    }
}

fn to_failure(e: &IntakeError, database: &str) -> WriteFailure {
    match e {
        IntakeError::Catalog(catalog::CatalogError::Dropped) => WriteFailure::NoSuchDatabase(database.to_owned()),
        e if e.is_retryable() => WriteFailure::Full(e.to_string()),
        IntakeError::Journal(journal::AppendError::Closed) => WriteFailure::Shutdown,
        IntakeError::Catalog(
            catalog::CatalogError::TooManySeries { .. } | catalog::CatalogError::TooManyColumns { .. },
        ) => WriteFailure::BadRequest(e.to_string()),
        e => WriteFailure::Internal(e.to_string()),
    }
}

fn not_found(e: MetaError) -> QueryError {
    match e {
        MetaError::DatabaseNotFound(name) => QueryError::NotFound { what: "database", name },
        MetaError::PolicyNotFound(name) => QueryError::NotFound { what: "retention policy", name },
        other => QueryError::Store(other.to_string()),
    }
}

/// How much a GET request says about what it wants.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Names of a database.
    Names,
    /// Names of a measurement.
    Measurement,
    /// Values of a measurement's fields and tags.
    Values,
}

/// What a GET request asks about, from its parameters.
struct Question {
    database: String,
    policy: Option<String>,
    measurement: String,
    fields: Vec<String>,
    tags: Vec<TagCondition>,
}

impl Question {
    fn read(parameters: &[(String, String)], database: &str, asks: Asks) -> Result<Self, QueryError> {
        let mut q = Self {
            database: database.to_owned(),
            policy: None,
            measurement: String::new(),
            fields: Vec::new(),
            tags: Vec::new(),
        };
        for (key, value) in parameters {
            let value = value.clone();
            match (key.as_str(), key.strip_prefix("tag.")) {
                ("db", _) => q.database = value,
                ("rp", _) => q.policy = Some(value),
                ("measurement", _) if asks != Asks::Names => q.measurement = value,
                ("field", _) if asks == Asks::Values => q.fields.push(value),
                (_, Some(tag)) if asks == Asks::Values => {
                    q.tags.push(TagCondition { key: tag.to_owned(), matches: TagMatch::In(vec![value]) });
                }
                _ => return Err(QueryError::invalid(format!("unknown parameter `{key}`"))),
            }
        }
        if asks != Asks::Names && q.measurement.is_empty() {
            return Err(QueryError::invalid("the parameter `measurement` is missing"));
        }
        Ok(q)
    }

    fn measurement(&self, catalog: &Catalog) -> Result<MeasurementId, QueryError> {
        let bucket =
            catalog.bucket_for(&self.database, self.policy.as_deref(), &self.measurement).map_err(not_found)?;
        let missing = || QueryError::NotFound { what: "measurement", name: self.measurement.clone() };
        catalog.read().measurement(bucket, &self.measurement).ok_or_else(missing)
    }

    fn into_query(self) -> (Place, SeriesQuery) {
        let wanted = SeriesQuery {
            measurement: self.measurement,
            fields: self.fields,
            filter: self.tags,
            ..SeriesQuery::default()
        };
        (Place { database: self.database, policy: self.policy }, wanted)
    }
}
