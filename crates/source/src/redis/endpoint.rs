//! Which Redis, and as whom: the URL forms `redis://`, `rediss://`, `unix://` and `redis+unix://` with
//! `user:password@host:port/db`, percent-decoded. What is displayed never holds a secret.

use std::fmt;
use std::path::PathBuf;

use model::Secret;

/// Port of Redis when the URL names none.
const DEFAULT_PORT: u16 = 6379;

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Host name or address (without the brackets of IPv6) and port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// Whether TLS is spoken there.
        tls: bool,
    },
    /// A socket file.
    Unix(PathBuf),
}

/// Where to connect and how to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where the server listens.
    pub address: Address,
    /// ACL user; `None` is Redis' `default`.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Number of the database.
    pub db: u32,
}

/// Why a text is no URL of a Redis. Never holds the text: it may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another or no scheme.
    #[error("expected redis://, rediss://, unix:// or redis+unix:// at the start of the Redis URL")]
    Scheme,
    /// The port is no number of 1 to 65535.
    #[error("the port of the Redis URL is not a number from 1 to 65535")]
    Port,
    /// The database is no number.
    #[error("the database of the Redis URL is not a number")]
    Db,
    /// A `%` without two hexadecimal digits, or not UTF-8 when decoded.
    #[error("the Redis URL is not percent-encoded correctly")]
    Encoding,
    /// A socket URL without a path.
    #[error("the Redis URL names no path of a socket")]
    Path,
}

impl Endpoint {
    /// Reads a URL. A missing host is `localhost`, a missing port 6379, a missing database 0.
    ///
    /// # Errors
    /// [`UrlError`] when the text has another form.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(UrlError::Scheme)?;
        match scheme {
            "redis" => Self::tcp(rest, false),
            "rediss" => Self::tcp(rest, true),
            "unix" | "redis+unix" => Self::unix(rest),
            _ => Err(UrlError::Scheme),
        }
    }

    fn tcp(rest: &str, tls: bool) -> Result<Self, UrlError> {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, db) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, host_port) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = split_port(host_port)?;
        let (username, password) = split_login(login)?;
        let host = if host.is_empty() { "localhost".to_owned() } else { percent_decode(host)? };
        Ok(Self { address: Address::Tcp { host, port, tls }, username, password, db: parse_db(db)? })
    }

    fn unix(rest: &str) -> Result<Self, UrlError> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, path) = match path.split_once('@') {
            Some((login, path)) if !login.contains('/') => (login, path),
            _ => ("", path),
        };
        if path.is_empty() {
            return Err(UrlError::Path);
        }
        let (username, password) = split_login(login)?;
        let db = query.split('&').find_map(|pair| pair.strip_prefix("db=")).unwrap_or_default();
        Ok(Self { address: Address::Unix(percent_decode(path)?.into()), username, password, db: parse_db(db)? })
    }
}

fn parse_db(text: &str) -> Result<u32, UrlError> {
    if text.is_empty() { Ok(0) } else { text.parse().map_err(|_| UrlError::Db) }
}

fn split_login(login: &str) -> Result<(Option<String>, Option<Secret>), UrlError> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let present = |text: &str| if text.is_empty() { Ok(None) } else { percent_decode(text).map(Some) };
    Ok((present(user)?, present(password)?.map(Secret::from)))
}

fn split_port(host_port: &str) -> Result<(&str, u16), UrlError> {
    let (host, port) = match host_port.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, after)) => (host, after.strip_prefix(':').unwrap_or_default()),
        None => host_port.rsplit_once(':').unwrap_or((host_port, "")),
    };
    let port = if port.is_empty() { DEFAULT_PORT } else { port.parse().map_err(|_| UrlError::Port)? };
    if port == 0 { Err(UrlError::Port) } else { Ok((host, port)) }
}

fn percent_decode(text: &str) -> Result<String, UrlError> {
    model::percent::decode(text).ok_or(UrlError::Encoding)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { host, port, tls } => {
                let scheme = if *tls { "rediss" } else { "redis" };
                let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                write!(f, "{scheme}://{open}{host}{close}:{port}/{}", self.db)
            }
            Address::Unix(path) => write!(f, "unix://{}?db={}", path.display(), self.db),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_url_is_read() {
        for (url, display) in [
            ("redis://localhost:6379", "redis://localhost:6379/0"),
            ("redis://", "redis://localhost:6379/0"),
            ("redis://10.0.0.1/3", "redis://10.0.0.1:6379/3"),
            ("rediss://user:p%40ss@redis.example:7000/2", "rediss://redis.example:7000/2"),
            ("redis://[::1]:6380/1", "redis://[::1]:6380/1"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock?db=0"),
            ("redis+unix:///run/redis.sock?db=4", "unix:///run/redis.sock?db=4"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().to_string(), display, "{url}");
        }
    }

    #[test]
    fn user_and_password_are_percent_decoded() {
        let endpoint = Endpoint::parse("redis://ops%3Ax:p%40s%25s@h").unwrap();
        assert_eq!(endpoint.username.as_deref(), Some("ops:x"));
        assert_eq!(endpoint.password.unwrap().reveal(), "p@s%s");
        let only_password = Endpoint::parse("redis://:secret@h").unwrap();
        assert_eq!((only_password.username, only_password.password.unwrap().reveal()), (None, "secret"));
    }

    #[test]
    fn no_text_about_an_endpoint_holds_its_password() {
        let endpoint = Endpoint::parse("redis://user:hunter2@host").unwrap();
        assert!(!format!("{endpoint} {endpoint:?}").contains("hunter2"));
    }

    #[test]
    fn a_wrong_url_is_refused_with_what_is_wrong() {
        for (url, error) in [
            ("localhost:6379", UrlError::Scheme),
            ("http://localhost", UrlError::Scheme),
            ("redis://h:99999", UrlError::Port),
            ("redis://h:0", UrlError::Port),
            ("redis://h/x", UrlError::Db),
            ("redis://u:%zz@h", UrlError::Encoding),
            ("unix://", UrlError::Path),
        ] {
            assert_eq!(Endpoint::parse(url), Err(error), "{url}");
        }
    }
}
