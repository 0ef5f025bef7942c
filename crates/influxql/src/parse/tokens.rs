//! The tokens as the grammar takes them: with values in place of parameters, and up to three taken back.

use crate::error::Position;
use crate::lexer::Lexer;
use crate::params::Params;
use crate::token::{Kind, Token};

/// How many tokens can be taken back.
const KEPT: usize = 3;

/// Tokens of a text.
pub(super) struct Tokens<'a> {
    lexer: Lexer,
    params: &'a Params,
    /// The last ones that were read, the latest last.
    last: [Token; KEPT],
    /// How many of them are to be read again.
    taken_back: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &str, params: &'a Params) -> Self {
        let none = Token { kind: Kind::Eof, text: String::new(), at: 0 };
        Self { lexer: Lexer::new(text), params, last: [none.clone(), none.clone(), none], taken_back: 0 }
    }

    /// The next token, blanks and comments included.
    pub(super) fn scan(&mut self) -> Token {
        self.scan_with(Lexer::token)
    }

    /// The next token, a regular expression where a new one is read.
    pub(super) fn scan_regex(&mut self) -> Token {
        self.scan_with(Lexer::regex)
    }

    /// The next token that is neither blank nor comment.
    pub(super) fn next(&mut self) -> Token {
        loop {
            let token = self.scan();
            if !matches!(token.kind, Kind::Space | Kind::Comment) {
                return token;
            }
        }
    }

    /// The last token is read again; at most three times in a row.
    pub(super) fn back(&mut self) {
        debug_assert!(self.taken_back < KEPT, "no more tokens are kept");
        self.taken_back += 1;
    }

    /// The next character that was not read yet, which is behind the tokens that were taken back.
    pub(super) fn peek_char(&mut self) -> Option<char> {
        self.lexer.look()
    }

    pub(super) fn position(&self, token: &Token) -> Position {
        self.lexer.position(token.at)
    }

    fn scan_with(&mut self, read: fn(&mut Lexer) -> Token) -> Token {
        if self.taken_back > 0 {
            self.taken_back -= 1;
        } else {
            self.last.rotate_left(1);
            let [.., latest] = &mut self.last;
            *latest = read(&mut self.lexer);
        }
        let token = self.last.iter().rev().nth(self.taken_back).cloned();
        self.resolve(token.unwrap_or(Token { kind: Kind::Illegal, text: String::new(), at: 0 }))
    }

    /// A parameter with a value becomes the token that the value is.
    fn resolve(&self, token: Token) -> Token {
        if token.kind != Kind::Param {
            return token;
        }
        match token.text.strip_prefix('$').and_then(|name| self.params.get(name)) {
            Some(value) => Token { kind: value.kind(), text: value.text(), at: token.at },
            None => token,
        }
    }
}
