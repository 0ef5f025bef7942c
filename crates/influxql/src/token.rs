//! Tokens of the language and how messages call them.

use crate::ast::BinaryOp;

/// One token. Blanks and comments are tokens, too: some places of the grammar do not allow them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Text of a literal, its escapes resolved; empty where `kind` says everything.
    pub(crate) text: String,
    /// Character of the text that messages point at, from 0. For strings this is the one before the quote.
    pub(crate) at: usize,
}

impl Token {
    /// What messages call it.
    pub(crate) fn shown(&self) -> &str {
        if self.text.is_empty() { self.kind.shown() } else { &self.text }
    }
}

/// Kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A character that no token begins with, or a comment without an end.
    Illegal,
    Eof,
    Space,
    Comment,
    Ident,
    /// `$name` without a value; the text has the dollar sign.
    Param,
    /// With a point.
    Number,
    Integer,
    Duration,
    String,
    /// Without an end.
    BadString,
    /// A backslash before something that needs none.
    BadEscape,
    Regex,
    /// Without an end.
    BadRegex,
    Operator(BinaryOp),
    OpenParen,
    CloseParen,
    Comma,
    Colon,
    DoubleColon,
    Semicolon,
    Dot,
    Word(Keyword),
}

impl Kind {
    /// What messages call a token of this kind that has no text.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Illegal => "ILLEGAL",
            Self::Eof => "EOF",
            Self::Space => "WS",
            Self::Comment | Self::Param | Self::BadRegex => "",
            Self::Ident => "IDENT",
            Self::Number => "NUMBER",
            Self::Integer => "integer",
            Self::Duration => "DURATIONVAL",
            Self::String => "STRING",
            Self::BadString => "BADSTRING",
            Self::BadEscape => "BADESCAPE",
            Self::Regex => "REGEX",
            Self::Operator(op) => op.text(),
            Self::OpenParen => "(",
            Self::CloseParen => ")",
            Self::Comma => ",",
            Self::Colon => ":",
            Self::DoubleColon => "::",
            Self::Semicolon => ";",
            Self::Dot => ".",
            Self::Word(word) => word.text(),
        }
    }

    /// The operator that it is.
    pub(crate) fn operator(self) -> Option<BinaryOp> {
        match self {
            Self::Operator(op) => Some(op),
            Self::Word(Keyword::And) => Some(BinaryOp::And),
            Self::Word(Keyword::Or) => Some(BinaryOp::Or),
            _ => None,
        }
    }
}

impl BinaryOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
            Self::Less => "<",
            Self::LessEq => "<=",
            Self::Greater => ">",
            Self::GreaterEq => ">=",
        }
    }

    /// How tightly it binds: 1 (OR) to 5 (times).
    pub(crate) fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq | Self::NotEq | Self::Matches | Self::NotMatches => 3,
            Self::Less | Self::LessEq | Self::Greater | Self::GreaterEq => 3,
            Self::Add | Self::Sub | Self::BitOr | Self::BitXor => 4,
            Self::Mul | Self::Div | Self::Mod | Self::BitAnd => 5,
        }
    }

    /// Its result is true or false.
    pub(crate) fn is_condition(self) -> bool {
        self.precedence() <= 3
    }
}

/// Declares the reserved words with their texts.
macro_rules! keywords {
    ($($name:ident $text:literal,)*) => {
        /// Reserved words. They are names only in double quotes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Keyword { $($name,)* }

        impl Keyword {
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// In capitals.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

keywords! {
    All "ALL", Alter "ALTER", Analyze "ANALYZE", And "AND", Any "ANY", As "AS", Asc "ASC", Begin "BEGIN", By "BY",
    Cardinality "CARDINALITY", Continuous "CONTINUOUS", Create "CREATE", Database "DATABASE", Databases "DATABASES",
    Default "DEFAULT", Delete "DELETE", Desc "DESC", Destinations "DESTINATIONS", Diagnostics "DIAGNOSTICS",
    Distinct "DISTINCT", Drop "DROP", Duration "DURATION", End "END", Every "EVERY", Exact "EXACT", Explain "EXPLAIN",
    False "FALSE", Field "FIELD", For "FOR", From "FROM", Grant "GRANT", Grants "GRANTS", Group "GROUP",
    Groups "GROUPS", In "IN", Inf "INF", Insert "INSERT", Into "INTO", Key "KEY", Keys "KEYS", Kill "KILL",
    Limit "LIMIT", Measurement "MEASUREMENT", Measurements "MEASUREMENTS", Name "NAME", Offset "OFFSET", On "ON",
    Or "OR", Order "ORDER", Password "PASSWORD", Policies "POLICIES", Policy "POLICY", Privileges "PRIVILEGES",
    Queries "QUERIES", Query "QUERY", Read "READ", Replication "REPLICATION", Resample "RESAMPLE",
    Retention "RETENTION", Revoke "REVOKE", Select "SELECT", Series "SERIES", Set "SET", Shard "SHARD",
    Shards "SHARDS", Show "SHOW", SeriesLimit "SLIMIT", SeriesOffset "SOFFSET", Stats "STATS",
    Subscription "SUBSCRIPTION", Subscriptions "SUBSCRIPTIONS", Tag "TAG", To "TO", True "TRUE", User "USER",
    Users "USERS", Values "VALUES", Where "WHERE", With "WITH", Write "WRITE",
}

impl Keyword {
    /// The reserved word that `text` is, in capitals or not.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.text().eq_ignore_ascii_case(text))
    }
}

/// A letter of ASCII: no other begins a bare name.
pub(crate) fn starts_name(ch: char) -> bool {
    ch.is_ascii_alphabetic() || ch == '_'
}

/// Continues a bare name.
pub(crate) fn continues_name(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || ch == '_'
}
