//! Notifications as e-mails, one for all recipients. Mails about one alert are one thread in a mail program.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use model::{HumanDuration, Secret};
use serde::{Deserialize, Serialize};

use super::{Channel, Kind, SendError, Tools, Wrong};
use crate::notification::{Notification, plain};
use crate::text::Language;

/// Default of [`Email::timeout`].
const TIMEOUT: HumanDuration = HumanDuration(Duration::from_secs(20));

/// An e-mail, with the id as its `Message-ID`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Host and port of the server that takes our mails: `smtp.example.com:587`.
    pub server: String,
    /// `starttls`: TLS must be spoken from the second command on. `tls`: from the first byte on, mostly at port 465. `none`: never.
    /// Default starttls.
    #[serde(default)]
    pub tls: EmailTls,
    /// PEM file of the authorities to trust instead of the system's. Default none.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Accepts any certificate: protects against listeners, not against impostors. Default false.
    #[serde(default)]
    pub insecure: bool,
    /// User to log in as; needs `password`, and `tls` other than `none`. Default: nobody.
    #[serde(default)]
    pub username: Option<String>,
    /// Password. Never shown.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Sender: `hissrv@example.com` or `Plant <hissrv@example.com>`.
    pub from: String,
    /// Recipients, one at least. One mail goes to all; if the server refuses one of them, none gets it.
    pub to: Vec<String>,
    /// Longest wait for the server. Default 20s.
    #[serde(default = "timeout")]
    pub timeout: HumanDuration,
    /// Language of the texts. Default en.
    #[serde(default)]
    pub language: Language,
}

fn timeout() -> HumanDuration {
    TIMEOUT
}

/// When TLS is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailTls {
    /// After the server has said that it can.
    #[default]
    Starttls,
    /// From the first byte on.
    Tls,
    /// Never.
    None,
}

impl Email {
    fn host_and_port(&self) -> Result<(&str, u16), Wrong> {
        let wrong = || ("server", "expected host and port, such as smtp.example.com:587".to_owned());
        let (host, port) = self.server.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        if host.is_empty() { Err(wrong()) } else { Ok((host, port)) }
    }

    fn sender(&self) -> Result<Mailbox, Wrong> {
        mailbox("from", &self.from)
    }

    fn recipients(&self) -> Result<Vec<Mailbox>, Wrong> {
        if self.to.is_empty() {
            return Err(("to", "expected one recipient at least".to_owned()));
        }
        self.to.iter().map(|text| mailbox("to", text)).collect()
    }

    fn credentials(&self) -> Result<Option<Credentials>, Wrong> {
        match (&self.username, &self.password) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) if self.tls == EmailTls::None => {
                Err(("tls", "a password is not sent without TLS: expected starttls or tls".to_owned()))
            }
            (Some(user), Some(password)) => Ok(Some(Credentials::new(user.clone(), password.reveal().to_owned()))),
            _ => Err(("username", "username and password belong together".to_owned())),
        }
    }

    fn tls(&self, host: &str) -> Result<Tls, String> {
        if self.tls == EmailTls::None {
            return Ok(Tls::None);
        }
        let mut settings = TlsParameters::builder(host.to_owned()).dangerous_accept_invalid_certs(self.insecure);
        if let Some(path) = &self.ca_file {
            let pem = fs::read(path).map_err(|e| format!("read {}: {e}", path.display()))?;
            let authorities = Certificate::from_pem(&pem).map_err(|e| format!("{}: {e}", path.display()))?;
            settings = settings.certificate_store(CertificateStore::None).add_root_certificate(authorities);
        }
        let settings = settings.build_rustls().map_err(|e| e.to_string())?;
        Ok(if self.tls == EmailTls::Tls { Tls::Wrapper(settings) } else { Tls::Required(settings) })
    }
}

fn mailbox(key: &'static str, text: &str) -> Result<Mailbox, Wrong> {
    text.parse().map_err(|_| (key, format!("`{}` is no e-mail address", text.escape_debug())))
}

impl Kind for Email {
    fn check(&self) -> Result<(), Wrong> {
        self.host_and_port()?;
        self.sender()?;
        self.recipients()?;
        self.credentials()?;
        if self.timeout.0.is_zero() {
            return Err(("timeout", "expected more than 0s".to_owned()));
        }
        Ok(())
    }

    fn open(&self, _tools: &Tools) -> Result<Box<dyn Channel>, Wrong> {
        self.check()?;
        let (host, port) = self.host_and_port()?;
        Ok(Box::new(Open {
            host: host.to_owned(),
            port,
            from: self.sender()?,
            to: self.recipients()?,
            credentials: self.credentials()?,
            settings: self.clone(),
        }))
    }
}

struct Open {
    host: String,
    port: u16,
    from: Mailbox,
    to: Vec<Mailbox>,
    credentials: Option<Credentials>,
    settings: Email,
}

impl Channel for Open {
    fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let message = self.message(notification).map_err(|e| SendError::refused(format!("{}: {e}", self.host)))?;
        // With each mail, since the files may be put right while we run.
        let tls = self.settings.tls(&self.host).map_err(SendError::retryable)?;
        let transport = SmtpTransport::builder_dangerous(&self.host).port(self.port).tls(tls);
        let transport = transport.timeout(Some(self.settings.timeout.0));
        let transport = match &self.credentials {
            Some(credentials) => transport.credentials(credentials.clone()),
            None => transport,
        };
        match transport.build().send(&message) {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(SendError::refused(self.told(&error))),
            Err(error) => Err(SendError::retryable(self.told(&error))),
        }
    }
}

impl Open {
    fn message(&self, notification: &Notification) -> Result<Message, lettre::error::Error> {
        let language = self.settings.language;
        let thread = format!("<{}-{}@hissrv>", notification.fingerprint, notification.since.0.0);
        let subject: String =
            notification.text.get(language).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut message = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{}@hissrv>", notification.id)))
            .references(thread)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        message.body(content(notification, language))
    }

    fn told(&self, error: &lettre::transport::smtp::Error) -> String {
        let text = format!("{}: {error}", self.host);
        match &self.settings.password {
            Some(password) if !password.reveal().is_empty() => text.replace(password.reveal(), "***"),
            _ => text,
        }
    }
}

/// The sentence, then everything else line by line.
fn content(notification: &Notification, language: Language) -> String {
    let body = notification.body(language);
    let mut lines = vec![notification.text.get(language).to_owned(), String::new()];
    let shown =
        ["value", "since", "until", "rule", "severity", "id"].map(|name| (name.to_owned(), body.get(name).cloned()));
    let nested = ["labels", "annotations"].into_iter().filter_map(|name| body.get(name)?.as_object().cloned());
    let nested = nested.flatten().map(|(name, value)| (name, Some(value)));
    for (name, value) in shown.into_iter().chain(nested) {
        let text = plain(&value.unwrap_or_default());
        if !text.is_empty() {
            lines.push(format!("{name}: {text}"));
        }
    }
    lines.push(String::new());
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(json: &str) -> Email {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_cannot_work_is_refused_by_its_key() {
        let key = |json: &str| email(json).check().unwrap_err().0;
        assert_eq!(key(r#"{"server":"mail","from":"a@b.c","to":["d@e.f"]}"#), "server");
        assert_eq!(key(r#"{"server":"mail:25","from":"a","to":["d@e.f"]}"#), "from");
        assert_eq!(key(r#"{"server":"mail:25","from":"a@b.c","to":[]}"#), "to");
        assert_eq!(key(r#"{"server":"mail:25","from":"a@b.c","to":["x y"]}"#), "to");
        assert_eq!(key(r#"{"server":"mail:25","from":"a@b.c","to":["d@e.f"],"username":"u"}"#), "username");
        assert_eq!(
            key(r#"{"server":"mail:25","tls":"none","from":"a@b.c","to":["d@e.f"],"username":"u","password":"p"}"#),
            "tls"
        );
        email(r#"{"server":"[::1]:25","from":"Plant <a@b.c>","to":["电站 <d@e.f>"]}"#).check().unwrap();
    }
}
