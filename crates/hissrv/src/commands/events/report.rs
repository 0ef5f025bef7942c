//! What making events of history has done, for people; reports about parts put together.

use serde_json::Value;

/// The lines of a report, without its times.
pub(in crate::commands) fn lines(report: &Value) -> String {
    let at = |key: &str| report.get(key).map(Value::to_string).unwrap_or_default();
    let is_dry = report.get("dry_run").and_then(Value::as_bool).unwrap_or_default();
    let (written, removed) = if is_dry { ("to be written", "to be removed") } else { ("written", "removed") };
    let mut text = format!(
        "looked at  {} samples of {} metrics of {} nodes\nevents     {}: {} {written}, {} there already\nno longer  {} {removed}\n",
        at("samples"),
        at("columns"),
        at("nodes"),
        at("events"),
        at("written"),
        at("unchanged"),
        at("removed"),
    );
    for what in report.get("damaged").and_then(Value::as_array).into_iter().flatten() {
        text += &format!("left out   {}\n", what.as_str().unwrap_or_default());
    }
    text
}

/// Two reports about different nodes as one: numbers are added, lists joined, what holds of either holds.
pub(in crate::commands) fn together(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut all), Value::Object(more)) => {
            for (key, value) in more {
                let known = all.remove(&key).unwrap_or_default();
                all.insert(key, together(known, value));
            }
            Value::Object(all)
        }
        (Value::Array(mut all), Value::Array(more)) => {
            all.extend(more);
            Value::Array(all)
        }
        (Value::Number(a), Value::Number(b)) => {
            (a.as_u64().unwrap_or_default().saturating_add(b.as_u64().unwrap_or_default())).into()
        }
        (Value::Bool(a), Value::Bool(b)) => (a || b).into(),
        (Value::Null, other) => other,
        (one, _) => one,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reports_about_parts_are_added() {
        let one =
            json!({"from": "a", "nodes": 1, "events": 5, "damaged": ["x"], "is_cut_short": false, "dry_run": false});
        let other =
            json!({"from": "a", "nodes": 2, "events": 7, "damaged": ["y"], "is_cut_short": true, "dry_run": false});
        let sum = together(together(Value::Null, one), other);
        assert_eq!(
            sum,
            json!({"from": "a", "nodes": 3, "events": 12, "damaged": ["x", "y"], "is_cut_short": true, "dry_run": false})
        );
        assert!(lines(&sum).contains("of 3 nodes\nevents     12:") && lines(&sum).contains("left out   y"));
    }
}
