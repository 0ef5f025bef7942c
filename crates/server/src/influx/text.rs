//! Texts as Go's JSON encoder writes them: besides what JSON demands, `<`, `>` and `&` and the line separators U+2028 and
//! U+2029 are escaped, so that an answer can stand inside a page.

/// Appends a JSON string.
pub(super) fn write_json(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_special) {
        let Some((plain, special)) = rest.split_at_checked(at) else { break };
        out.extend_from_slice(plain.as_bytes());
        let mut chars = special.chars();
        if let Some(c) = chars.next() {
            write_escaped(out, c);
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// Whether a byte is escaped, or begins a character that may be.
fn is_special(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2)
}

fn write_escaped(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
        }
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_go_does_it_and_read_back_unchanged() {
        let text = "a<b>&\"\\\n\r\t\u{1}\u{7f}\u{2028}\u{2029}ä€电池🔋 end";
        let mut out = Vec::new();
        write_json(&mut out, text);
        let written = String::from_utf8(out).unwrap();
        assert!(written.starts_with(r#""a\u003cb\u003e\u0026\"\\\n\r\t\u0001"#), "{written}");
        assert!(written.ends_with("\\u2028\\u2029ä€电池🔋 end\""), "{written}");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
