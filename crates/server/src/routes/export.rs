//! `GET /api/v1/export`: stored points, or the answer to a query, as a file of any size. What was exported stands in the trailer
//! `Hissrv-Export`, for clients that send `TE: trailers`. What fails in the middle cuts the connection.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use query::Cancel;
use tokio::sync::mpsc::{self, Sender};

use super::{Route, parameter, parameters};
use crate::app::{App, CancelOnDrop, Shared};
use crate::error::{ApiError, ErrorKind};
use crate::metrics::Group;
use crate::service::Historian;
use crate::stream::{PIECES, Piece, Stream};

/// Name of the trailer with the summary.
const SUMMARY: &str = "hissrv-export";

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/api/v1/export", Group::Query, export)]
}

async fn export(State(app): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let list = parameters(&uri)?;
    let kind = content_type(parameter(&list, "format").unwrap_or_default());
    let (sender, receiver) = mpsc::channel(PIECES);
    let cancel = App::start_export(&app, move |historian, cancel| work(historian, &list, &cancel, &sender));
    let mut stream = Stream::new(None, receiver, CancelOnDrop(cancel.await?));
    match stream.first().await {
        Some(Piece::Refused(error)) => return Err(error.clone()),
        Some(_) => {}
        None => return Err(ApiError::new(ErrorKind::Internal, "an export ended without a result")),
    }
    let mut response = Response::new(Body::new(stream));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::TRAILER, HeaderValue::from_static(SUMMARY));
    Ok(response)
}

fn content_type(format: &str) -> &'static str {
    match format {
        "csv" => "text/csv; charset=utf-8",
        "parquet" => "application/vnd.apache.parquet",
        "json" => "application/x-ndjson",
        "list" => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

/// Exports into the channel. That the reader has gone is nothing to tell anybody.
fn work(historian: &dyn Historian, list: &[(String, String)], cancel: &Cancel, sender: &Sender<Piece>) {
    let has_begun = Arc::new(AtomicBool::new(false));
    let pipe = Pipe { sender: sender.clone(), has_begun: Arc::clone(&has_begun) };
    let send = |piece| sender.blocking_send(piece).unwrap_or_default();
    match historian.export(list, cancel, Box::new(pipe)) {
        Ok(summary) => {
            send(Piece::Trailers(trailers(&summary)));
            send(Piece::End);
        }
        Err(error) if !has_begun.load(Relaxed) => send(Piece::Refused(error)),
        Err(_) if sender.is_closed() => {}
        Err(error) => tracing::warn!(%error, "an export failed in the middle"),
    }
}

fn trailers(summary: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(summary.as_bytes()) {
        headers.insert(HeaderName::from_static(SUMMARY), value);
    }
    headers
}

/// What is written goes to the client, part by part.
struct Pipe {
    sender: Sender<Piece>,
    has_begun: Arc<AtomicBool>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.has_begun.store(true, Relaxed);
        let sent = self.sender.blocking_send(Piece::Part(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the client went away"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
