//! Text to tokens. It reads as the real server's scanner does, accidents included where a message shows them: at which
//! character an error is reported depends on what was looked at before.
//!
//! A regular expression is only read where the parser asks for one, because `/` is also a division.

use crate::ast::BinaryOp;
use crate::error::Position;
use crate::token::{Keyword, Kind, Token, continues_name, starts_name};

/// Reads a text token by token.
#[derive(Debug)]
pub(crate) struct Lexer {
    /// The text; a line ends with `\n` only.
    chars: Vec<char>,
    /// Next character to read. It moves on behind the end: the end is a character that can be read again and again.
    at: usize,
}

impl Lexer {
    /// Starts at the begin of `text`.
    pub(crate) fn new(text: &str) -> Self {
        let mut chars = Vec::with_capacity(text.len());
        let mut after_return = false;
        for ch in text.chars() {
            match ch {
                '\n' if after_return => {}
                '\r' => chars.push('\n'),
                _ => chars.push(ch),
            }
            after_return = ch == '\r';
        }
        Self { chars, at: 0 }
    }

    /// The place of a character. The first look behind the end is one character behind it, later ones two.
    pub(crate) fn position(&self, at: usize) -> Position {
        let before = self.chars.iter().take(at);
        let line = before.clone().filter(|ch| **ch == '\n').count();
        let char = before.rev().take_while(|ch| **ch != '\n').count();
        let behind = usize::from(at > self.chars.len());
        Position { line: line + 1, char: char + behind + 1 }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// The next character. Looking at the end moves on behind it, as in the real scanner; it is there again.
    pub(crate) fn look(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_none());
        next
    }

    /// The next token.
    pub(crate) fn token(&mut self) -> Token {
        let start = self.at;
        let kind = match self.peek() {
            None => self.single(Kind::Eof),
            Some(' ' | '\t' | '\n') => self.blanks(),
            Some('"') => return self.name(start),
            Some(ch) if starts_name(ch) => return self.name(start),
            Some('\'') => return self.string(),
            Some(ch) if ch.is_ascii_digit() => return self.number(start),
            Some('.') if self.digit_follows(1) => return self.number(start),
            Some('$') => return self.param(start),
            Some('-') if self.follows("--") => self.line_comment(),
            Some('/') if self.follows("/*") => self.block_comment(),
            Some(ch) => match self.symbol(ch) {
                Some(kind) => kind,
                None => return self.illegal(ch, start),
            },
        };
        Token { kind, text: self.blank_text(kind, start), at: start }
    }

    /// The regular expression that begins at the next character, which is a slash.
    pub(crate) fn regex(&mut self) -> Token {
        let at = self.at.saturating_sub(1);
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.read() {
                Some('/') => return Token { kind: Kind::Regex, text, at },
                None | Some('\n') => return Token { kind: Kind::BadRegex, text: String::new(), at },
                Some('\\') if self.peek() == Some('/') => {
                    self.at += 1;
                    text.push('/');
                }
                Some(ch) => text.push(ch),
            }
        }
    }

    fn read(&mut self) -> Option<char> {
        let ch = self.peek();
        self.at += 1;
        ch
    }

    fn follows(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, ch)| self.chars.get(self.at + index) == Some(&ch))
    }

    fn digit_follows(&self, ahead: usize) -> bool {
        self.chars.get(self.at + ahead).is_some_and(char::is_ascii_digit)
    }

    fn single(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    /// Messages show blanks as they are.
    fn blank_text(&self, kind: Kind, start: usize) -> String {
        match kind {
            Kind::Space => self.chars.get(start..self.at.min(self.chars.len())).unwrap_or_default().iter().collect(),
            _ => String::new(),
        }
    }

    fn illegal(&mut self, ch: char, start: usize) -> Token {
        self.at += 1;
        Token { kind: Kind::Illegal, text: ch.to_string(), at: start }
    }

    /// The end of the text belongs to the blanks before it.
    fn blanks(&mut self) -> Kind {
        while matches!(self.peek(), Some(' ' | '\t' | '\n')) {
            self.at += 1;
        }
        if self.peek().is_none() {
            self.at += 1;
        }
        Kind::Space
    }

    fn line_comment(&mut self) -> Kind {
        while !matches!(self.read(), None | Some('\n')) {}
        Kind::Comment
    }

    fn block_comment(&mut self) -> Kind {
        self.at += 2;
        loop {
            match self.read() {
                None => return Kind::Illegal,
                Some('*') if self.peek() == Some('/') => {
                    self.at += 1;
                    return Kind::Comment;
                }
                Some(_) => {}
            }
        }
    }

    fn symbol(&mut self, ch: char) -> Option<Kind> {
        const DOUBLE: [(&str, Kind); 7] = [
            ("=~", Kind::Operator(BinaryOp::Matches)),
            ("!=", Kind::Operator(BinaryOp::NotEq)),
            ("!~", Kind::Operator(BinaryOp::NotMatches)),
            (">=", Kind::Operator(BinaryOp::GreaterEq)),
            ("<=", Kind::Operator(BinaryOp::LessEq)),
            ("<>", Kind::Operator(BinaryOp::NotEq)),
            ("::", Kind::DoubleColon),
        ];
        if let Some((_, kind)) = DOUBLE.into_iter().find(|(text, _)| self.follows(text)) {
            self.at += 2;
            return Some(kind);
        }
        single_symbol(ch).map(|kind| self.single(kind))
    }

    /// A name, bare or in quotes. In `abc"def"` only the quoted part counts, as in the real server.
    fn name(&mut self, at: usize) -> Token {
        match self.any_name(at) {
            Token { kind: Kind::Ident, text, at } if !self.was_quoted() => match Keyword::of(&text) {
                Some(word) => Token { kind: Kind::Word(word), text: String::new(), at },
                None => Token { kind: Kind::Ident, text, at },
            },
            token => token,
        }
    }

    /// The last character read was a quote: names in quotes are never reserved words.
    fn was_quoted(&self) -> bool {
        self.at.checked_sub(1).and_then(|last| self.chars.get(last)) == Some(&'"')
    }

    fn any_name(&mut self, at: usize) -> Token {
        let mut text = String::new();
        while let Some(ch) = self.peek() {
            if ch == '"' {
                let quoted = self.string();
                let fine = quoted.kind == Kind::String;
                return if fine { Token { kind: Kind::Ident, at, ..quoted } } else { quoted };
            }
            if !continues_name(ch) {
                return Token { kind: Kind::Ident, text, at };
            }
            text.push(ch);
            self.at += 1;
        }
        // The real scanner looks behind the end twice when a name ends there, and once for a lone `$`.
        self.at += if text.is_empty() { 1 } else { 2 };
        Token { kind: Kind::Ident, text, at }
    }

    fn param(&mut self, at: usize) -> Token {
        self.at += 1;
        let name = self.any_name(at);
        let kind = if name.kind == Kind::Ident { Kind::Param } else { name.kind };
        Token { kind, text: format!("${}", name.text), at }
    }

    /// A text in the quotes that it begins with.
    fn string(&mut self) -> Token {
        let at = self.at.saturating_sub(1);
        let quote = self.read();
        let mut text = String::new();
        loop {
            match self.read() {
                ch if ch == quote => return Token { kind: Kind::String, text, at },
                None | Some('\n') => return Token { kind: Kind::BadString, text, at },
                Some('\\') => match self.escape() {
                    Ok(ch) => text.push(ch),
                    Err(bad) => return bad,
                },
                Some(ch) => text.push(ch),
            }
        }
    }

    /// What a backslash and the next character stand for.
    fn escape(&mut self) -> Result<char, Token> {
        let at = self.at;
        match self.read() {
            Some('n') => Ok('\n'),
            Some(ch @ ('\\' | '"' | '\'')) => Ok(ch),
            other => Err(Token { kind: Kind::BadEscape, text: format!("\\{}", other.unwrap_or('\0')), at }),
        }
    }

    /// Digits with a point are a number, digits before a letter a duration, whatever its unit.
    fn number(&mut self, at: usize) -> Token {
        let mut text = String::new();
        self.take_while(&mut text, |ch| ch.is_ascii_digit());
        if self.peek() == Some('.') {
            if self.digit_follows(1) {
                self.take_while(&mut text, |ch| ch == '.');
                self.take_while(&mut text, |ch| ch.is_ascii_digit());
            } else {
                self.at += 1;
            }
            return Token { kind: Kind::Number, text, at };
        }
        if !self.peek().is_some_and(|ch| ch.is_ascii_alphabetic() || ch == 'µ') {
            return Token { kind: Kind::Integer, text, at };
        }
        self.take_while(&mut text, |ch| ch.is_ascii_alphanumeric() || ch == 'µ');
        Token { kind: Kind::Duration, text, at }
    }

    fn take_while(&mut self, text: &mut String, fits: impl Fn(char) -> bool) {
        while let Some(ch) = self.peek().filter(|ch| fits(*ch)) {
            text.push(ch);
            self.at += 1;
        }
    }
}

fn single_symbol(ch: char) -> Option<Kind> {
    let op = match ch {
        '+' => BinaryOp::Add,
        '-' => BinaryOp::Sub,
        '*' => BinaryOp::Mul,
        '/' => BinaryOp::Div,
        '%' => BinaryOp::Mod,
        '&' => BinaryOp::BitAnd,
        '|' => BinaryOp::BitOr,
        '^' => BinaryOp::BitXor,
        '=' => BinaryOp::Eq,
        '>' => BinaryOp::Greater,
        '<' => BinaryOp::Less,
        '(' => return Some(Kind::OpenParen),
        ')' => return Some(Kind::CloseParen),
        ',' => return Some(Kind::Comma),
        ';' => return Some(Kind::Semicolon),
        ':' => return Some(Kind::Colon),
        '.' => return Some(Kind::Dot),
        _ => return None,
    };
    Some(Kind::Operator(op))
}
