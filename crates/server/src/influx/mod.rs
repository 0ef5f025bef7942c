//! InfluxDB's manner of speaking: its version headers, the shapes of its errors, and the answers of its `/query`.

mod chunks;
mod collect;
mod csv;
mod encode;
mod form;
mod gzip;
mod json;
mod msgpack;
mod number;
mod pretty;
mod question;
mod text;
mod time;

pub(crate) use chunks::Chunks;
pub(crate) use collect::Collected;
pub(crate) use encode::Format;
pub(crate) use form::Form;
pub(crate) use gzip::{GzipStream, compress};
pub(crate) use question::{Delivery, Question, format};

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::{ApiError, ErrorKind};
use crate::service::Dialect;

/// What clients are told. They look at the leading `1.`; 1.8 is what has both write endpoints.
pub(crate) const VERSION: &str = "1.8.10-hissrv";

/// Adds the headers by which clients know an InfluxDB.
pub(crate) fn with_version(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-influxdb-version", HeaderValue::from_static(VERSION));
    headers.insert("x-influxdb-build", HeaderValue::from_static("OSS"));
    response
}

/// An error as the endpoint's clients expect it.
pub(crate) fn error(dialect: Dialect, error: ApiError) -> Response {
    let error = error.into_public();
    let mut response = match dialect {
        Dialect::V1 => error_v1(&error),
        Dialect::V2 => error_v2(&error),
    };
    ApiError::mark_retry(error.kind, &mut response);
    with_version(response)
}

fn error_v1(error: &ApiError) -> Response {
    let status = match error.kind {
        ErrorKind::NoSuchRetentionPolicy => StatusCode::INTERNAL_SERVER_ERROR,
        kind => kind.status(),
    };
    with_error_header(error, (status, Json(json!({ "error": error.message }))).into_response())
}

/// The header cannot carry line breaks; such messages stand in the body only.
fn with_error_header(error: &ApiError, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&error.message) {
        response.headers_mut().insert("x-influxdb-error", value);
    }
    response
}

/// An error of `/query` as a whole, in the format of the answer.
pub(crate) fn query_error(format: Format, error: ApiError) -> Response {
    let error = error.into_public();
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()))];
    let mut response = (error.kind.status(), kind, format.error(&error.message)).into_response();
    ApiError::mark_retry(error.kind, &mut response);
    with_version(with_error_header(&error, response))
}

fn error_v2(error: &ApiError) -> Response {
    let code = match error.kind {
        ErrorKind::BadRequest | ErrorKind::UnsupportedEncoding => "invalid",
        ErrorKind::NotFound | ErrorKind::NoSuchRetentionPolicy => "not found",
        ErrorKind::MethodNotAllowed => "method not allowed",
        ErrorKind::TooLarge => "request too large",
        ErrorKind::TooMuch => "unprocessable entity",
        ErrorKind::Timeout | ErrorKind::Busy | ErrorKind::Unavailable => "unavailable",
        ErrorKind::Internal => "internal error",
    };
    (error.kind.status(), Json(json!({ "code": code, "message": error.message }))).into_response()
}
