//! Questions: `POST /api/v1/query/series`, `/api/v1/query/aggregate` and `/api/v1/query/plot`, `GET /api/v1/latest`. JSON passes
//! through; the historian knows what it means. The header `Cache` of an answer tells whether it came from the cache.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Request, Uri};
use axum::response::Response;
use model::Precision;

use super::{Route, json, parameter, parameters};
use crate::app::{App, Shared};
use crate::body::{self, Collected};
use crate::error::{ApiError, ErrorKind};
use crate::metrics::Group;
use crate::service::Answered;

const CACHE: HeaderName = HeaderName::from_static("cache");

/// Largest question in bytes; lists of thousands of series fit.
const MAX_QUESTION: u64 = 1 << 20;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/query/series", Group::Query, series),
        Route::post("/api/v1/query/aggregate", Group::Query, aggregate),
        Route::post("/api/v1/query/plot", Group::Query, plot),
        Route::get("/api/v1/latest", Group::Query, latest),
    ]
}

async fn series(State(app): State<Shared>, request: Request<Body>) -> Result<Response, ApiError> {
    let epoch = epoch(&parameters(request.uri())?)?;
    let question = question(&app, request).await?;
    app.query_json(epoch, move |historian, options| historian.query_series(&question.bytes, options)).await.map(answer)
}

async fn aggregate(State(app): State<Shared>, request: Request<Body>) -> Result<Response, ApiError> {
    let epoch = epoch(&parameters(request.uri())?)?;
    let question = question(&app, request).await?;
    app.query_json(epoch, move |historian, options| historian.query_aggregate(&question.bytes, options))
        .await
        .map(answer)
}

async fn plot(State(app): State<Shared>, request: Request<Body>) -> Result<Response, ApiError> {
    let epoch = epoch(&parameters(request.uri())?)?;
    let question = question(&app, request).await?;
    app.query_json(epoch, move |historian, options| historian.query_plot(&question.bytes, options)).await.map(answer)
}

async fn latest(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let mut list = parameters(&uri)?;
    let epoch = epoch(&list)?;
    list.retain(|(key, _)| key != "epoch");
    app.query_json(epoch, move |historian, options| historian.latest(&list, options)).await.map(json)
}

fn answer(answered: Answered) -> Response {
    let mut response = json(answered.body);
    response.headers_mut().insert(CACHE, HeaderValue::from_static(answered.cache.name()));
    response
}

/// The unit of times from the parameter `epoch`.
pub(super) fn epoch(list: &[(String, String)]) -> Result<Option<Precision>, ApiError> {
    match parameter(list, "epoch") {
        None | Some("") => Ok(None),
        Some("ns") => Ok(Some(Precision::Nanosecond)),
        Some("us") => Ok(Some(Precision::Microsecond)),
        Some("ms") => Ok(Some(Precision::Millisecond)),
        Some("s") => Ok(Some(Precision::Second)),
        Some(other) => {
            let message = format!("epoch must be one of ns, us, ms, s, but is {other:?}");
            Err(ApiError::new(ErrorKind::BadRequest, message))
        }
    }
}

/// Its part of the budget is held until the answer is there.
async fn question(app: &App, request: Request<Body>) -> Result<Collected, ApiError> {
    let rules = app.body_rules(MAX_QUESTION.min(app.config.max_body.0));
    let collected = body::collect(request, rules, &app.budget).await?;
    app.metrics.body_received(collected.bytes.len());
    Ok(collected)
}
