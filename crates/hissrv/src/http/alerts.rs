//! Alerts over HTTP: listed, silenced.

use alerts::{SilenceConfig, SilenceError};
use serde_json::json;
use server::{ApiError, ErrorKind};

use super::internal;
use crate::node::Node;

/// Alerts, silences, rules, channels.
pub(super) fn list(node: &Node) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(&node.alerting.alerts().list()).map_err(|e| internal(e.to_string()))
}

/// Adds a silence.
pub(super) fn silence(node: &Node, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let wrong = |message: String| ApiError::new(ErrorKind::BadRequest, message);
    let hint = "expected an object with `labels` and `until`; see docs/alerts.md";
    let silence: SilenceConfig = serde_json::from_slice(body).map_err(|e| wrong(e.to_string()).with_hint(hint))?;
    let added = node.alerting.alerts().silence(silence);
    let id = added.map_err(|e: SilenceError| wrong(e.to_string()))?;
    Ok(json!({ "id": id }).to_string().into_bytes())
}

/// Takes one back.
pub(super) fn unsilence(node: &Node, id: &str) -> Result<Vec<u8>, ApiError> {
    if node.alerting.alerts().unsilence(id) {
        return Ok(json!({ "id": id, "removed": true }).to_string().into_bytes());
    }
    let message = format!("there is no silence `{id}` that was added while hissrv runs");
    let hint = "those of the configuration are taken out there";
    Err(ApiError::new(ErrorKind::NotFound, message).with_hint(hint))
}
