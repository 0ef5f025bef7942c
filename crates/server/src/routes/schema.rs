//! What is stored: `GET /api/v1/measurements`, `/api/v1/tags`, `/api/v1/fields`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::{Route, json, parameters};
use crate::app::Shared;
use crate::error::ApiError;
use crate::metrics::Group;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/measurements", Group::Schema, measurements),
        Route::get("/api/v1/tags", Group::Schema, tags),
        Route::get("/api/v1/fields", Group::Schema, fields),
    ]
}

async fn measurements(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let list = parameters(&uri)?;
    app.query_json(None, move |historian, _| historian.measurements(&list)).await.map(json)
}

async fn tags(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let list = parameters(&uri)?;
    app.query_json(None, move |historian, _| historian.tags(&list)).await.map(json)
}

async fn fields(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let list = parameters(&uri)?;
    app.query_json(None, move |historian, _| historian.fields(&list)).await.map(json)
}
