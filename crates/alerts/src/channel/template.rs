//! JSON with places in its texts, for receivers that want a shape of their own. Since the places are in texts, what comes out is
//! JSON whatever the values hold.

use serde_json::{Map, Value};

use crate::notification::{Notification, plain};
use crate::text::{Language, fill};

/// `template` with the places of all its texts filled. A text that is one place only becomes what stands there: a number stays one.
pub(super) fn fill_json(template: &Value, notification: &Notification, language: Language) -> Value {
    let again = |value: &Value| fill_json(value, notification, language);
    match template {
        Value::String(text) => fill_text(text, notification, language),
        Value::Array(all) => Value::Array(all.iter().map(again).collect()),
        Value::Object(all) => {
            Value::Object(all.iter().map(|(key, value)| (key.clone(), again(value))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn fill_text(text: &str, notification: &Notification, language: Language) -> Value {
    let only = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains(['{', '}']));
    if let Some(value) = only.and_then(|name| notification.place(name.trim(), language)) {
        return value;
    }
    Value::String(fill(text, |name| notification.place(name, language).map(|value| plain(&value))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;
    use serde_json::json;

    #[test]
    fn texts_are_filled_at_every_depth_and_values_keep_their_type() {
        let mut notification = Notification::test(TimestampNs(0));
        notification.value = Some(57.5);
        notification.labels = [("host".to_owned(), "a\"b".to_owned())].into();
        let template = json!({"msgtype": "text", "text": [{"content": "{host}: {value} {nobody}"}], "v": "{value}", "l": "{labels}", "n": 1});
        assert_eq!(
            fill_json(&template, &notification, Language::En),
            json!({"msgtype": "text", "text": [{"content": "a\"b: 57.5 {nobody}"}], "v": 57.5, "l": {"host": "a\"b"}, "n": 1})
        );
    }
}
