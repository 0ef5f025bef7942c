//! One connection: hyper speaks HTTP/1 over it, and a watch beside it ends it when the client is too slow, when it is idle for
//! too long, and when the server stops.
//!
//! NOTE: hyper's own header timeout also runs between two requests, where clients that send every 10 s would meet it, so it
//! is off and [`Activity`] tells apart what the connection is doing.

mod activity;
mod io;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep_until;

use crate::config::ServerConfig;
use crate::dispatch::Dispatcher;
use crate::server::Phase;
use activity::{Activity, Verdict};
use io::GuardedIo;

/// Largest head of a request (request line and headers) in bytes; a long query fits. More is answered 431.
const MAX_HEADER: usize = 32 << 10;
/// Largest read buffer of a connection in bytes: a 400 KB body takes four reads, and 1024 connections stay below 128 MiB.
const READ_BUFFER: usize = 128 << 10;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    header: Duration,
    idle: Duration,
    response: Duration,
}

impl Timeouts {
    pub(crate) fn of(config: &ServerConfig) -> Self {
        Self { header: config.header_timeout.0, idle: config.idle_timeout.0, response: config.response_timeout.0 }
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cut {
    #[error("the header of a request did not arrive in time")]
    Header,
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

/// Serves a connection to its end.
///
/// # Errors
/// [`Cut`] when it did not end as HTTP has it.
pub(crate) async fn serve(
    stream: TcpStream,
    dispatcher: Arc<Dispatcher>,
    timeouts: Timeouts,
    mut phase: watch::Receiver<Phase>,
) -> Result<(), Cut> {
    // Without it the last piece of an answer could wait for an acknowledgement; a socket that refuses works, only slower.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "set TCP_NODELAY");
    }
    let activity = Arc::new(Activity::new());
    let io = GuardedIo::new(stream, Arc::clone(&activity), timeouts.response);
    let service = service_fn(|request| {
        let (dispatcher, busy) = (Arc::clone(&dispatcher), Activity::busy(&activity));
        async move {
            let answer = dispatcher.answer(request).await;
            drop(busy);
            answer
        }
    });
    let mut connection = pin!(protocol().serve_connection(io, service));
    let mut stopping = *phase.borrow() != Phase::Running;
    if stopping {
        connection.as_mut().graceful_shutdown();
    }
    let mut next_look = activity.next_look(timeouts.header, timeouts.idle);
    loop {
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            _ = phase.changed(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(next_look) => match activity.look(timeouts.header, timeouts.idle) {
                Verdict::HeaderLate => return Err(Cut::Header),
                Verdict::IdleTooLong => connection.as_mut().graceful_shutdown(),
                Verdict::Fine => {}
            },
        }
        next_look = activity.next_look(timeouts.header, timeouts.idle);
    }
}

fn protocol() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_header_size(MAX_HEADER).max_buf_size(READ_BUFFER);
    builder
}
