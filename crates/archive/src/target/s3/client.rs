//! Signed requests to one bucket. Each is tried once, see [`super::retry`].

use std::io::Read;
use std::time::Duration;

use tls::TlsConnector;
use ureq::http::{Method, Request as HttpRequest, Response, Uri, header};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, Body, BodyReader, SendBody};

use crate::Clock;
use crate::config::{ConfigError, S3Config};
use crate::error::Error;

use super::error::{of_connection, of_status};
use super::sign::{Signer, Unsigned, encode};

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// What is read of the body of an error.
const MAX_ERROR: u64 = 64 << 10;
/// A body from so many bytes on is sent when the store wants it: one that refuses may cut the connection while we are still
/// sending, and its answer would be lost.
const ASKED_BEFORE: u64 = 256 << 10;

/// One bucket.
pub(super) struct Client {
    agent: Agent,
    /// Scheme, host and port.
    endpoint: String,
    host: String,
    bucket: String,
    signer: Signer,
    clock: Clock,
}

/// What is asked for.
pub(super) struct Request<'a> {
    /// `None`: the bucket itself.
    pub(super) key: Option<&'a str>,
    /// Encoded, its keys ascending; may be empty.
    pub(super) query: &'a str,
}

/// A body to send.
pub(super) struct Content<'a> {
    pub(super) reader: &'a mut dyn Read,
    pub(super) bytes: u64,
    pub(super) sha256: &'a str,
}

impl<'a> Request<'a> {
    pub(super) fn object(key: &'a str) -> Self {
        Self { key: Some(key), query: "" }
    }
}

impl Client {
    pub(super) fn new(config: &S3Config, bucket: &str, clock: Clock) -> Result<Self, ConfigError> {
        let (endpoint, host) = endpoint(config)?;
        let secret_key = config.secret_key.clone().ok_or_else(|| ConfigError::new("s3.secret_key", "must be set"))?;
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        for (key, text) in [("s3.access_key", config.access_key.as_str()), ("s3.region", config.region.as_str())] {
            if !is_plain(text) {
                return Err(ConfigError::new(key, "must be set, without spaces or line breaks"));
            }
        }
        let connector = TcpConnector::default().chain(TlsConnector::new(config.tls.clone()));
        let agent = Agent::with_parts(agent_config(config.timeout.0), connector, DefaultResolver::default());
        let signer = Signer { region: config.region.clone(), access_key: config.access_key.clone(), secret_key };
        Ok(Self { agent, endpoint, host, bucket: bucket.to_owned(), signer, clock })
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The body of an answer; `None` when there is no such object.
    pub(super) fn get(&self, request: &Request<'_>) -> Result<Option<BodyReader<'static>>, Error> {
        let answer = self.signed(&Method::GET, request, EMPTY)?.body(()).map(|ready| self.agent.run(ready));
        let response = self.answered(answer, request)?;
        if response.status().is_success() {
            return Ok(Some(response.into_body().into_reader()));
        }
        let (status, body) = (response.status().as_u16(), error_body(response));
        let is_missing = status == 404 && super::list::text_of(&body, "Code").as_deref() != Some("NoSuchBucket");
        if is_missing && request.key.is_some() {
            Ok(None)
        } else {
            Err(of_status(&self.address(request), status, &body))
        }
    }

    /// Puts an object.
    pub(super) fn put(&self, request: &Request<'_>, content: Content<'_>) -> Result<(), Error> {
        let mut ready =
            self.signed(&Method::PUT, request, content.sha256)?.header(header::CONTENT_LENGTH, content.bytes);
        if content.bytes >= ASKED_BEFORE {
            ready = ready.header(header::EXPECT, "100-continue");
        }
        let answer = ready.body(SendBody::from_reader(content.reader)).map(|ready| self.agent.run(ready));
        let response = self.answered(answer, request)?;
        let status = response.status();
        let body = error_body(response);
        if status.is_success() { Ok(()) } else { Err(of_status(&self.address(request), status.as_u16(), &body)) }
    }

    fn signed(
        &self,
        method: &Method,
        request: &Request<'_>,
        sha256: &str,
    ) -> Result<ureq::http::request::Builder, Error> {
        let mut path = format!("/{}", encode(&self.bucket, false));
        if let Some(key) = request.key {
            path.push('/');
            path.push_str(&encode(key, true));
        }
        let query = request.query;
        let unsigned = Unsigned { method: method.as_str(), host: &self.host, path: &path, query, sha256 };
        let signed = self.signer.sign(&unsigned, (self.clock)());
        let signed =
            signed.ok_or_else(|| Error::Refused("requests cannot be signed: the clock is wrong".to_owned()))?;
        let mark = if query.is_empty() { "" } else { "?" };
        Ok(HttpRequest::builder()
            .method(method.clone())
            .uri(format!("{}{path}{mark}{query}", self.endpoint))
            .header(header::HOST, &self.host)
            .header("x-amz-content-sha256", sha256)
            .header("x-amz-date", signed.date)
            .header(header::AUTHORIZATION, signed.authorization))
    }

    fn answered(
        &self,
        answer: Result<Result<Response<Body>, ureq::Error>, ureq::http::Error>,
        request: &Request<'_>,
    ) -> Result<Response<Body>, Error> {
        let address = || self.address(request);
        let answer = answer.map_err(|e| Error::Refused(format!("{}: {e}", address())))?;
        answer.map_err(|e| of_connection(&address(), e))
    }

    /// For messages.
    fn address(&self, request: &Request<'_>) -> String {
        let key = request.key.map(|key| format!("/{key}")).unwrap_or_default();
        format!("{}/{}{key}", self.endpoint, self.bucket)
    }
}

/// The address without `/` at its end, and the host as it is signed: with its port, unless that is the scheme's.
fn endpoint(config: &S3Config) -> Result<(String, String), ConfigError> {
    let wrong = |reason: &str| ConfigError::new("s3.endpoint", reason);
    let amazon = || format!("https://s3.{}.amazonaws.com", config.region);
    let text = config.endpoint.clone().unwrap_or_else(amazon);
    let uri: Uri = text.trim().parse().map_err(|_| wrong("is no URL: expected http:// or https://, host and port"))?;
    let default_port = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err(wrong("must begin with http:// or https://")),
    };
    let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
    if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(wrong("must be just http:// or https://, host and port"));
    }
    let port = uri.port_u16().filter(|port| *port != default_port);
    let host = port.map_or_else(|| authority.host().to_owned(), |port| format!("{}:{port}", authority.host()));
    Ok((format!("{}://{host}", uri.scheme_str().unwrap_or_default()), host))
}

/// NOTE: no proxy of the environment and no redirects: the store is reached as the configuration says.
fn agent_config(timeout: Duration) -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .user_agent(concat!("hissrv/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(timeout))
        .timeout_per_write(Some(timeout))
        .timeout_per_read(Some(timeout))
        .max_idle_age(Duration::from_secs(30))
        .build()
}

fn error_body(response: Response<Body>) -> String {
    let mut bytes = Vec::new();
    if let Err(error) = response.into_body().into_reader().take(MAX_ERROR).read_to_end(&mut bytes) {
        tracing::debug!(%error, "the body of an error answer ends early");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(endpoint_text: Option<&str>) -> Result<(String, String), ConfigError> {
        endpoint(&S3Config { endpoint: endpoint_text.map(str::to_owned), ..S3Config::default() })
    }

    #[test]
    fn the_host_is_signed_as_it_is_sent() {
        let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
        assert_eq!(of(None), pair("https://s3.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"));
        assert_eq!(of(Some("http://minio:9000/")), pair("http://minio:9000", "minio:9000"));
        assert_eq!(of(Some("https://minio:443")), pair("https://minio", "minio"));
        assert_eq!(of(Some("http://[::1]:9000")), pair("http://[::1]:9000", "[::1]:9000"));
        for wrong in ["minio:9000", "ftp://h", "http://h/path", "http://u:p@h", ""] {
            assert!(of(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
