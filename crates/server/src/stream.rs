//! A body that is sent while it is made: parts through a channel that holds few of them. A full channel stops the one who makes them until
//! the client has taken one; a client that goes away cancels the work.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::HeaderMap;
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc::Receiver;

use crate::app::CancelOnDrop;
use crate::error::ApiError;

/// Parts that wait for the client.
pub(crate) const PIECES: usize = 2;

/// What comes out of work on a body.
#[derive(Debug)]
pub(crate) enum Piece {
    /// It was refused; nothing else comes.
    Refused(ApiError),
    /// A part of the body.
    Part(Bytes),
    /// Headers behind the body; the end follows.
    Trailers(HeaderMap),
    /// The body is complete. A channel that closes without this was left by a panic, or by a failure in the middle.
    End,
}

/// The body. Dropped before its end, it cancels the work.
pub(crate) struct Stream {
    next: Option<Piece>,
    receiver: Receiver<Piece>,
    _cancel: CancelOnDrop,
}

impl Stream {
    /// A body that begins with `next`, if that was taken out already.
    pub(crate) fn new(next: Option<Piece>, receiver: Receiver<Piece>, cancel: CancelOnDrop) -> Self {
        Self { next, receiver, _cancel: cancel }
    }

    /// Takes the first piece out, to see whether there is a body at all. `None` when the work died.
    pub(crate) async fn first(&mut self) -> Option<&Piece> {
        self.next = self.receiver.recv().await;
        self.next.as_ref()
    }
}

/// The work ended early; the connection is cut, so that the client does not take what it has for everything.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a query ended in the middle of its answer")
    }
}

impl std::error::Error for Broken {}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let piece = match self.next.take() {
            Some(piece) => Some(piece),
            None => ready!(self.receiver.poll_recv(cx)),
        };
        Poll::Ready(match piece {
            Some(Piece::Part(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::Trailers(headers)) => Some(Ok(Frame::trailers(headers))),
            Some(Piece::End) => None,
            Some(Piece::Refused(_)) | None => Some(Err(Broken)),
        })
    }
}
