//! Values for the `$name` in a text.

use std::collections::BTreeMap;

use crate::token::{Keyword, Kind};

/// Name, without the dollar sign, to value.
pub type Params = BTreeMap<String, Value>;

/// What stands in place of `$name`. It is taken as one token, so that no value can change the shape of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// As `'text'`.
    String(String),
    /// As digits; may be negative.
    Integer(i64),
    /// As a number with a point. Neither infinite nor NaN, else it is an error where it is used.
    Float(f64),
    /// As `true` or `false`.
    Boolean(bool),
    /// As `/text/`, without the slashes.
    Regex(String),
    /// As `"name"`.
    Identifier(String),
    /// As the text of a duration, `1h30m`.
    Duration(String),
}

impl Value {
    /// The kind of token that it is taken for.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::Integer(_) => Kind::Integer,
            Self::Float(_) => Kind::Number,
            Self::Boolean(true) => Kind::Word(Keyword::True),
            Self::Boolean(false) => Kind::Word(Keyword::False),
            Self::Regex(_) => Kind::Regex,
            Self::Identifier(_) => Kind::Ident,
            Self::Duration(_) => Kind::Duration,
        }
    }

    /// The text of that token.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::String(text) | Self::Regex(text) | Self::Identifier(text) | Self::Duration(text) => text.clone(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Boolean(_) => String::new(),
        }
    }
}
