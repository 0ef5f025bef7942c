//! What can be wrong with a text. The messages are those of InfluxDB, since clients look at them.

use std::fmt;

/// A text that is no request. Nothing of it may be executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Something else should stand there.
    #[error("error parsing query: found {found}, expected {expected} at {position}")]
    Unexpected {
        /// What stands there.
        found: String,
        /// What could, separated by commas.
        expected: String,
        /// Where.
        position: Position,
    },
    /// Something is wrong at a known place.
    #[error("error parsing query: {reason} at {position}")]
    At {
        /// What is wrong.
        reason: Reason,
        /// Where.
        position: Position,
    },
    /// Something is wrong; the message names no place.
    #[error("error parsing query: {0}")]
    Refused(Reason),
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Character of that line, from 1.
    pub char: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, char {}", self.line, self.char)
    }
}

/// What is wrong, where it is more than a wrong token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No digits, no unit, or an unknown one.
    #[error("invalid duration")]
    InvalidDuration,
    /// Longer than 292 years.
    #[error("overflowed duration {number}{unit}: choose a smaller duration or INF")]
    DurationOverflow {
        /// The last number that was read.
        number: i64,
        /// Its unit.
        unit: &'static str,
    },
    /// `SHARD DURATION INF`
    #[error("invalid duration INF for shard duration")]
    InfiniteShardDuration,
    /// A number with a point that no float holds.
    #[error("unable to parse number")]
    InvalidNumber,
    /// Digits that fit no 64 bits.
    #[error("unable to parse integer")]
    InvalidInteger,
    /// Digits that fit no 64 bits, in a place that takes nothing but an integer.
    #[error("strconv.{parser}: parsing \"{digits}\": value out of range")]
    OutOfRange {
        /// What the real server calls its reader of such numbers.
        parser: &'static str,
        /// The digits.
        digits: String,
    },
    /// A minus before digits that only fit without sign.
    #[error("constant -{0} underflows int64")]
    Underflow(u64),
    /// An integer beyond what its place allows.
    #[error("invalid value {value}: must be {min} <= n <= {max}")]
    OutOfBounds {
        /// What was given.
        value: i64,
        /// Least allowed.
        min: i64,
        /// Most allowed.
        max: i64,
    },
    /// `LIMIT` and the like with a negative number.
    #[error("{0} must be >= 0")]
    Negative(&'static str),
    /// A regular expression without an end.
    #[error("bad regex: ")]
    UnendedRegex,
    /// A regular expression that cannot be read.
    #[error("error parsing regexp: {kind}: `{part}`")]
    InvalidRegex {
        /// What is wrong with it.
        kind: &'static str,
        /// Which part of it.
        part: String,
    },
    /// `a.b.c.d`
    #[error("too many segments in {0}")]
    TooManySegments(String),
    /// A comparison as something selected.
    #[error("invalid operator {op} in SELECT clause at {position}; operator is intended for WHERE clause")]
    OperatorInSelect {
        /// Which.
        op: &'static str,
        /// Begin of what is selected.
        position: Position,
    },
    /// `ORDER BY` something else.
    #[error("only ORDER BY time supported at this time")]
    OrderNotByTime,
    /// `fill` without parentheses, or in a computation.
    #[error("fill must be a function call")]
    FillNoCall,
    /// `fill()` or `fill(1, 2)`
    #[error("fill requires an argument, e.g.: 0, null, none, previous, linear")]
    FillArguments,
    /// `fill(x)`
    #[error("expected number argument in fill()")]
    FillNoNumber,
    /// `tz` without parentheses, or in a computation.
    #[error("tz must be a function call")]
    ZoneNoCall,
    /// `tz()` or `tz('a', 'b')`
    #[error("tz requires exactly one argument")]
    ZoneArguments,
    /// `tz(x)`
    #[error("expected string argument in tz()")]
    ZoneNoString,
    /// `tz('x')` of a zone that does not exist.
    #[error("unable to find time zone {0}")]
    UnknownZone(String),
    /// `GROUP BY time()` of a continuous query.
    #[error("time dimension expected 1 or 2 arguments")]
    TimeArguments,
    /// `GROUP BY time(x)` of a continuous query.
    #[error("time dimension must have duration argument")]
    TimeNoDuration,
    /// `RESAMPLE FOR` that does not cover a window.
    #[error("FOR duration must be >= GROUP BY time duration: must be a minimum of {least}, got {given}")]
    ResampleTooShort {
        /// The least that would do.
        least: String,
        /// What was given.
        given: String,
    },
    /// An option of a retention policy twice.
    #[error("found duplicate {0} option")]
    DuplicateOption(&'static str),
    /// A database in FROM of DELETE or DROP SERIES.
    #[error("database not supported")]
    DatabaseNotSupported,
    /// A retention policy in FROM of DELETE or DROP SERIES.
    #[error("retention policy not supported")]
    PolicyNotSupported,
    /// A lone `$`.
    #[error("empty bound parameter")]
    EmptyParameter,
    /// `$name` without a value.
    #[error("missing parameter: {0}")]
    MissingParameter(String),
    /// Longer than [`crate::Limits::text_bytes`].
    #[error("text is too long: expected at most {0} bytes")]
    TextTooLong(usize),
    /// Deeper than [`crate::Limits::depth`].
    #[error("nested too deeply: expected at most {0} levels")]
    TooDeep(usize),
    /// More than [`crate::Limits::operators`].
    #[error("expression too long: expected at most {0} operators")]
    TooManyOperators(usize),
}

impl Reason {
    /// The error that names no place.
    pub(crate) fn anywhere(self) -> ParseError {
        ParseError::Refused(self)
    }

    /// The error of a place that the real server does not know: it calls it the begin of the text.
    pub(crate) fn at_begin(self) -> ParseError {
        ParseError::At { reason: self, position: Position { line: 1, char: 1 } }
    }
}
