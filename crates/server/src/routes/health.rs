//! How it goes: `/ping`, `/health`, `/ready`, `/metrics`, `/api/v1/status`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Route, json as json_text, parameter, parameters};
use crate::app::Shared;
use crate::error::{ApiError, ErrorKind};
use crate::influx;
use crate::metrics::Group;
use crate::service::Health;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/ping", Group::Health, ping),
        Route::get("/health", Group::Health, health),
        Route::get("/ready", Group::Health, ready),
        Route::get("/metrics", Group::Health, metrics),
        Route::get("/api/v1/status", Group::Health, status),
    ]
}

/// As InfluxDB 1.8: 204, or 200 and the version with `verbose`.
async fn ping(uri: Uri) -> Result<Response, ApiError> {
    let list = parameters(&uri)?;
    let verbose = !matches!(parameter(&list, "verbose"), None | Some("" | "0" | "false"));
    let response = if verbose {
        Json(json!({ "version": influx::VERSION })).into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    };
    Ok(influx::with_version(response))
}

/// In InfluxDB 2's shape.
async fn health(State(app): State<Shared>) -> Response {
    let (status, word, message) = match app.historian.health() {
        Health::Pass => (StatusCode::OK, "pass", "ready for queries and writes".to_owned()),
        Health::Fail(message) => (StatusCode::SERVICE_UNAVAILABLE, "fail", message),
    };
    let body = json!({ "name": "hissrv", "status": word, "message": message, "version": VERSION });
    influx::with_version((status, Json(body)).into_response())
}

async fn ready(State(app): State<Shared>) -> Result<Response, ApiError> {
    match app.historian.ready() {
        Ok(()) => Ok(Json(json!({ "status": "ready", "version": VERSION })).into_response()),
        Err(reason) => Err(ApiError::new(ErrorKind::Unavailable, reason).with_hint("it becomes ready by itself")),
    }
}

async fn metrics(State(app): State<Shared>) -> Result<Response, ApiError> {
    let historian = Arc::clone(&app.historian);
    let mut text = app.blocking(move || historian.metrics()).await?;
    text.push_str(&app.metrics.to_prometheus(app.budget.free()));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn status(State(app): State<Shared>) -> Result<Response, ApiError> {
    let historian = Arc::clone(&app.historian);
    app.blocking(move || historian.status()).await.map(json_text)
}
