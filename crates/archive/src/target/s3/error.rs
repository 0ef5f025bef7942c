//! What an object store's answer means.

use std::io;

use crate::error::Error;

/// Longest text of an error.
const MAX_LEN: usize = 300;

/// An answer that is no success. 5xx, 408 and 429 may pass.
pub(super) fn of_status(address: &str, status: u16, body: &str) -> Error {
    let said = match (super::list::text_of(body, "Code"), super::list::text_of(body, "Message")) {
        (Some(code), Some(message)) => format!(": {code}: {message}"),
        (Some(code), None) => format!(": {code}"),
        _ => String::new(),
    };
    let hint = match status {
        300..=399 => " (a redirect: look at s3.region and s3.endpoint)",
        401 | 403 => " (look at s3.access_key, s3.secret_key, s3.region, the rights of the key, and the clock)",
        404 => " (does the bucket exist?)",
        _ => "",
    };
    let message = format!("{address}: answered {status}{}{hint}", shorten(&said));
    if status >= 500 || matches!(status, 408 | 429) { Error::Away(message) } else { Error::Refused(message) }
}

/// A request without an answer.
pub(super) fn of_connection(address: &str, error: ureq::Error) -> Error {
    let reason = match error {
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "the host name is not known".to_owned(),
        ureq::Error::Io(error) => return of_io(address, &error),
        ureq::Error::Other(error) => error.to_string(),
        other => other.to_string(),
    };
    Error::Away(format!("{address}: {}", shorten(&reason)))
}

fn of_io(address: &str, error: &io::Error) -> Error {
    let is_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    let hint = if is_tls { "; s3.tls.ca_file names an authority to trust" } else { "" };
    Error::Away(format!("{address}: {}{hint}", shorten(&error.to_string())))
}

/// On one line, and not too long.
fn shorten(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_LEN).collect()
}
