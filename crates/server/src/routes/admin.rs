//! Tasks for the operator: `POST /api/v1/admin/flush`.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::{Route, json, parameter, parameters};
use crate::app::Shared;
use crate::error::{ApiError, ErrorKind};
use crate::metrics::Group;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::post("/api/v1/admin/flush", Group::Admin, flush)]
}

async fn flush(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let list = parameters(&uri)?;
    let compact = match parameter(&list, "compact") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            let message = format!("compact must be true or false, but is {other:?}");
            return Err(ApiError::new(ErrorKind::BadRequest, message));
        }
    };
    app.administer(move |historian| historian.flush(compact)).await.map(json)
}
