//! Escapes: a backslash and what it makes of the characters behind it.

use super::{Checker, invalid};
use crate::error::Reason;

impl<'a> Checker<'a> {
    /// Outside of a class.
    pub(super) fn escape(&mut self) -> Result<(), Reason> {
        if let Some(quoted) = self.rest.strip_prefix("\\Q") {
            let len = quoted.find("\\E").map_or(quoted.len(), |end| end + "\\E".len());
            let some = len > "\\E".len() || !quoted.starts_with("\\E");
            self.advance("\\Q".len() + len, some || self.operand);
            return Ok(());
        }
        match self.rest.chars().nth(1) {
            Some('A' | 'b' | 'B' | 'z') => self.advance(2, true),
            _ => {
                self.character_escape()?;
            }
        }
        Ok(())
    }

    /// An escape for a character, which is returned, or for several.
    pub(super) fn character_escape(&mut self) -> Result<Option<char>, Reason> {
        let begin = self.rest;
        let mut chars = begin.chars().skip(1);
        let Some(ch) = chars.next() else { return Err(invalid("trailing backslash at end of expression", "")) };
        self.advance(1 + ch.len_utf8(), true);
        match ch {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Ok(None),
            'p' | 'P' => self.unicode_class(begin).map(|()| None),
            'a' => Ok(Some('\u{7}')),
            'f' => Ok(Some('\u{c}')),
            'n' => Ok(Some('\n')),
            'r' => Ok(Some('\r')),
            't' => Ok(Some('\t')),
            'v' => Ok(Some('\u{b}')),
            'x' => self.hexadecimal(begin).map(Some),
            '0'..='7' => self.octal(ch, begin).map(Some),
            _ if ch.is_ascii() && !ch.is_ascii_alphanumeric() => Ok(Some(ch)),
            _ => Err(invalid("invalid escape sequence", self.since(begin))),
        }
    }

    /// `\pL` or `\p{Name}`
    fn unicode_class(&mut self, begin: &'a str) -> Result<(), Reason> {
        let len = match self.rest.chars().next() {
            Some('{') => self.rest.find('}').map(|end| end + 1),
            first => first.map(char::len_utf8),
        };
        let Some(len) = len else { return Err(invalid("invalid character class range", begin)) };
        self.advance(len, true);
        Ok(())
    }

    /// `\x7F` or `\x{10FFFF}`
    fn hexadecimal(&mut self, begin: &'a str) -> Result<char, Reason> {
        let digits = match self.rest.strip_prefix('{') {
            Some(inner) => inner.split_once('}').map(|(digits, _)| (digits, digits.len() + 2)),
            None => self.rest.get(..2).map(|digits| (digits, 2)),
        };
        let valid = digits.filter(|(digits, _)| digits.chars().all(|ch| ch.is_ascii_hexdigit()));
        let value = valid.and_then(|(digits, len)| Some((u32::from_str_radix(digits, 16).ok()?, len)));
        match value.and_then(|(value, len)| Some((char::from_u32(value)?, len))) {
            Some((ch, len)) => {
                self.advance(len, true);
                Ok(ch)
            }
            None => Err(invalid("invalid escape sequence", self.since(begin))),
        }
    }

    /// `\012`; there are no references to groups, so `\1` alone is wrong.
    fn octal(&mut self, first: char, begin: &'a str) -> Result<char, Reason> {
        let is_octal = |ch: &char| ('0'..='7').contains(ch);
        let more = self.rest.chars().take_while(is_octal).take(2).count();
        if first != '0' && more == 0 {
            return Err(invalid("invalid escape sequence", self.since(begin)));
        }
        self.advance(more, true);
        let digits = self.since(begin).trim_start_matches('\\');
        Ok(u32::from_str_radix(digits, 8).ok().and_then(char::from_u32).unwrap_or('\0'))
    }
}
