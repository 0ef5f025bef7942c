//! What surrounds every request, in one function instead of a stack of layers: a request id, counts and time, and a panic
//! caught and answered 500.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::app::Shared;
use crate::error::ApiError;
use crate::metrics::{Group, HttpMetrics};
use crate::routes;

/// Answers the requests of all connections.
pub(crate) struct Dispatcher {
    app: Shared,
    router: TowerToHyperService<Router>,
    groups: HashMap<&'static str, Group>,
    ids: RequestIds,
}

impl Dispatcher {
    pub(crate) fn new(app: Shared) -> Self {
        let groups = routes::all().into_iter().map(|route| (route.path, route.group)).collect();
        let router = TowerToHyperService::new(routes::router(routes::all()).with_state(app.clone()));
        Self { app, router, groups, ids: RequestIds::new() }
    }

    /// Answers one request. Never fails: whatever goes wrong is an answer.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let group = self.groups.get(request.uri().path()).copied().unwrap_or(Group::Other);
        let id = self.ids.of(request.headers());
        let method = request.method().clone();
        let path = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().path().to_owned());
        let mut count = RequestCount::start(&self.app.metrics, group);
        let mut response = self.route(request).await;
        count.status = Some(response.status());
        response.headers_mut().insert("request-id", id.clone());
        response.headers_mut().insert("x-request-id", id);
        tracing::debug!(%method, path, status = response.status().as_u16(), took = ?count.started.elapsed(), "request");
        Ok(response)
    }

    async fn route(&self, request: Request<Incoming>) -> Response {
        let mut work = pin!(self.router.call(request));
        let result = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(response))) => Poll::Ready(Ok(response)),
            Ok(Poll::Ready(Err(never))) => match never {},
            Err(panic) => Poll::Ready(Err(self.app.panicked(&*panic))),
        });
        result.await.unwrap_or_else(ApiError::into_response)
    }
}

/// Counts a request when dropped, which also happens when the client goes away before its answer.
struct RequestCount<'a> {
    metrics: &'a HttpMetrics,
    group: Group,
    started: Instant,
    status: Option<StatusCode>,
}

impl<'a> RequestCount<'a> {
    fn start(metrics: &'a HttpMetrics, group: Group) -> Self {
        metrics.request_started();
        Self { metrics, group, started: Instant::now(), status: None }
    }
}

impl Drop for RequestCount<'_> {
    fn drop(&mut self) {
        self.metrics.request_ended(self.group, self.status, self.started.elapsed());
    }
}

/// Ids for requests that bring none: the start of the server and a running number, in the form of a UUID as InfluxDB's.
struct RequestIds {
    started: u64,
    next: AtomicU64,
}

/// Longest id that is taken over from a client, in bytes.
const MAX_ID: usize = 128;

impl RequestIds {
    fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: since_epoch.as_millis() as u64, next: AtomicU64::new(1) }
    }

    /// The client's own id, else a new one.
    fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let own = headers.get("x-request-id").or_else(|| headers.get("request-id"));
        match own {
            Some(id) if !id.is_empty() && id.len() <= MAX_ID => id.clone(),
            _ => self.generate(),
        }
    }

    fn generate(&self) -> HeaderValue {
        let (start, number) = (self.started, self.next.fetch_add(1, Relaxed));
        let text =
            format!("{:08x}-{:04x}-1000-8000-{:012x}", (start >> 16) as u32, start as u16, number & 0xffff_ffff_ffff);
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0"))
    }
}
