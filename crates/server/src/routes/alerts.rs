//! Alerts: `GET /api/v1/alerts`, `POST /api/v1/admin/silence`, `POST /api/v1/admin/unsilence`. All of them work while the journal is
//! still taken in: it is then that people ask.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, Uri};
use axum::response::Response;

use super::admin::{missing, refuse_other_sites};
use super::{Route, json, parameter, parameters};
use crate::app::Shared;
use crate::body;
use crate::error::{ApiError, ErrorKind};
use crate::metrics::Group;

/// Largest silence in bytes; it holds a few labels and windows.
const MAX_SILENCE: u64 = 64 << 10;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/alerts", Group::Admin, alerts),
        Route::post("/api/v1/admin/silence", Group::Admin, silence),
        Route::post("/api/v1/admin/unsilence", Group::Admin, unsilence),
    ]
}

async fn alerts(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    refuse_unknown(&parameters(&uri)?, &[])?;
    let historian = Arc::clone(&app.historian);
    app.blocking(move || historian.alerts()).await?.map(json)
}

async fn silence(State(app): State<Shared>, request: Request<Body>) -> Result<Response, ApiError> {
    refuse_other_sites(request.headers())?;
    refuse_unknown(&parameters(request.uri())?, &[])?;
    let rules = app.body_rules(MAX_SILENCE.min(app.config.max_body.0));
    let collected = body::collect(request, rules, &app.budget).await?;
    app.metrics.body_received(collected.bytes.len());
    let historian = Arc::clone(&app.historian);
    app.blocking(move || historian.silence(&collected.bytes)).await?.map(json)
}

async fn unsilence(State(app): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, ApiError> {
    refuse_other_sites(&headers)?;
    let list = parameters(&uri)?;
    refuse_unknown(&list, &["id"])?;
    let id = parameter(&list, "id").ok_or_else(|| missing("id", "the id of a silence, as /api/v1/alerts shows it"))?;
    let (id, historian) = (id.to_owned(), Arc::clone(&app.historian));
    app.blocking(move || historian.unsilence(&id)).await?.map(json)
}

fn refuse_unknown(list: &[(String, String)], known: &[&str]) -> Result<(), ApiError> {
    match list.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        Some((unknown, _)) => Err(ApiError::new(ErrorKind::BadRequest, format!("unknown parameter `{unknown}`"))),
        None => Ok(()),
    }
}
