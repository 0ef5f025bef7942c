//! What a store's answer says, short enough for a log line.

use serde_json::Value;

/// Longest text of a store that gets into a message, in characters.
const MAX_LEN: usize = 300;

/// The error text in a body: that of InfluxDB's, VictoriaMetrics' or hissrv's JSON, else the body itself; on one line and cut to
/// 300 characters.
pub(super) fn reason(body: &str) -> String {
    let stated = serde_json::from_str(body).ok().and_then(|json| error_text(&json));
    shorten(stated.as_deref().unwrap_or(body))
}

fn error_text(json: &Value) -> Option<String> {
    let text = ["message", "error"].iter().find_map(|key| match json.get(*key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        nested @ Value::Object(_) => error_text(nested),
        _ => None,
    })?;
    let line = json.get("line").and_then(Value::as_u64);
    Some(line.map_or_else(|| text.clone(), |line| format!("line {line}: {text}")))
}

/// One line of at most 300 characters.
pub(super) fn shorten(text: &str) -> String {
    let words = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = words.take(MAX_LEN + 1).collect();
    if let Some((at, _)) = short.char_indices().nth(MAX_LEN) {
        short.truncate(at);
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_found_in_the_json_of_each_store() {
        assert_eq!(reason(r#"{"error":"database not found: \"x\""}"#), "database not found: \"x\"");
        assert_eq!(reason(r#"{"code":"invalid","message":"bad point","line":3}"#), "line 3: bad point");
        assert_eq!(reason(r#"{"status":"error","errorType":"422","error":"no such metric"}"#), "no such metric");
        assert_eq!(reason(r#"{"error":{"code":"busy","message":"journal full"}}"#), "journal full");
        assert_eq!(reason("404 page\nnot found\n"), "404 page not found");
        assert_eq!(reason("[1]"), "[1]");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let short = reason(&"é".repeat(1000));
        assert_eq!(short, format!("{}...", "é".repeat(300)));
        assert_eq!(reason(&"é".repeat(300)), "é".repeat(300));
    }
}
