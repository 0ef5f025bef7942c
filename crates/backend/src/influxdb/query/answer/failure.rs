//! What a server says when a statement fails, as an error.

use query::QueryError;

/// Begins of messages that are not about the question but about the server.
const OF_THE_SERVER: [&str; 8] = [
    "engine: ",
    "engine is closed",
    "shard ",
    "timeout",
    "query timeout",
    "query interrupted",
    "unable to open",
    "read tcp",
];

/// The error that a message stands for.
pub(super) fn of(message: String) -> QueryError {
    let not_found = |what| message.strip_prefix(what).and_then(|rest: &str| rest.strip_prefix(" not found: "));
    for what in ["database", "retention policy"] {
        if let Some(name) = not_found(what) {
            return QueryError::NotFound { what, name: name.to_owned() };
        }
    }
    if let Some(limit) = message.strip_prefix("max-") {
        let (limit, detail) = limit.split_once(": ").unwrap_or((limit, "it refused"));
        return QueryError::TooMuch { limit: format!("the store's max-{limit}"), detail: detail.to_owned() };
    }
    if OF_THE_SERVER.iter().any(|begin| message.starts_with(begin)) {
        return QueryError::Store(message);
    }
    QueryError::invalid(message)
}
