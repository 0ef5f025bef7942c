//! Whether a regular expression can be read, with the messages of Go's `regexp/syntax`. Only the form is looked at; names of
//! Unicode classes are not. The one who runs it may still find it too large.

mod escape;

use crate::error::Reason;

/// Largest number in `{n,m}`.
const MAX_REPEAT: u32 = 1000;

/// Names inside `[[:...:]]`.
const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// Checks a pattern, which is without the slashes.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn check(pattern: &str) -> Result<(), Reason> {
    Checker { pattern, rest: pattern, open: 0, operand: false, repeat: None }.run()
}

/// State of a check.
struct Checker<'a> {
    pattern: &'a str,
    /// What was not read yet.
    rest: &'a str,
    /// Groups that are open.
    open: usize,
    /// There is something that can be repeated.
    operand: bool,
    /// Begin of the repetition that was read last, if it was just before.
    repeat: Option<&'a str>,
}

impl<'a> Checker<'a> {
    fn run(mut self) -> Result<(), Reason> {
        while let Some(ch) = self.rest.chars().next() {
            let last_repeat = self.repeat.take();
            match ch {
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '|' => self.skip("|", false),
                '[' => self.class()?,
                '*' | '+' | '?' => self.repetition(1, last_repeat)?,
                '{' => self.counted_repetition(last_repeat)?,
                '\\' => self.escape()?,
                _ => self.advance(ch.len_utf8(), true),
            }
        }
        if self.open > 0 { Err(invalid("missing closing )", self.pattern)) } else { Ok(()) }
    }

    fn advance(&mut self, bytes: usize, operand: bool) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
        self.operand = operand;
    }

    fn skip(&mut self, text: &str, operand: bool) {
        self.advance(text.len(), operand);
    }

    /// What was read since `begin`, an earlier `rest`.
    fn since(&self, begin: &'a str) -> &'a str {
        begin.get(..begin.len() - self.rest.len()).unwrap_or_default()
    }

    fn open_group(&mut self) -> Result<(), Reason> {
        if !self.rest.starts_with("(?") {
            self.open += 1;
            self.skip("(", false);
            return Ok(());
        }
        if let Some(name) = self.rest.strip_prefix("(?P<") {
            return self.named_group(name);
        }
        self.flags()
    }

    fn named_group(&mut self, name: &str) -> Result<(), Reason> {
        let Some(end) = name.find('>') else { return Err(invalid("invalid named capture", self.rest)) };
        let name = name.get(..end).unwrap_or_default();
        let len = "(?P<".len() + end + 1;
        if name.is_empty() || !name.chars().all(|ch| ch.is_ascii_alphanumeric() || ch == '_') {
            return Err(invalid("invalid named capture", self.rest.get(..len).unwrap_or_default()));
        }
        self.open += 1;
        self.advance(len, false);
        Ok(())
    }

    /// `(?flags)` or `(?flags:...)`
    fn flags(&mut self) -> Result<(), Reason> {
        const KIND: &str = "invalid or unsupported Perl syntax";
        let begin = self.rest;
        self.skip("(?", false);
        let (mut negative, mut any) = (false, false);
        while let Some(ch) = self.rest.chars().next() {
            self.advance(ch.len_utf8(), false);
            match ch {
                'i' | 'm' | 's' | 'U' => any = true,
                '-' if !negative => (negative, any) = (true, false),
                ':' | ')' if !negative || any => {
                    self.open += usize::from(ch == ':');
                    return Ok(());
                }
                _ => return Err(invalid(KIND, self.since(begin))),
            }
        }
        Err(invalid(KIND, begin))
    }

    fn close_group(&mut self) -> Result<(), Reason> {
        self.open = self.open.checked_sub(1).ok_or_else(|| invalid("unexpected )", self.pattern))?;
        self.skip(")", true);
        Ok(())
    }

    /// A repetition sign of so many bytes, and `?` behind it.
    fn repetition(&mut self, bytes: usize, last_repeat: Option<&'a str>) -> Result<(), Reason> {
        let begin = self.rest;
        let operand = self.operand;
        self.advance(bytes, true);
        if self.rest.starts_with('?') {
            self.skip("?", true);
        }
        if let Some(last) = last_repeat {
            return Err(invalid("invalid nested repetition operator", self.since(last)));
        }
        if !operand {
            return Err(invalid("missing argument to repetition operator", self.since(begin)));
        }
        self.repeat = Some(begin);
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`; any other brace stands for itself.
    fn counted_repetition(&mut self, last_repeat: Option<&'a str>) -> Result<(), Reason> {
        let Some((text, min, max)) = counts(self.rest) else {
            self.skip("{", true);
            return Ok(());
        };
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min) {
            return Err(invalid("invalid repeat count", text));
        }
        self.repetition(text.len(), last_repeat)
    }

    /// `[...]`
    fn class(&mut self) -> Result<(), Reason> {
        let begin = self.rest;
        self.skip(if begin.starts_with("[^") { "[^" } else { "[" }, true);
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            if self.rest.is_empty() {
                return Err(invalid("missing closing ]", begin));
            }
            first = false;
            if !self.posix_class()? {
                self.class_range(begin)?;
            }
        }
        self.skip("]", true);
        Ok(())
    }

    /// `[:name:]`, if it is there.
    fn posix_class(&mut self) -> Result<bool, Reason> {
        let Some(inner) = self.rest.strip_prefix("[:") else { return Ok(false) };
        let Some((name, _)) = inner.split_once(":]") else { return Ok(false) };
        let begin = self.rest;
        self.advance(name.len() + "[::]".len(), true);
        if POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Ok(true);
        }
        Err(invalid("invalid character class range", self.since(begin)))
    }

    /// A character, two with a dash between them, or an escape for several.
    fn class_range(&mut self, class: &'a str) -> Result<(), Reason> {
        let begin = self.rest;
        let Some(low) = self.class_character(class)? else { return Ok(()) };
        if !self.rest.starts_with('-') || self.rest.starts_with("-]") || self.rest == "-" {
            return Ok(());
        }
        self.skip("-", true);
        match self.class_character(class)? {
            Some(high) if high >= low => Ok(()),
            _ => Err(invalid("invalid character class range", self.since(begin))),
        }
    }

    fn class_character(&mut self, class: &'a str) -> Result<Option<char>, Reason> {
        match self.rest.chars().next() {
            None => Err(invalid("missing closing ]", class)),
            Some('\\') => self.character_escape(),
            Some(ch) => {
                self.advance(ch.len_utf8(), true);
                Ok(Some(ch))
            }
        }
    }
}

/// The text, least and most of a `{n,m}` at the begin of a pattern.
fn counts(pattern: &str) -> Option<(&str, u32, Option<u32>)> {
    let end = pattern.find('}')?;
    let inner = pattern.get(1..end)?;
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.chars().all(|ch| ch.is_ascii_digit());
        plain.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let (min, max) = match inner.split_once(',') {
        None => (number(inner)?, number(inner)),
        Some((min, "")) => (number(min)?, None),
        Some((min, max)) => (number(min)?, Some(number(max)?)),
    };
    Some((pattern.get(..=end)?, min, max))
}

fn invalid(kind: &'static str, part: &str) -> Reason {
    Reason::InvalidRegex { kind, part: part.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_in_use_are_fine() {
        for pattern in [
            "",
            "cpu",
            "^(PCS1|PCS2)$",
            ".*",
            "a{2,3}?",
            "a{,3}",
            "{",
            "[]a]",
            "[^]]",
            "[a-z\\d-]",
            "(?i)x",
            "(?i:x)",
            "(?P<n>x)",
            "\\Q**\\E",
            "[[:alpha:]]",
            "\\x{1F600}",
            "\\p{Greek}",
            "\\/",
            "^*",
            "a|",
            "\\.",
            "µ+",
            "\\012",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn messages_are_those_of_the_real_server() {
        for (pattern, message) in [
            ("[", "missing closing ]: `[`"),
            ("(", "missing closing ): `(`"),
            ("a)", "unexpected ): `a)`"),
            ("* inline *", "missing argument to repetition operator: `*`"),
            ("a|*?", "missing argument to repetition operator: `*?`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("a{3,2}", "invalid repeat count: `{3,2}`"),
            ("\\y", "invalid escape sequence: `\\y`"),
            ("(a)\\1", "invalid escape sequence: `\\1`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?P<>a)", "invalid named capture: `(?P<>`"),
        ] {
            let error = check(pattern).map_err(|reason| reason.to_string());
            assert_eq!(error, Err(format!("error parsing regexp: {message}")), "{pattern}");
        }
    }
}
