//! Where a store listens and as whom to come: `http(s)://user:password@host:port/prefix`, percent-decoded. What is displayed or
//! serialised never holds user or password.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use model::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The URL of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    https: bool,
    /// Without the brackets of IPv6.
    host: String,
    port: u16,
    /// Empty, or beginning with a slash and not ending in one.
    prefix: String,
    login: Option<Login>,
}

/// User and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// User.
    pub user: String,
    /// Password; may be empty.
    pub password: Secret,
}

/// Why a text is no URL of a store. Never holds the text: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another or no scheme.
    #[error("expected http:// or https:// at the start")]
    Scheme,
    /// No host, or characters that no host has.
    #[error("expected a host name or an address after ://, IPv6 in brackets")]
    Host,
    /// The port is no number of 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// A `%` without two hexadecimal digits, or not UTF-8 when decoded.
    #[error("user or password is not percent-encoded correctly")]
    Encoding,
    /// Characters in the path that must be percent-encoded.
    #[error("the path holds characters that must be percent-encoded")]
    Path,
    /// Settings belong in their keys.
    #[error("expected nothing after the path: leave ? and # and what follows out")]
    Query,
}

impl Endpoint {
    /// Reads a URL. A missing port is 80 or 443.
    ///
    /// # Errors
    /// [`UrlError`] when the text has another form.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(UrlError::Scheme)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(UrlError::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(UrlError::Query);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, host_port) = match authority.rsplit_once('@') {
            Some((login, host_port)) => (Some(parse_login(login)?), host_port),
            None => (None, authority),
        };
        let (host, port) = parse_host(host_port, if https { 443 } else { 80 })?;
        Ok(Self { https, host, port, prefix: parse_prefix(path)?, login })
    }

    /// A port of this machine, without TLS.
    pub fn local(port: u16) -> Self {
        Self { https: false, host: "localhost".to_owned(), port, prefix: String::new(), login: None }
    }

    /// True when the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Host name or address, without the brackets of IPv6.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// User and password, when the URL holds them.
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// True when the store is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost") || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

fn parse_host(host_port: &str, default_port: u16) -> Result<(String, u16), UrlError> {
    let (host, port) = match host_port.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, after)) if after.is_empty() || after.starts_with(':') => (host, after.get(1..).unwrap_or_default()),
        Some(_) => return Err(UrlError::Host),
        None => host_port.rsplit_once(':').unwrap_or((host_port, "")),
    };
    let is_v6 = host_port.starts_with('[');
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_good = if is_v6 { host.parse::<IpAddr>().is_ok() } else { !host.is_empty() && host.chars().all(is_name) };
    if !is_good {
        return Err(UrlError::Host);
    }
    let port = if port.is_empty() { default_port } else { port.parse().map_err(|_| UrlError::Port)? };
    if port == 0 { Err(UrlError::Port) } else { Ok((host.to_owned(), port)) }
}

fn parse_prefix(path: &str) -> Result<String, UrlError> {
    let path = path.trim_end_matches('/');
    if path.chars().any(|c| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'))
    {
        return Err(UrlError::Path);
    }
    Ok(if path.is_empty() { String::new() } else { format!("/{path}") })
}

fn parse_login(login: &str) -> Result<Login, UrlError> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    Ok(Login { user: percent_decode(user)?, password: percent_decode(password)?.into() })
}

fn percent_decode(text: &str) -> Result<String, UrlError> {
    model::percent::decode(text).ok_or(UrlError::Encoding)
}

impl FromStr for Endpoint {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}{}", self.host, self.port, self.prefix)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_with_their_parts() {
        for (url, display) in [
            ("http://localhost:8086", "http://localhost:8086"),
            ("HTTPS://tsdb.example.com/", "https://tsdb.example.com:443"),
            ("http://10.0.0.7:8428/select/0/prometheus/", "http://10.0.0.7:8428/select/0/prometheus"),
            ("http://[::1]:8086", "http://[::1]:8086"),
            ("http://[fe80::1]", "http://[fe80::1]:80"),
            (" http://h_1 ", "http://h_1:80"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().to_string(), display, "{url}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_but_never_shown() {
        let endpoint = Endpoint::parse("http://ann%40home:p%3Ass@h:1/x").unwrap();
        let login = endpoint.login().unwrap();
        assert_eq!((login.user.as_str(), login.password.reveal()), ("ann@home", "p:ss"));
        assert_eq!(endpoint.to_string(), "http://h:1/x");
        assert_eq!(serde_json::to_string(&endpoint).unwrap(), "\"http://h:1/x\"");
        assert!(!format!("{endpoint:?}").contains("p:ss"));
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        for (url, error) in [
            ("localhost:8086", UrlError::Scheme),
            ("ftp://h", UrlError::Scheme),
            ("http://", UrlError::Host),
            ("http://a b", UrlError::Host),
            ("http://::1:80", UrlError::Host),
            ("http://[x]:80", UrlError::Host),
            ("http://[::1]80", UrlError::Host),
            ("http://h:0", UrlError::Port),
            ("http://h:99999", UrlError::Port),
            ("http://a:%zz@h", UrlError::Encoding),
            ("http://h/a b", UrlError::Path),
            ("http://h?db=x", UrlError::Query),
        ] {
            assert_eq!(Endpoint::parse(url), Err(error), "{url}");
        }
        let error = serde_json::from_str::<Endpoint>("\"http://u:geheim@h:x\"").unwrap_err().to_string();
        assert!(!error.contains("geheim"), "{error}");
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        let is_loopback = |url: &str| Endpoint::parse(url).unwrap().is_loopback();
        assert!(is_loopback("http://localhost") && is_loopback("http://127.1.2.3") && is_loopback("http://[::1]"));
        assert!(!is_loopback("http://10.0.0.1") && !is_loopback("http://tsdb"));
    }
}
