//! Events: `GET /api/v1/events`, and `POST /api/v1/admin/events`, which makes those of a part of history anew.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::admin::refuse_other_sites;
use super::query::epoch;
use super::{Route, json, parameters};
use crate::app::Shared;
use crate::error::ApiError;
use crate::metrics::Group;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/events", Group::Query, events),
        Route::post("/api/v1/admin/events", Group::Admin, generate),
    ]
}

async fn events(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let mut list = parameters(&uri)?;
    let epoch = epoch(&list)?;
    list.retain(|(key, _)| key != "epoch");
    app.query_json(epoch, move |historian, options| historian.events(&list, options)).await.map(json)
}

async fn generate(State(app): State<Shared>, headers: HeaderMap, uri: Uri) -> Result<Response, ApiError> {
    refuse_other_sites(&headers)?;
    let list = parameters(&uri)?;
    app.generate_events(list).await.map(json)
}
