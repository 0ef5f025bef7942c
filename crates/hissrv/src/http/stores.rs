//! What an operator does to the feeding of remote stores.

use serde_json::json;
use server::{ApiError, ErrorKind, StoreAction};

use crate::node::{Node, Remote};

/// Does it; the answer is the store's state, or that it was given up.
pub(super) fn control(node: &Node, name: &str, action: StoreAction) -> Result<Vec<u8>, ApiError> {
    if action == StoreAction::Forget {
        return forget(node, name);
    }
    let remote = remote(node, name)?;
    match action {
        StoreAction::Pause => remote.writer.pause(),
        StoreAction::Resume => remote.writer.resume(),
        StoreAction::Skip | StoreAction::Forget => remote.writer.skip(),
    }
    Ok(json!({ "name": name, "writer": remote.writer.status() }).to_string().into_bytes())
}

/// The remote store with this name.
pub(super) fn remote<'a>(node: &'a Node, name: &str) -> Result<&'a Remote, ApiError> {
    node.remotes.iter().find(|remote| remote.name == name).ok_or_else(|| {
        let known: Vec<&str> = node.remotes.iter().map(|remote| remote.name).collect();
        let hint = match known.is_empty() {
            true => "no remote store is configured".to_owned(),
            false => format!("the remote stores are: {}", known.join(", ")),
        };
        ApiError::new(ErrorKind::NotFound, format!("there is no remote store `{name}`")).with_hint(hint)
    })
}

fn forget(node: &Node, name: &str) -> Result<Vec<u8>, ApiError> {
    let consumers = node.journal.stats().consumers;
    let Some(consumer) = consumers.iter().find(|consumer| consumer.name == name) else {
        let message = format!("the journal keeps nothing for a store `{name}`");
        return Err(ApiError::new(ErrorKind::NotFound, message));
    };
    if consumer.open {
        let message = format!("the store `{name}` is configured and being fed");
        let hint = "take it out of the configuration and restart first; to give up what waits for it, use skip";
        return Err(ApiError::new(ErrorKind::BadRequest, message).with_hint(hint));
    }
    let failed = |e: journal::ConsumerError| ApiError::new(ErrorKind::Internal, e.to_string());
    node.journal.remove_consumer(name).map_err(failed)?;
    tracing::warn!(store = name, values = consumer.lag_points, "values that waited for a store were given up");
    Ok(json!({ "name": name, "forgotten": true, "values_given_up": consumer.lag_points }).to_string().into_bytes())
}
