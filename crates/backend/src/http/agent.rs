//! Requests to one store over kept connections.

use std::io::{self, Read};
use std::time::Duration;

use model::Secret;
use tls::TlsConnector;
use ureq::http::request::Builder as RequestBuilder;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use ureq::unversioned::transport::Connector;
use ureq::{Agent, AsSendBody, Body, BodyReader};

use super::address::{Later, NamedTcp};
use super::authorization::authorization;
use super::gzip::Packer;
use super::reason::shorten;
use super::retry_after::retry_after;
use super::{Auth, Endpoint, Gzip, HttpError, HttpSettings, SetupError};

pub(crate) use ureq::http::Method;

/// A connection without a request for so long is closed: shorter than what servers and routers on the way allow, so that a
/// request seldom meets one that is cut already.
const MAX_IDLE: Duration = Duration::from_secs(30);

/// Longest wait for a part of an answer that is handed out as it comes: a query may compute for long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Go's servers read so much of a body that they do not want; below it every answer arrives.
const ASKED_BEFORE: usize = 256 << 10;

/// Largest answer taken as a whole; larger ones are for [`Http::stream`].
const MAX_ANSWER: u64 = 4 << 20;

/// What is kept of the body of an error.
const MAX_ERROR: u64 = 64 << 10;

const FORM: &str = "application/x-www-form-urlencoded";

/// One store's way over HTTP; shared by its threads.
#[derive(Debug)]
pub(crate) struct Http {
    agent: Agent,
    endpoint: Endpoint,
    authorization: Option<HeaderValue>,
    /// What must not be shown, whoever says it.
    secrets: Vec<Secret>,
    timeout: Duration,
    /// `None`: bodies go as they are.
    packer: Option<Packer>,
}

/// An answer of success.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The answer, up to 4 MiB.
    pub(crate) body: String,
    headers: HeaderMap,
}

impl Reply {
    /// A header of the answer, its name in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Http {
    /// Checks the settings; does not talk to the store yet.
    ///
    /// # Errors
    /// [`SetupError`] for a login that no header can hold and half a client certificate.
    pub(crate) fn new(settings: HttpSettings) -> Result<Self, SetupError> {
        let HttpSettings { endpoint, auth, gzip, timeout, connections, tls } = settings;
        if !tls.is_complete() {
            return Err(SetupError::Certificate);
        }
        let is_packed = gzip == Gzip::On || (gzip == Gzip::Auto && !endpoint.is_loopback());
        let connector = NamedTcp::default().chain(TlsConnector::new(tls));
        Ok(Self {
            agent: Agent::with_parts(agent_config(timeout, connections), connector, Later::default()),
            authorization: authorization(&auth, &endpoint)?,
            secrets: secrets(&auth, &endpoint),
            endpoint,
            timeout,
            packer: is_packed.then(|| Packer::new(connections)),
        })
    }

    /// Where the store listens.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends a body of points, compressed when the settings say so. `target` is path and query, without the endpoint's prefix.
    ///
    /// # Errors
    /// [`HttpError`]; every status from 300 on is one.
    pub(crate) fn post(&self, target: &str, content_type: &str, body: &[u8]) -> Result<Reply, HttpError> {
        let request = || self.request(Method::POST, target).header(header::CONTENT_TYPE, content_type);
        let send_packed = |packed: &[u8]| {
            let request = request().header(header::CONTENT_ENCODING, "gzip");
            self.exchange(ask_before(request, packed), packed)
        };
        match self.packer.as_ref().and_then(|packer| packer.pack(body, send_packed)) {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => Err(HttpError::from_io(&error, &self.endpoint, self.timeout)),
            None => self.exchange(ask_before(request(), body), body),
        }
    }

    /// Asks for something small.
    ///
    /// # Errors
    /// As [`Http::post`].
    pub(crate) fn get(&self, target: &str) -> Result<Reply, HttpError> {
        self.exchange(self.request(Method::GET, target), ())
    }

    /// Sends a small request with JSON, or without a body.
    ///
    /// # Errors
    /// As [`Http::post`].
    pub(crate) fn send(&self, method: Method, target: &str, json: Option<&str>) -> Result<Reply, HttpError> {
        let request = self.request(method, target);
        match json {
            Some(json) => self.exchange(request.header(header::CONTENT_TYPE, "application/json"), json.as_bytes()),
            None => self.exchange(request, ()),
        }
    }

    /// Sends a form; see [`super::form`].
    ///
    /// # Errors
    /// As [`Http::post`].
    pub(crate) fn post_form(&self, target: &str, form: &str) -> Result<Reply, HttpError> {
        self.exchange(self.request(Method::POST, target).header(header::CONTENT_TYPE, FORM), form.as_bytes())
    }

    /// Sends a form and hands the answer out as it comes, however large. The store may compute for up to a minute before it
    /// begins, and as long before each further part; the usual timeout holds for the connection.
    ///
    /// # Errors
    /// As [`Http::post`]; while reading, the errors of the connection.
    pub(crate) fn stream(&self, target: &str, form: &str) -> Result<Stream, HttpError> {
        self.start_stream(self.request(Method::POST, target).header(header::CONTENT_TYPE, FORM), form.as_bytes())
    }

    /// [`Http::stream`] of a request without a body.
    ///
    /// # Errors
    /// As [`Http::stream`].
    pub(crate) fn stream_get(&self, target: &str) -> Result<Stream, HttpError> {
        self.start_stream(self.request(Method::GET, target), ())
    }

    fn start_stream<B>(&self, request: RequestBuilder, body: B) -> Result<Stream, HttpError>
    where
        B: AsSendBody,
        Request<B>: Sendable,
    {
        let request = request.body(body).map_err(|error| self.wrong(&error))?;
        let request = self.agent.configure_request(request).timeout_global(None).timeout_connect(Some(self.timeout));
        let request = request.timeout_per_write(Some(self.timeout)).timeout_per_read(Some(PATIENCE)).build();
        let response = self.check(request.send(&self.agent), PATIENCE)?;
        Ok(Stream { reader: response.into_body().into_reader(), endpoint: self.endpoint.clone() })
    }

    fn request(&self, method: Method, target: &str) -> RequestBuilder {
        let request = Request::builder().method(method).uri(format!("{}{target}", self.endpoint));
        match &self.authorization {
            Some(value) => request.header(header::AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    fn exchange<B>(&self, request: RequestBuilder, body: B) -> Result<Reply, HttpError>
    where
        Request<B>: Sendable,
    {
        let request = request.body(body).map_err(|error| self.wrong(&error))?;
        let response = self.check(request.send(&self.agent), self.timeout)?;
        let (parts, body) = response.into_parts();
        Ok(Reply { body: self.read(body, MAX_ANSWER)?, headers: parts.headers })
    }

    /// Success, or the error that the answer is.
    fn check(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
        timeout: Duration,
    ) -> Result<Response<Body>, HttpError> {
        let response = answer.map_err(|error| HttpError::from_ureq(error, &self.endpoint, timeout))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(header::RETRY_AFTER).and_then(|text| retry_after(text, header(header::DATE)));
        let (at, status) = (self.endpoint.to_string(), response.status().as_u16());
        let body = self.without_secrets(self.read_some(response.into_body()));
        Err(HttpError::Status { at, status, body, retry_after })
    }

    fn read(&self, body: Body, limit: u64) -> Result<String, HttpError> {
        let text = body.into_with_config().limit(limit).lossy_utf8(true).read_to_string();
        text.map_err(|error| HttpError::from_ureq(error, &self.endpoint, self.timeout))
    }

    /// As much of an error's body as is kept. What goes wrong on the way does not matter: the status says enough.
    fn read_some(&self, body: Body) -> String {
        let mut bytes = Vec::new();
        if let Err(error) = body.into_reader().take(MAX_ERROR).read_to_end(&mut bytes) {
            tracing::debug!(%error, "the body of an error answer ends early");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Some servers and proxies repeat the request in their error.
    fn without_secrets(&self, body: String) -> String {
        let header = self.authorization.as_ref().and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        let sent = header.and_then(|value| value.split_once(' ')).map(|(_, secret)| secret);
        let all = sent.into_iter().chain(self.secrets.iter().map(Secret::reveal));
        all.filter(|secret| !secret.is_empty()).fold(body, |body, secret| body.replace(secret, "***"))
    }

    /// No such request can be made; `new` has checked all but the target, which is ours.
    fn wrong(&self, error: &ureq::http::Error) -> HttpError {
        HttpError::Connect(shorten(&format!("cannot ask {}: {error}", self.endpoint)))
    }
}

/// Passwords and tokens of a store.
fn secrets(auth: &Auth, endpoint: &Endpoint) -> Vec<Secret> {
    let own = match auth {
        Auth::None => None,
        Auth::Basic(login) => Some(login.password.clone()),
        Auth::Token(token) | Auth::Bearer(token) => Some(token.clone()),
    };
    own.into_iter().chain(endpoint.login().map(|login| login.password.clone())).collect()
}

/// A large body is sent when the server wants it. Otherwise one that finds it too large answers and cuts the connection while we
/// are still sending, and its answer is lost.
fn ask_before(request: RequestBuilder, body: &[u8]) -> RequestBuilder {
    if body.len() < ASKED_BEFORE { request } else { request.header(header::EXPECT, "100-continue") }
}

/// A request that ureq takes, with a body or without.
trait Sendable {
    fn send(self, agent: &Agent) -> Result<Response<Body>, ureq::Error>;
}

impl Sendable for Request<()> {
    fn send(self, agent: &Agent) -> Result<Response<Body>, ureq::Error> {
        agent.run(self)
    }
}

impl Sendable for Request<&[u8]> {
    fn send(self, agent: &Agent) -> Result<Response<Body>, ureq::Error> {
        agent.run(self)
    }
}

/// An answer that is read as it comes.
pub(crate) struct Stream {
    reader: BodyReader<'static>,
    endpoint: Endpoint,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let told = HttpError::from_ureq(ureq::Error::from(error), &self.endpoint, PATIENCE);
            io::Error::other(told.to_string())
        })
    }
}

/// NOTE: no proxy of the environment: a store is reached as the configuration says. No redirect is followed, since a body
/// that was sent to another host than the configured one would go with our login.
fn agent_config(timeout: Duration, connections: usize) -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .user_agent(concat!("hissrv/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(timeout))
        .max_idle_connections(connections)
        .max_idle_connections_per_host(connections)
        .max_idle_age(MAX_IDLE)
        .build()
}
