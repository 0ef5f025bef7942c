//! For people: `/`, `/docs`, and the OpenAPI document that `/docs` shows.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::{Route, json};
use crate::metrics::Group;

const HOME: &str = include_str!("../pages/home.html");
const DOCS: &str = include_str!("../pages/docs.html");
const OPENAPI: &str = include_str!("../openapi.json");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/", Group::Pages, home),
        Route::get("/docs", Group::Pages, docs),
        Route::get("/api/v1/openapi.json", Group::Pages, openapi),
    ]
}

async fn home() -> Response {
    page(HOME)
}

async fn docs() -> Response {
    page(DOCS)
}

async fn openapi() -> Response {
    json(OPENAPI.into())
}

/// A page may run its own script and ask this server, nothing else.
fn page(html: &'static str) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                  img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, html).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::{Verb, all};
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn document() -> Value {
        serde_json::from_str(OPENAPI).unwrap()
    }

    #[test]
    fn the_openapi_document_describes_every_route_and_nothing_else() {
        let mut described = BTreeSet::new();
        for (path, methods) in document()["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.insert(format!("{method} {path}"));
            }
        }
        let verb = |route: &Route| if route.method == Verb::Get { "get" } else { "post" };
        let routed = all().iter().map(|route| format!("{} {}", verb(route), route.path)).collect();
        assert_eq!(described, routed);
    }

    #[test]
    fn every_operation_has_a_summary_in_both_languages_and_answers() {
        for (path, methods) in document()["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                for key in ["operationId", "summary", "x-summary-zh"] {
                    assert!(!operation[key].as_str().unwrap().is_empty(), "{key} of {path}");
                }
                assert!(operation["responses"].as_object().is_some_and(|r| !r.is_empty()), "answers of {path}");
            }
        }
    }

    #[test]
    fn examples_of_questions_use_only_described_keys_and_references_resolve() {
        let document = document();
        let mut seen = 0;
        for path in ["/api/v1/query/series", "/api/v1/query/aggregate", "/api/v1/query/plot"] {
            let content = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
            let reference = content["schema"]["$ref"].as_str().unwrap().trim_start_matches('#');
            let schema = document.pointer(reference).unwrap();
            for example in content["examples"].as_object().unwrap().values() {
                let value = example["value"].as_object().unwrap();
                seen += 1;
                for key in value.keys() {
                    assert!(schema["properties"].get(key).is_some(), "{key} of {path} is not described");
                }
                for required in schema["required"].as_array().unwrap() {
                    assert!(value.contains_key(required.as_str().unwrap()), "{required} missing in {path}");
                }
            }
        }
        assert!(seen >= 3, "{seen} examples");
        all_references(&document, &mut |reference| {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
        });
    }

    #[test]
    fn examples_of_questions_are_requests_that_are_understood() {
        let examples = |path: &str| {
            let document = document();
            let content = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
            content["examples"].as_object().unwrap().values().map(|e| e["value"].clone()).collect::<Vec<_>>()
        };
        for example in examples("/api/v1/query/series") {
            serde_json::from_value::<query::SeriesRequest>(example).unwrap();
        }
        for example in examples("/api/v1/query/aggregate") {
            serde_json::from_value::<query::AggregateRequest>(example).unwrap();
        }
        for example in examples("/api/v1/query/plot") {
            serde_json::from_value::<query::PlotRequest>(example).unwrap();
        }
    }

    fn all_references(value: &Value, check: &mut impl FnMut(&str)) {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            check(reference);
        }
        match value {
            Value::Object(map) => map.values().for_each(|v| all_references(v, check)),
            Value::Array(list) => list.iter().for_each(|v| all_references(v, check)),
            _ => {}
        }
    }

    #[test]
    fn pages_load_nothing_from_elsewhere() {
        for html in [HOME, DOCS] {
            assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("src="));
        }
    }
}
