//! Tasks for the operator: `POST /api/v1/admin/flush`, `/api/v1/admin/retention`, `/api/v1/admin/archive`,
//! `/api/v1/admin/store`, `/api/v1/admin/dead-letters`, and `GET /api/v1/dead-letters`.

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;

use super::{Route, json, parameter, parameters};
use crate::app::Shared;
use crate::error::{ApiError, ErrorKind};
use crate::metrics::Group;
use crate::service::{LetterAction, RetentionRun, StoreAction};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/admin/flush", Group::Admin, flush),
        Route::post("/api/v1/admin/retention", Group::Admin, retention),
        Route::post("/api/v1/admin/archive", Group::Admin, archive),
        Route::post("/api/v1/admin/store", Group::Admin, store),
        Route::post("/api/v1/admin/dead-letters", Group::Admin, treat_dead_letters),
        Route::get("/api/v1/dead-letters", Group::Admin, dead_letters),
    ]
}

/// A page of another site that a person looks at could otherwise have the browser do this.
pub(super) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let site = origin.split_once("://").map(|(_, site)| site);
    if site.is_some() && site == text(header::HOST) {
        return Ok(());
    }
    let message = format!("administrative requests from pages of {origin} are refused");
    Err(ApiError::new(ErrorKind::BadRequest, message)
        .with_hint("send them without the header Origin, or from hissrv's own pages"))
}

async fn flush(State(app): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, ApiError> {
    refuse_other_sites(&headers)?;
    let list = parameters(&uri)?;
    let compact = flag(&list, "compact")?;
    app.administer(move |historian| historian.flush(compact)).await.map(json)
}

/// Unknown parameters are refused: `dryrun` would remove what was only to be looked at.
async fn retention(State(app): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, ApiError> {
    refuse_other_sites(&headers)?;
    let list = parameters(&uri)?;
    if let Some((unknown, _)) = list.iter().find(|(key, _)| !matches!(key.as_str(), "dry_run" | "force")) {
        return Err(ApiError::new(ErrorKind::BadRequest, format!("unknown parameter `{unknown}`"))
            .with_hint("the parameters are dry_run and force"));
    }
    let run = RetentionRun { dry: flag(&list, "dry_run")?, forced: flag(&list, "force")? };
    app.administer(move |historian| historian.retention(run)).await.map(json)
}

async fn archive(State(app): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, ApiError> {
    refuse_other_sites(&headers)?;
    if let Some((unknown, _)) = parameters(&uri)?.first() {
        return Err(ApiError::new(ErrorKind::BadRequest, format!("unknown parameter `{unknown}`"))
            .with_hint("there are none: what is due is archived"));
    }
    app.archive().await.map(json)
}

/// A parameter that is true or false; false where it is missing.
fn flag(list: &[(String, String)], name: &str) -> Result<bool, ApiError> {
    match parameter(list, name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            let message = format!("{name} must be true or false, but is {other:?}");
            Err(ApiError::new(ErrorKind::BadRequest, message))
        }
    }
}

async fn store(State(app): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, ApiError> {
    refuse_other_sites(&headers)?;
    let list = parameters(&uri)?;
    let name = parameter(&list, "name").ok_or_else(|| missing("name", "the name of a store, as status shows it"))?;
    let action = match parameter(&list, "action") {
        Some("pause") => StoreAction::Pause,
        Some("resume") => StoreAction::Resume,
        Some("skip") => StoreAction::Skip,
        Some("forget") => StoreAction::Forget,
        _ => return Err(missing("action", "pause, resume, skip or forget")),
    };
    let name = name.to_owned();
    app.administer(move |historian| historian.control_store(&name, action)).await.map(json)
}

async fn treat_dead_letters(State(app): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, ApiError> {
    refuse_other_sites(&headers)?;
    let list = parameters(&uri)?;
    let action = match parameter(&list, "action") {
        Some("retry") => LetterAction::Retry,
        Some("purge") => LetterAction::Purge,
        _ => return Err(missing("action", "retry or purge")),
    };
    let rest: Vec<_> = list.into_iter().filter(|(key, _)| key != "action").collect();
    app.administer(move |historian| historian.treat_dead_letters(action, &rest)).await.map(json)
}

async fn dead_letters(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let list = parameters(&uri)?;
    app.query_json(None, move |historian, _| historian.dead_letters(&list)).await.map(json)
}

pub(super) fn missing(parameter: &str, expected: &str) -> ApiError {
    ApiError::new(ErrorKind::BadRequest, format!("the parameter {parameter} must be {expected}"))
}
