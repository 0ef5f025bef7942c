//! Keeps the table of translations equal to the messages in the code of all crates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::zh;

/// The calls whose messages people are meant to read; `debug!` and `trace!` are for developers and stay English.
const CALLS: [&str; 3] = ["tracing::error!(", "tracing::warn!(", "tracing::info!("];

/// A message and where it stands.
struct Found {
    message: String,
    path: PathBuf,
}

/// Messages in the code below `crates/*/src`, tests left out.
fn messages() -> Vec<Found> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in fs::read_dir(crates).unwrap() {
        rust_files(&folder.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 50, "only {} source files below {}", files.len(), crates.display());
    files.into_iter().flat_map(|path| messages_of(&path)).collect()
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("logging/sources.rs") {
            files.push(path);
        }
    }
}

fn messages_of(path: &Path) -> Vec<Found> {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let calls = CALLS.iter().flat_map(|call| code.match_indices(call).map(|(at, _)| &code[at + call.len()..]));
    let message = |arguments| Found { message: last_literal(arguments), path: path.to_owned() };
    calls.map(message).collect()
}

/// The last string literal among the arguments of a macro, which is its message; nested calls are passed over.
fn last_literal(arguments: &str) -> String {
    let (mut depth, mut last, mut rest) = (0, String::new(), arguments);
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '(' => depth += 1,
            ')' if depth == 0 => return last,
            ')' => depth -= 1,
            '"' => {
                let end = closing_quote(rest);
                if depth == 0 {
                    last = rest[..end].to_owned();
                }
                rest = &rest[end + 1..];
            }
            _ => {}
        }
    }
    panic!("a call of a log macro never ends: {arguments}");
}

fn closing_quote(literal: &str) -> usize {
    let mut escaped = false;
    let closes = |(_, c): &(usize, char)| {
        let closing = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closing
    };
    literal.char_indices().find(closes).unwrap().0
}

/// A message that only passes a text of the run time through, as `"{warning}"` does.
fn is_passed_through(message: &str) -> bool {
    message.starts_with('{') && message.ends_with('}') && message.matches('{').count() == 1
}

#[test]
fn every_message_has_a_translation_and_can_be_looked_up() {
    let translated: BTreeSet<&str> = zh::MESSAGES.iter().map(|(english, _)| *english).collect();
    let mut missing = Vec::new();
    for Found { message, path } in messages().into_iter().filter(|f| !is_passed_through(&f.message)) {
        let plain = !message.is_empty() && !message.contains(['{', '"', '\\']);
        assert!(plain, "{}: {message:?}: put what varies into fields, and no quotes", path.display());
        if !translated.contains(message.as_str()) {
            missing.push(format!("{}: {message:?}", path.display()));
        }
    }
    assert!(missing.is_empty(), "add to logging/zh.rs:\n{}", missing.join("\n"));
}

#[test]
fn every_translation_is_of_a_message_and_no_message_has_two() {
    let used: BTreeSet<String> = messages().into_iter().map(|f| f.message).collect();
    let mut seen = BTreeSet::new();
    for (english, chinese) in zh::MESSAGES {
        assert!(used.contains(*english), "nobody logs {english:?}");
        assert!(seen.insert(english), "{english:?} is in the table twice");
        assert!(!chinese.is_ascii() && !chinese.contains(['"', '\\']), "{chinese:?}");
    }
}

#[test]
fn the_message_is_the_last_literal_outside_nested_calls() {
    assert_eq!(last_literal(r#"url = %format_args!("http://{}", a.b()), "it runs"); f("x")"#), "it runs");
    assert_eq!(last_literal(r#"kind = "a \" b) c", error = %e, "it failed")"#), "it failed");
}
