//! `GET` and `POST /query`: statements of InfluxQL, answered as InfluxDB 1.x answers them.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use query::{Answer, Outcome, QueryError, Table};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout;

use super::{Route, wrong_method};
use crate::app::{App, CancelOnDrop, Shared};
use crate::body;
use crate::budget::Share;
use crate::error::{ApiError, ErrorKind};
use crate::influx::{self, Chunks, Collected, Delivery, Form, Format, GzipStream, Question};
use crate::metrics::Group;
use crate::stream::{PIECES, Piece, Stream};

/// Largest form in bytes; InfluxDB's too.
const MAX_FORM: u64 = 10 << 20;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/query", Group::Influxql, query), Route::post("/query", Group::Influxql, query)]
}

/// NOTE: HEAD is not answered here, although GET is; InfluxDB has it so.
async fn query(State(app): State<Shared>, request: Request<Body>) -> Response {
    if request.method() == Method::HEAD {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET,POST"))];
        return (allow, wrong_method(Method::HEAD).await).into_response();
    }
    let format = influx::format(request.headers(), &Form::of_url(request.uri().query().unwrap_or_default()));
    match answer(app, request, format).await {
        Ok(response) => influx::with_version(response),
        Err(error) => influx::query_error(format, error),
    }
}

async fn answer(app: Shared, request: Request<Body>, format: Format) -> Result<Response, ApiError> {
    let question = question(&app, request).await?;
    match question.delivery {
        Delivery::Whole => whole(&app, question, format).await,
        Delivery::Chunks { rows } => chunks(&app, question, format, rows).await,
        Delivery::Behind => behind(&app, question).await,
    }
}

async fn question(app: &App, request: Request<Body>) -> Result<Question, ApiError> {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let uri = request.uri().clone();
    let url = uri.query().unwrap_or_default();
    let form = if method == Method::POST {
        let rules = app.body_rules(MAX_FORM.min(app.config.max_body.0));
        let collected = body::collect(request, rules, &app.budget).await?;
        app.metrics.body_received(collected.bytes.len());
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        Form::of_both(url, kind, &collected.bytes)
    } else {
        Form::of_url(url)
    };
    Question::read(&method, &headers, &form)
        .ok_or_else(|| ApiError::new(ErrorKind::BadRequest, "missing required parameter \"q\""))
}

/// An answer in one piece.
struct Whole {
    bytes: Vec<u8>,
    compressed: bool,
    /// Given back once the bytes are sent.
    _share: Share,
}

impl AsRef<[u8]> for Whole {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

async fn whole(app: &App, question: Question, format: Format) -> Result<Response, ApiError> {
    let max = app.config.max_answer;
    let share = app.answers.reserve(0).ok_or_else(|| ApiError::new(ErrorKind::Busy, "no memory for an answer"))?;
    let work = app.query(move |historian, cancel| {
        let gzip = question.gzip;
        let mut answer = Collected::new(format.encoder(question.epoch), max, share);
        historian.influxql(&question.into_request(cancel), &mut answer)?;
        let (bytes, share) = answer.finish();
        let packed = if gzip { influx::compress(&bytes).map_err(unpackable)? } else { None };
        Ok(Whole { compressed: packed.is_some(), bytes: packed.unwrap_or(bytes), _share: share })
    });
    let whole = work.await?;
    let compressed = whole.compressed;
    Ok(success(format, compressed, Body::from(Bytes::from_owner(whole))))
}

fn unpackable(error: std::io::Error) -> ApiError {
    ApiError::new(ErrorKind::Internal, format!("compress an answer: {error}"))
}

async fn chunks(app: &Shared, question: Question, format: Format, rows: usize) -> Result<Response, ApiError> {
    let gzip = question.gzip;
    let (sender, mut receiver) = mpsc::channel(PIECES);
    let cancel = App::start_query(app, move |historian, cancel| {
        let gzip = gzip.then(GzipStream::new);
        let mut answer = Chunks::new(format.encoder(question.epoch), gzip, sender, rows);
        let result = historian.influxql(&question.into_request(cancel), &mut answer);
        answer.finish(result);
    });
    let cancel = CancelOnDrop(cancel.await?);
    let next = first(app, &mut receiver).await?;
    Ok(success(format, gzip, Body::new(Stream::new(Some(next), receiver, cancel))))
}

/// The request is answered once it is known to be understood; nobody sees the answer, and the client may go away.
async fn behind(app: &Shared, question: Question) -> Result<Response, ApiError> {
    let (sender, mut receiver) = mpsc::channel(PIECES);
    let started = App::start_query(app, move |historian, cancel| {
        let result = historian.influxql(&question.into_request(cancel), &mut Unseen { sender: &sender });
        let last = result.map_or_else(Piece::Refused, |()| Piece::End);
        sender.try_send(last).unwrap_or_default();
    });
    started.await?;
    first(app, &mut receiver).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The first piece, or why there is none.
async fn first(app: &App, receiver: &mut Receiver<Piece>) -> Result<Piece, ApiError> {
    match timeout(app.config.query_timeout.0, receiver.recv()).await {
        Ok(Some(Piece::Refused(error))) => Err(error),
        Ok(Some(piece)) => Ok(piece),
        Ok(None) => Err(ApiError::new(ErrorKind::Internal, "a query ended without an answer")),
        Err(_) => Err(App::query_took_too_long()),
    }
}

fn success(format: Format, compressed: bool, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    if compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Takes the answer to a request that nobody waits for.
struct Unseen<'a> {
    sender: &'a Sender<Piece>,
}

impl Answer for Unseen<'_> {
    /// The first statement that begins shows that the request was understood; what does not fit into the channel is not needed.
    fn begin(&mut self, _: usize) {
        self.sender.try_send(Piece::Part(Bytes::new())).unwrap_or_default();
    }

    fn table(&mut self, _: Table) -> Result<(), QueryError> {
        Ok(())
    }

    fn end(&mut self, outcome: Outcome) {
        if let Outcome::Failed(message) = outcome {
            tracing::info!(message, "a query sent with async=true failed");
        }
    }
}
