//! Notifications as requests to an HTTP server. Any status of success counts as taken.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use model::{HumanDuration, Secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tls::{TlsConfig, TlsConnector};
use ureq::http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, Body};

use super::template::fill_json;
use super::{Channel, Kind, SendError, Tools, Wrong};
use crate::notification::Notification;
use crate::text::Language;

/// Default of [`Webhook::timeout`].
const TIMEOUT: HumanDuration = HumanDuration(Duration::from_secs(10));
/// What is read of an answer.
const MAX_ANSWER: u64 = 64 << 10;
/// What tells a receiver that it has this notification already.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A request to an HTTP server, with the id in its header `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// `http://` or `https://`. Never shown but for its host, since many services put a key into it.
    pub url: Secret,
    /// `POST` or `PUT`. Default POST.
    #[serde(default)]
    pub method: WebhookMethod,
    /// Headers besides `Content-Type: application/json` and `Idempotency-Key`. Values are never shown. Default none.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// JSON to send, with places in its texts: `{text}`, `{id}`, `{status}`, `{repeat}`, `{rule}`, `{severity}`, `{value}`, `{since}`,
    /// `{until}`, `{fingerprint}`, `{labels}`, `{annotations}`, and each label and annotation by its name. Default: an object of all
    /// these.
    #[serde(default)]
    pub body: Option<Value>,
    /// Longest wait for the answer. Default 10s.
    #[serde(default = "timeout")]
    pub timeout: HumanDuration,
    /// For `https://`: whom to trust.
    #[serde(default)]
    pub tls: TlsConfig,
    /// Language of the texts. Default en.
    #[serde(default)]
    pub language: Language,
}

fn timeout() -> HumanDuration {
    TIMEOUT
}

/// Methods of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebhookMethod {
    /// POST
    #[default]
    Post,
    /// PUT
    Put,
}

impl Webhook {
    fn uri(&self) -> Result<Uri, Wrong> {
        let wrong = || ("url", "expected http:// or https:// and a host at the start".to_owned());
        let uri: Uri = self.url.reveal().trim().parse().map_err(|_| wrong())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        if is_http && uri.host().is_some_and(|host| !host.is_empty()) { Ok(uri) } else { Err(wrong()) }
    }

    fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Wrong> {
        let read = |(name, value): (&String, &Secret)| {
            let wrong = || ("headers", format!("`{}` or its value can be no header", name.escape_debug()));
            let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok((HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value))
        };
        self.headers.iter().map(read).collect()
    }
}

impl Kind for Webhook {
    fn check(&self) -> Result<(), Wrong> {
        self.uri()?;
        self.headers()?;
        if self.timeout.0.is_zero() {
            return Err(("timeout", "expected more than 0s".to_owned()));
        }
        if !self.tls.is_complete() {
            return Err(("tls", "cert_file and key_file belong together".to_owned()));
        }
        Ok(())
    }

    fn open(&self, _tools: &Tools) -> Result<Box<dyn Channel>, Wrong> {
        self.check()?;
        let connector = TcpConnector::default().chain(TlsConnector::new(self.tls.clone()));
        let agent = Agent::with_parts(agent_config(self.timeout.0), connector, DefaultResolver::default());
        let uri = self.uri()?;
        let host = uri.host().unwrap_or_default().to_owned();
        let method = match self.method {
            WebhookMethod::Post => Method::POST,
            WebhookMethod::Put => Method::PUT,
        };
        Ok(Box::new(Open { agent, uri, host, method, headers: self.headers()?, settings: self.clone() }))
    }
}

/// NOTE: as to stores: no proxy of the environment, and no redirect is followed, since the keys would go with it.
fn agent_config(timeout: Duration) -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .user_agent(concat!("hissrv/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(timeout))
        // Notifications are rare: a kept connection would mostly be cut by then.
        .max_idle_connections(0)
        .build()
}

struct Open {
    agent: Agent,
    uri: Uri,
    host: String,
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    settings: Webhook,
}

impl Channel for Open {
    fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let language = self.settings.language;
        let body = match &self.settings.body {
            Some(template) => fill_json(template, notification, language),
            None => notification.body(language),
        };
        let mut request = Request::builder().method(self.method.clone()).uri(self.uri.clone());
        if let Some(headers) = request.headers_mut() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Ok(id) = HeaderValue::from_str(&notification.id) {
                headers.insert(HeaderName::from_static(IDEMPOTENCY_KEY), id);
            }
            headers.extend(self.headers.iter().cloned());
        }
        let request = request.body(body.to_string()).map_err(|e| SendError::refused(self.told(&e.to_string())))?;
        let answer = self.agent.run(request).map_err(|e| SendError::retryable(self.told(&e.to_string())))?;
        self.check(answer)
    }
}

impl Open {
    fn check(&self, answer: Response<Body>) -> Result<(), SendError> {
        let status = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(());
        }
        let header = |name: HeaderName| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let wait = header(header::RETRY_AFTER).and_then(|text| retry_after(text, header(header::DATE)));
        let mut body = Vec::new();
        if let Err(error) = answer.into_body().into_reader().take(MAX_ANSWER).read_to_end(&mut body) {
            tracing::debug!(%error, "the body of an error answer ends early");
        }
        let message = self.told(&format!("status {status}: {}", String::from_utf8_lossy(&body)));
        let is_passing = status >= 500 || matches!(status, 408 | 425 | 429);
        let error = if is_passing { SendError::retryable(message) } else { SendError::refused(message) };
        Err(error.after(wait))
    }

    /// With the host, without anything that must not be shown: some servers repeat the request in their error.
    fn told(&self, message: &str) -> String {
        let path = self.uri.path_and_query().map(|path| path.as_str()).filter(|path| path.len() > 1);
        let hidden = self.settings.headers.values().map(Secret::reveal).chain(path);
        let message = hidden.filter(|text| !text.is_empty()).fold(message.to_owned(), |m, text| m.replace(text, "***"));
        format!("{}: {message}", self.host)
    }
}

/// Seconds, or a date, which counts from the server's own `Date`, since clocks differ. `None` when the text is neither.
fn retry_after(text: &str, date: Option<&str>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let parse = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
    let now = date.and_then(parse).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(parse(text)?.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(json: &str) -> Webhook {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_cannot_work_is_refused_by_its_key() {
        let key = |json: &str| webhook(json).check().unwrap_err().0;
        assert_eq!(key(r#"{"url":"ftp://a/"}"#), "url");
        assert_eq!(key(r#"{"url":"http:///x"}"#), "url");
        assert_eq!(key(r#"{"url":"http://a","headers":{"a b":"c"}}"#), "headers");
        assert_eq!(key(r#"{"url":"http://a","headers":{"a":"c\nd"}}"#), "headers");
        assert_eq!(key(r#"{"url":"http://a","tls":{"cert_file":"x"}}"#), "tls");
    }

    #[test]
    fn waits_are_seconds_or_dates() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after("7", None), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", date), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", date), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", date), None);
        assert_eq!(retry_after("-1", None), None);
    }
}
