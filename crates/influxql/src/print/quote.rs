//! Names, texts and regular expressions with what they need around them.

use std::fmt::{self, Display, Formatter, Write};

use crate::token::{Keyword, continues_name, starts_name};

/// A name, in quotes where it needs them.
pub(super) struct Ident<'a>(pub(super) &'a str);

impl Display for Ident<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if needs_quotes(self.0) { quoted(f, self.0, '"') } else { f.write_str(self.0) }
    }
}

/// A text in single quotes.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(f, self.0, '\'')
    }
}

/// A regular expression between slashes.
pub(super) struct Pattern<'a>(pub(super) &'a str);

impl Display for Pattern<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.0.replace('/', "\\/"))
    }
}

fn needs_quotes(name: &str) -> bool {
    !name.starts_with(starts_name) || !name.chars().all(continues_name) || Keyword::of(name).is_some()
}

fn quoted(f: &mut Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for ch in text.chars() {
        match ch {
            '\n' => f.write_str("\\n")?,
            '\\' => f.write_str("\\\\")?,
            _ if ch == quote => write!(f, "\\{quote}")?,
            _ => f.write_char(ch)?,
        }
    }
    f.write_char(quote)
}

/// Names with dots between them; all but the last in quotes, as in the message about too many of them.
pub(crate) fn quote_segments(names: &[String]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        let last = index + 1 == names.len();
        match name.as_str() {
            "" if index > 0 && !last => {}
            _ if last => text.push_str(&Ident(name).to_string()),
            _ => {
                text.push_str(&format!("\"{}\"", name.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")))
            }
        }
        if !last {
            text.push('.');
        }
    }
    text
}
