//! What is asked: a text of statements with the values for the names in it.

use std::collections::BTreeMap;

use influxql::ast::Statement;
use influxql::{Limits, Params, ParseError, Value, parse};
use query::{Cancel, Shortcuts};
use serde_json::Value as Json;

use crate::run::is_modifying;

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// One or several statements.
    pub text: &'a str,
    /// Database of statements that name none.
    pub database: Option<&'a str>,
    /// Retention policy of measurements that name none.
    pub policy: Option<&'a str>,
    /// Values for `$name` in the text, as a JSON object.
    pub parameters: Option<&'a str>,
    /// Stops the statement under way, and with it the request.
    pub cancel: &'a Cancel,
    /// The request was made in a way that is meant for reading; statements that change something are run with a warning.
    pub modifying_is_deprecated: bool,
    /// Which ways around reading points queries may take.
    pub shortcuts: Shortcuts,
    /// Messages beside the rows of a query say where they came from.
    pub tells_origins: bool,
}

/// Why nothing was executed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The text is no request.
    #[error(transparent)]
    Syntax(#[from] ParseError),
    /// The parameters are no JSON object.
    #[error("error parsing query parameters: {0}")]
    Parameters(String),
}

impl Request<'_> {
    /// Whether no statement changes anything.
    ///
    /// # Errors
    /// As running it.
    pub fn only_reads(&self) -> Result<bool, RequestError> {
        Ok(!self.statements()?.iter().any(is_modifying))
    }

    /// The statements of the text.
    pub(crate) fn statements(&self) -> Result<Vec<Statement>, RequestError> {
        let limits = Limits { time_zone_exists: query::compile::time_zone_exists, ..Limits::default() };
        Ok(parse(self.text, &self.params()?, &limits)?)
    }

    fn params(&self) -> Result<Params, RequestError> {
        let Some(text) = self.parameters.filter(|text| !text.trim().is_empty()) else { return Ok(Params::new()) };
        let read: BTreeMap<String, Json> =
            serde_json::from_str(text).map_err(|e| RequestError::Parameters(e.to_string()))?;
        read.into_iter().map(|(name, value)| Ok((name.clone(), param(&name, &value)?))).collect()
    }
}

/// A value: text, number or boolean, or an object with its kind as the only key, `{"regex": "a.*"}`.
fn param(name: &str, value: &Json) -> Result<Value, RequestError> {
    let wrong = || RequestError::Parameters(format!("invalid value of parameter {name}: {value}"));
    match value {
        Json::String(text) => Ok(Value::String(text.clone())),
        Json::Bool(value) => Ok(Value::Boolean(*value)),
        Json::Number(number) => {
            let integer = number.as_i64().map(Value::Integer);
            integer.or_else(|| number.as_f64().map(Value::Float)).ok_or_else(wrong)
        }
        Json::Object(typed) if typed.len() == 1 => {
            let (kind, value) = typed.iter().next().ok_or_else(wrong)?;
            typed_param(kind, value).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

fn typed_param(kind: &str, value: &Json) -> Option<Value> {
    let text = || value.as_str().map(str::to_owned);
    match kind {
        "string" => text().map(Value::String),
        "identifier" => text().map(Value::Identifier),
        "regex" => text().map(Value::Regex),
        "duration" => text().map(Value::Duration),
        "boolean" => value.as_bool().map(Value::Boolean),
        "integer" => value.as_i64().map(Value::Integer),
        "float" | "number" => value.as_f64().map(Value::Float),
        _ => None,
    }
}
