//! The one error of the HTTP edge: a kind with a stable code and status, a public message, and a hint. Own endpoints show it as
//! `{"error", "code", "hint"}`; InfluxDB's endpoints in their own shapes (`influx`).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use query::QueryError;
use serde::Serialize;

/// Why a request was not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// Class of the error.
    pub kind: ErrorKind,
    /// What is wrong and where. Goes to the client, except for [`ErrorKind::Internal`], whose message goes to the log.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// Classes of errors. Each has one status and one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong: 400.
    BadRequest,
    /// A name or route that does not exist: 404.
    NotFound,
    /// A retention policy that does not exist: 404, but 500 at `/write`, as InfluxDB 1.x answers it.
    NoSuchRetentionPolicy,
    /// The route exists, the method does not: 405.
    MethodNotAllowed,
    /// The client or the query took too long: 408.
    Timeout,
    /// The body is larger than allowed: 413.
    TooLarge,
    /// A body encoding that is not understood: 415.
    UnsupportedEncoding,
    /// The question is right, but its answer would exceed a limit: 422.
    TooMuch,
    /// A limit on concurrent work is reached; trying again soon helps: 503.
    Busy,
    /// Starting, stopping, or out of room; trying again later helps: 503.
    Unavailable,
    /// A fault of the server: 500.
    Internal,
}

impl ErrorKind {
    /// HTTP status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::NoSuchRetentionPolicy => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMuch => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Stable code for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::NotFound | Self::NoSuchRetentionPolicy => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::TooMuch => "too_much",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// Seconds after which a retry makes sense.
    pub(crate) const fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Busy => Some("1"),
            Self::Unavailable => Some("5"),
            _ => None,
        }
    }
}

impl ApiError {
    /// An error without a hint.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: String::new() }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// What the client may read. The message of a fault of ours is logged here instead, since this is where it is handled.
    pub(crate) fn into_public(self) -> Self {
        if self.kind != ErrorKind::Internal {
            return self;
        }
        tracing::error!(error = %self.message, "request failed");
        Self::new(ErrorKind::Internal, "internal error").with_hint("the server's log has the cause")
    }

    /// Adds `Retry-After` where a retry makes sense.
    pub(crate) fn mark_retry(kind: ErrorKind, response: &mut Response) {
        if let Some(seconds) = kind.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    code: &'a str,
    hint: &'a str,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = self.into_public();
        let body = ErrorBody { error: &error.message, code: error.kind.code(), hint: &error.hint };
        let mut response = (error.kind.status(), Json(body)).into_response();
        Self::mark_retry(error.kind, &mut response);
        response
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let message = error.to_string();
        match error {
            QueryError::Invalid { hint, .. } => {
                Self::new(ErrorKind::BadRequest, message).with_hint(hint.unwrap_or_default())
            }
            QueryError::NotFound { .. } => Self::new(ErrorKind::NotFound, message),
            QueryError::TooMuch { .. } => Self::new(ErrorKind::TooMuch, message)
                .with_hint("ask for a shorter time range, fewer series or longer windows"),
            QueryError::Cancelled(_) => Self::new(ErrorKind::Timeout, message),
            QueryError::Store(_) | QueryError::Enough => Self::new(ErrorKind::Internal, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_error_keeps_its_message_and_hint() {
        let invalid = QueryError::Invalid { message: "end before start".to_owned(), hint: Some("swap".to_owned()) };
        let expected = ApiError::new(ErrorKind::BadRequest, "end before start").with_hint("swap");
        assert_eq!(ApiError::from(invalid), expected);
        let missing = QueryError::NotFound { what: "database", name: "x".to_owned() };
        assert_eq!(ApiError::from(missing), ApiError::new(ErrorKind::NotFound, "database not found: x"));
    }

    #[test]
    fn the_cause_of_a_fault_of_ours_is_not_shown() {
        let public = ApiError::new(ErrorKind::Internal, "open /secret/path: denied").into_public();
        assert_eq!(public.message, "internal error");
    }
}
