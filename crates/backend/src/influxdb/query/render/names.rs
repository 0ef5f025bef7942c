//! Names, texts and patterns, and which of them a text of InfluxQL can hold.

use influxql::ast::{BinaryOp, Cast, Expr};
use regex::Regex;

use super::{Said, not_sayable};

/// A text that its reader would change: to it a carriage return is the end of a line, and NUL the end of everything.
fn is_changed(text: &str) -> bool {
    text.contains(['\r', '\0'])
}

/// The name or text, if it arrives as it is.
pub(in super::super) fn checked(text: &str) -> Said<String> {
    if is_changed(text) {
        return not_sayable("a name with a carriage return or a NUL");
    }
    Ok(text.to_owned())
}

/// The name that stands for a point's time, whatever it is meant to be.
pub(super) fn is_time(name: &str) -> bool {
    name.eq_ignore_ascii_case("time")
}

/// A pattern. There is no way to write a line break into one.
pub(super) fn pattern(pattern: &Regex) -> Said<Expr> {
    let text = pattern.as_str();
    if is_changed(text) || text.contains('\n') {
        return not_sayable("a pattern with a line break");
    }
    Ok(Expr::Regex(text.to_owned()))
}

/// The pattern that finds these texts and no others. Unlike names, it can say every character.
pub(super) fn any_of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Expr {
    let escaped: Vec<String> = texts.into_iter().map(escaped).collect();
    Expr::Regex(format!("^(?:{})$", escaped.join("|")))
}

fn escaped(text: &str) -> String {
    regex::escape(text).replace('\n', "\\n").replace('\r', "\\r").replace('\0', "\\x00")
}

/// `"key"::tag = 'value'`, whatever the value is.
pub(in super::super) fn equals(key: &str, value: &str) -> Said<Expr> {
    let (op, value) = match checked(value) {
        Ok(value) => (BinaryOp::Eq, Expr::String(value)),
        Err(_) => (BinaryOp::Matches, any_of([value])),
    };
    Ok(binary(tag(key)?, op, value))
}

/// `"key"::tag`
pub(super) fn tag(key: &str) -> Said<Expr> {
    if is_time(key) {
        return not_sayable("a condition on a tag called `time`");
    }
    Ok(Expr::Reference { name: checked(key)?, cast: Some(Cast::Tag) })
}

pub(super) fn binary(left: Expr, op: BinaryOp, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

/// All of them, one after the other.
pub(in super::super) fn all(parts: Vec<Expr>) -> Option<Expr> {
    parts.into_iter().reduce(|all, part| binary(all, BinaryOp::And, part))
}
