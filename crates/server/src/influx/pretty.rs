//! Line breaks and four blanks a level in JSON, as Go's `MarshalIndent` sets them. Works on pieces of a document as they come.

/// Where in a document the last piece ended. A copy remembers a place to go back to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Indent {
    depth: usize,
    /// A bracket was opened and nothing has come since.
    opened: bool,
    within: Within,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Structure,
    Text,
    /// Behind a backslash in a text.
    Escape,
}

impl Indent {
    /// Appends the next piece of compact JSON to `out`, indented.
    pub(super) fn write(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &byte in piece {
            match self.within {
                Within::Structure => self.structure(byte, out),
                Within::Text => self.text(byte, out),
                Within::Escape => {
                    out.push(byte);
                    self.within = Within::Text;
                }
            }
        }
    }

    fn text(&mut self, byte: u8, out: &mut Vec<u8>) {
        out.push(byte);
        match byte {
            b'\\' => self.within = Within::Escape,
            b'"' => self.within = Within::Structure,
            _ => {}
        }
    }

    fn structure(&mut self, byte: u8, out: &mut Vec<u8>) {
        let closes = matches!(byte, b']' | b'}');
        if closes {
            self.depth = self.depth.saturating_sub(1);
        }
        if self.opened != closes && (self.opened || closes) {
            self.new_line(out);
        }
        self.opened = matches!(byte, b'[' | b'{');
        out.push(byte);
        match byte {
            b'[' | b'{' => self.depth += 1,
            b'"' => self.within = Within::Text,
            b',' => self.new_line(out),
            b':' => out.push(b' '),
            _ => {}
        }
    }

    fn new_line(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
        out.resize(out.len() + 4 * self.depth, b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_like_gos_whatever_the_pieces() {
        let compact = br#"{"results":[{"statement_id":0,"a":[],"b":{},"values":[["t",1.5,"x\"[,:]"],[null]]}]}"#;
        let expected = "{\n    \"results\": [\n        {\n            \"statement_id\": 0,\n            \"a\": [],\n            \"b\": {},\n            \"values\": [\n                [\n                    \"t\",\n                    1.5,\n                    \"x\\\"[,:]\"\n                ],\n                [\n                    null\n                ]\n            ]\n        }\n    ]\n}";
        for len in [1, 2, 3, 7, 1000] {
            let (mut indent, mut out) = (Indent::default(), Vec::new());
            compact.chunks(len).for_each(|piece| indent.write(piece, &mut out));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
