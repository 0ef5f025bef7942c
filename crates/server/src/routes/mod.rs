//! The table of routes, one file a group. The router, the metrics' groups and the test of the OpenAPI document are all made of
//! this table, so a route exists once.

mod admin;
mod alerts;
mod export;
mod health;
mod influxql;
mod pages;
mod query;
mod schema;
mod write;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Query;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};

use crate::app::Shared;
use crate::error::{ApiError, ErrorKind};
use crate::metrics::Group;

/// One method of one path.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) group: Group,
    /// Read by the test of the OpenAPI document.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test of the OpenAPI document"))]
    pub(crate) method: Verb,
    handler: MethodRouter<Shared>,
}

/// Methods in use; GET answers HEAD too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
}

impl Route {
    fn get<T: 'static>(path: &'static str, group: Group, handler: impl Handler<T, Shared>) -> Self {
        let handler = MethodRouter::new().on(MethodFilter::GET, handler);
        Self { path, group, method: Verb::Get, handler }
    }

    fn post<T: 'static>(path: &'static str, group: Group, handler: impl Handler<T, Shared>) -> Self {
        let handler = MethodRouter::new().on(MethodFilter::POST, handler);
        Self { path, group, method: Verb::Post, handler }
    }
}

/// Every route of the server.
pub(crate) fn all() -> Vec<Route> {
    [
        write::routes(),
        influxql::routes(),
        query::routes(),
        schema::routes(),
        export::routes(),
        health::routes(),
        admin::routes(),
        alerts::routes(),
        pages::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The router of a table.
pub(crate) fn router(routes: Vec<Route>) -> Router<Shared> {
    let mut paths: BTreeMap<&'static str, MethodRouter<Shared>> = BTreeMap::new();
    for route in routes {
        let known = paths.remove(route.path).unwrap_or_default();
        paths.insert(route.path, known.merge(route.handler));
    }
    let router = paths.into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    router.method_not_allowed_fallback(wrong_method).fallback(no_such_route)
}

async fn no_such_route(uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::new(ErrorKind::NotFound, format!("no such route: {path}")).with_hint("see /docs for all routes")
}

/// The router adds `Allow`. OPTIONS is answered with just that; there is no CORS, so that no foreign page can use the API.
async fn wrong_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::OK.into_response();
    }
    ApiError::new(ErrorKind::MethodNotAllowed, format!("{method} is not allowed here"))
        .with_hint("the Allow header lists the methods of this route")
        .into_response()
}

/// The parameters of the query string, decoded, in order.
fn parameters(uri: &Uri) -> Result<Vec<(String, String)>, ApiError> {
    let Query(list) = Query::try_from_uri(uri)
        .map_err(|e| ApiError::new(ErrorKind::BadRequest, format!("the query string is wrong: {e}")))?;
    Ok(list)
}

/// The first value of a parameter.
fn parameter<'a>(list: &'a [(String, String)], name: &str) -> Option<&'a str> {
    list.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// A ready JSON text as an answer.
fn json(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
