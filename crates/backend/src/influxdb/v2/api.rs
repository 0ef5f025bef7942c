//! The interface `/api/v2` for one organisation.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::PRODUCT;
use crate::WriteError;
use crate::http::{Http, HttpError, Method, form};

/// An organisation of a server.
#[derive(Debug)]
pub(super) struct Api<'a> {
    http: &'a Http,
    /// Its name...
    pub(super) org: &'a str,
    /// ... and its number.
    pub(super) org_id: String,
}

/// What became of a change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Changed<T> {
    /// It is done.
    Done(T),
    /// The server says no, in these words.
    Refused(String),
}

#[derive(Deserialize)]
struct Orgs {
    #[serde(default)]
    orgs: Vec<Org>,
}

#[derive(Deserialize)]
struct Org {
    id: String,
}

impl<'a> Api<'a> {
    /// Looks the organisation up.
    ///
    /// # Errors
    /// [`WriteError::Denied`] when none is configured or there is none of the name; those of the request.
    pub(super) fn find(http: &'a Http, org: Option<&'a str>) -> Result<Self, WriteError> {
        let denied = |message: String| WriteError::Denied { message };
        let org =
            org.ok_or_else(|| denied(format!("{PRODUCT} 2 needs the name of an organisation: set influxdb.org")))?;
        let missing = || {
            let at = http.endpoint();
            denied(format!(
                "{PRODUCT}: {at} has no organisation {org:?}, or the token may not see it: look at influxdb.org"
            ))
        };
        let reply = match http.get(&format!("/api/v2/orgs?{}", form(&[("org", org)]))) {
            Ok(reply) => reply,
            Err(error) if error.status() == Some(404) => return Err(missing()),
            Err(error) => return Err(error.into_refusal(PRODUCT)),
        };
        let found: Orgs = read(http, &reply.body)?;
        let org_id = found.orgs.into_iter().next().ok_or_else(missing)?.id;
        Ok(Self { http, org, org_id })
    }

    /// Reads a list; `None` when the server knows nothing of the kind.
    ///
    /// # Errors
    /// Those of the request.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Option<T>, WriteError> {
        let mut all = vec![("orgID", self.org_id.as_str())];
        all.extend(pairs);
        match self.http.get(&format!("/api/v2/{path}?{}", form(&all))) {
            Ok(reply) => read(self.http, &reply.body).map(Some),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into_refusal(PRODUCT)),
        }
    }

    /// Makes something.
    ///
    /// # Errors
    /// Those of the request, but for refusals of what is asked.
    pub(super) fn create<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<Changed<T>, WriteError> {
        self.change(Method::POST, &format!("/api/v2/{path}"), body)
    }

    /// Changes something.
    ///
    /// # Errors
    /// As [`Api::create`].
    pub(super) fn update(&self, path: &str, body: &Value) -> Result<Changed<Value>, WriteError> {
        self.change(Method::PATCH, &format!("/api/v2/{path}"), body)
    }

    fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: &Value,
    ) -> Result<Changed<T>, WriteError> {
        match self.http.send(method, target, Some(&body.to_string())) {
            Ok(reply) => read(self.http, &reply.body).map(Changed::Done),
            Err(error) if is_refusal(&error) => Ok(Changed::Refused(error.reason())),
            Err(error) => Err(error.into_refusal(PRODUCT)),
        }
    }
}

/// The server understood the request and says no to what it wants.
fn is_refusal(error: &HttpError) -> bool {
    matches!(error.status(), Some(400 | 409 | 422))
}

fn read<T: DeserializeOwned>(http: &Http, body: &str) -> Result<T, WriteError> {
    serde_json::from_str(body).map_err(|error| WriteError::Away {
        message: format!("{PRODUCT}: {} did not answer as expected: {error}", http.endpoint()),
    })
}
