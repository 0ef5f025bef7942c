//! Reading request bodies: capped, timed, and counted in the write budget before they are held. A body that came in one piece
//! is passed on as it is; a longer one is put together once, in a buffer of exactly its announced length.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::time::{Instant, timeout_at};

use crate::budget::{Budget, Share};
use crate::error::{ApiError, ErrorKind};

/// Why a body could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// More than `max` bytes, before or after inflating.
    TooLarge { max: u64 },
    /// The client brought less than [`PROGRESS`] in `body_timeout`.
    Stalled,
    /// The connection broke, or the body's framing is wrong.
    Broken(String),
    /// Not gzip, damaged, or cut short.
    Gzip(String),
    /// The write budget is used up.
    Busy,
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { max } => {
                Self::new(ErrorKind::TooLarge, format!("Request Entity Too Large: the limit is {max} bytes"))
                    .with_hint("send smaller batches, or raise server.max_body")
            }
            BodyError::Stalled => Self::new(ErrorKind::Timeout, "the request body did not arrive in time"),
            BodyError::Broken(cause) => {
                Self::new(ErrorKind::BadRequest, format!("the request body is broken: {cause}"))
            }
            BodyError::Gzip(cause) => {
                Self::new(ErrorKind::BadRequest, format!("the request body is no valid gzip: {cause}"))
            }
            BodyError::Busy => Self::new(ErrorKind::Busy, "too many bytes of writes in flight")
                .with_hint("try again after Retry-After, or raise server.write_memory"),
        }
    }
}

/// Bytes, or the rest of the body, that must arrive in every span of the timeout.
const PROGRESS: usize = 64 << 10;

/// How a body is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyRules {
    /// Most bytes taken.
    pub(crate) max: u64,
    /// Span in which [`PROGRESS`] must be made.
    pub(crate) timeout: Duration,
}

/// A whole body and its part of the budget.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) bytes: Bytes,
    pub(crate) share: Share,
}

/// How the body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
}

impl Encoding {
    /// # Errors
    /// An encoding other than gzip.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::Plain) };
        match value.as_bytes().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::Plain),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            _ => Err(ApiError::new(ErrorKind::UnsupportedEncoding, "unsupported Content-Encoding")
                .with_hint("send the body plain or as gzip")),
        }
    }
}

/// Reads a whole body into memory reserved in `budget`. What is refused is read and thrown away, up to `rules.max` bytes, so
/// that a client in the middle of sending sees the answer instead of a reset connection.
///
/// # Errors
/// [`BodyError`], and nothing is reserved any more.
pub(crate) async fn collect(request: Request<Body>, rules: BodyRules, budget: &Budget) -> Result<Collected, BodyError> {
    let mut reader = Reader::new(request, rules);
    let result = reader.collect(budget).await;
    if matches!(result, Err(BodyError::TooLarge { .. } | BodyError::Busy)) {
        reader.discard().await;
    }
    result
}

struct Reader {
    body: Body,
    rules: BodyRules,
    deadline: Instant,
    progress: usize,
    /// The client sends nothing before it is asked to (`Expect: 100-continue`), which the first read does.
    unasked: bool,
}

impl Reader {
    fn new(request: Request<Body>, rules: BodyRules) -> Self {
        let unasked = request.headers().contains_key(header::EXPECT);
        let deadline = Instant::now() + rules.timeout;
        Self { body: request.into_body(), rules, deadline, progress: 0, unasked }
    }

    async fn collect(&mut self, budget: &Budget) -> Result<Collected, BodyError> {
        match self.body.size_hint().exact() {
            Some(len) => self.collect_announced(len, budget).await,
            None => self.collect_growing(budget).await,
        }
    }

    async fn collect_announced(&mut self, len: u64, budget: &Budget) -> Result<Collected, BodyError> {
        self.check_size(len)?;
        let share = budget.reserve(len).ok_or(BodyError::Busy)?;
        let Some(first) = self.chunk().await? else { return Ok(Collected { bytes: Bytes::new(), share }) };
        if first.len() as u64 == len {
            return Ok(Collected { bytes: first, share });
        }
        let mut buffer = BytesMut::with_capacity(usize::try_from(len).unwrap_or_default());
        buffer.extend_from_slice(&first);
        drop(first);
        while let Some(chunk) = self.chunk().await? {
            buffer.extend_from_slice(&chunk);
        }
        Ok(Collected { bytes: buffer.freeze(), share })
    }

    /// The buffer doubles, and each doubling is reserved before.
    async fn collect_growing(&mut self, budget: &Budget) -> Result<Collected, BodyError> {
        let mut share = budget.reserve(0).ok_or(BodyError::Busy)?;
        let mut buffer = BytesMut::new();
        let mut room = 0;
        while let Some(chunk) = self.chunk().await? {
            let len = buffer.len() + chunk.len();
            self.check_size(len as u64)?;
            if len > room {
                let more = len.max(2 * room) - room;
                if !share.grow(more as u64) {
                    return Err(BodyError::Busy);
                }
                room += more;
                buffer.reserve(room - buffer.len());
            }
            buffer.extend_from_slice(&chunk);
        }
        Ok(Collected { bytes: buffer.freeze(), share })
    }

    fn check_size(&self, len: u64) -> Result<(), BodyError> {
        if len > self.rules.max { Err(BodyError::TooLarge { max: self.rules.max }) } else { Ok(()) }
    }

    /// The next bytes, or `None` at the end of the body.
    async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.unasked = false;
        loop {
            let frame = timeout_at(self.deadline, self.body.frame()).await.map_err(|_| BodyError::Stalled)?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|e| BodyError::Broken(e.to_string()))?;
            if let Ok(data) = frame.into_data() {
                self.note_progress(data.len());
                return Ok(Some(data));
            }
        }
    }

    fn note_progress(&mut self, bytes: usize) {
        self.progress += bytes;
        if self.progress >= PROGRESS {
            self.progress = 0;
            self.deadline = Instant::now() + self.rules.timeout;
        }
    }

    /// Ends at the end of the body, at any error, at the limit, or when the client stalls.
    async fn discard(&mut self) {
        if self.unasked {
            return;
        }
        let mut left = self.rules.max;
        while let Ok(Some(chunk)) = self.chunk().await {
            left = left.saturating_sub(chunk.len() as u64);
            if left == 0 {
                return;
            }
        }
    }
}
