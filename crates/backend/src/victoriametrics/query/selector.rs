//! Selectors: `{__name__="cpu_usage",db="ems",host=~"a|b"}`. The only place where names and values become part of a question; each
//! is quoted by [`quoted`], and label names that would need more than that are not used.

use query::store::{TagCondition, TagMatch};
use regex::Regex;

use super::super::names::label_of;

/// Conditions that may be left out are, beyond so many bytes: by default it takes 16 KiB for a whole question.
const MAX_LEN: usize = 8 << 10;

/// Conditions on labels, all of which must hold.
pub(super) struct Selector(String);

impl Selector {
    /// Begins with a condition that is never left out.
    pub(super) fn equal(label: &str, value: &str) -> Self {
        Self(format!("{{{label}={}", quoted(value)))
    }

    /// Adds one that is never left out. `label` is one of ours.
    pub(super) fn and(mut self, label: &str, operator: &str, value: &str) -> Self {
        self.0.push_str(&format!(",{label}{operator}{}", quoted(value)));
        self
    }

    /// Adds a tag's value (empty: the tag is missing) where that can be said: what the store answers may hold more.
    pub(super) fn and_tag(&mut self, tag: &str, value: &str) {
        self.add(tag, "=", value);
    }

    /// Adds a condition where it can be said: what the store answers may hold more.
    pub(super) fn and_condition(&mut self, condition: &TagCondition) {
        let key = &condition.key;
        match &condition.matches {
            TagMatch::In(values) => match values.as_slice() {
                [value] => self.add(key, "=", value),
                // Whether one of several is empty, which is a missing label, is not for a pattern.
                values if values.iter().all(|value| !value.is_empty()) && !values.is_empty() => {
                    let escaped: Vec<String> = values.iter().map(|value| regex::escape(value)).collect();
                    self.add(key, "=~", &escaped.join("|"));
                }
                _ => {}
            },
            TagMatch::NotIn(values) => values.iter().for_each(|value| self.add(key, "!=", value)),
            TagMatch::Like(pattern) => self.add_pattern(key, "=~", pattern),
            TagMatch::NotLike(pattern) => self.add_pattern(key, "!~", pattern),
        }
    }

    /// There, a pattern has to fit the whole value.
    fn add_pattern(&mut self, tag: &str, operator: &str, pattern: &Regex) {
        if is_plain(pattern.as_str()) {
            self.add(tag, operator, &format!("(?s:.*)(?:{})(?s:.*)", pattern.as_str()));
        }
    }

    fn add(&mut self, tag: &str, operator: &str, value: &str) {
        let label = label_of(tag);
        if is_identifier(&label) && self.0.len() + label.len() + 2 * value.len() < MAX_LEN {
            self.0.push_str(&format!(",{label}{operator}{}", quoted(value)));
        }
    }

    /// The selector.
    pub(super) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A text between quotes, as Go reads it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A name that needs no escaping as a label.
fn is_identifier(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// A pattern that means the same to Go's regular expressions and ours: no classes, no flags, no counts, no lazy repetitions.
fn is_plain(pattern: &str) -> bool {
    let is_repetition = |byte: u8| matches!(byte, b'*' | b'+' | b'?');
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b" _/:,@%=<>;!'\"~#&-.*+?|()^$".contains(&byte);
    let bytes = pattern.as_bytes();
    bytes.iter().all(|&byte| is_known(byte))
        && bytes.windows(2).all(|pair| match *pair {
            [before, after] => !is_repetition(after) || !(is_repetition(before) || b"(|^$".contains(&before)),
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn with(key: &str, matches: TagMatch) -> String {
        let mut selector = Selector::equal("db", "ems");
        selector.and_condition(&TagCondition { key: key.to_owned(), matches });
        selector.finish()
    }

    fn values(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn no_value_ends_its_quotes() {
        let selector = Selector::equal("db", "a\"},x{\\").and("__name__", "=", "b\nc").finish();
        assert_eq!(selector, r#"{db="a\"},x{\\",__name__="b\nc"}"#);
    }

    #[test]
    fn conditions_are_said_where_they_mean_the_same() {
        assert_eq!(with("host", TagMatch::In(values(&["a"]))), r#"{db="ems",host="a"}"#);
        assert_eq!(with("host", TagMatch::In(values(&["a.b", "c"]))), r#"{db="ems",host=~"a\\.b|c"}"#);
        assert_eq!(with("host", TagMatch::NotIn(values(&["a", ""]))), r#"{db="ems",host!="a",host!=""}"#);
        assert_eq!(with("db", TagMatch::In(values(&["x"]))), r#"{db="ems",db_="x"}"#);
        let like = |pattern: &str| TagMatch::Like(Arc::new(Regex::new(pattern).unwrap()));
        assert_eq!(with("host", like("^(a|b)$")), r#"{db="ems",host=~"(?s:.*)(?:^(a|b)$)(?s:.*)"}"#);
        for left_out in [
            with("a b", TagMatch::In(values(&["a"]))),
            with("host", TagMatch::In(values(&["a", ""]))),
            with("host", TagMatch::In(Vec::new())),
            with("host", TagMatch::In(values(&[&"x".repeat(5000)]))),
            with("host", like("(?i)a")),
            with("host", like(r"\d")),
            with("host", like("[^a]")),
            with("host", like("a*?")),
        ] {
            assert_eq!(left_out, r#"{db="ems"}"#);
        }
    }
}
