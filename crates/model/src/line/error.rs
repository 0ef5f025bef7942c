//! What can be wrong with a line.

/// Bytes of a wrong line that are kept for its message.
const MAX_TEXT: usize = 160;

/// A line that holds no point. Other lines are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse '{text}': {kind} (line {line}, column {column})")]
pub struct LineError {
    /// Number of the line in the body, from 1.
    pub line: u64,
    /// Byte of the line at which the fault was seen, from 1.
    pub column: u64,
    /// What is wrong.
    pub kind: LineErrorKind,
    /// The line, shortened to 160 bytes; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// Why a line holds no point. The first words are those of InfluxDB where it has the error too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineErrorKind {
    /// The line begins with a comma.
    #[error("missing measurement: expected a name before the first comma")]
    MissingMeasurement,
    /// The line ends behind the series key.
    #[error("missing fields: expected a space and key=value after the series key")]
    MissingFields,
    /// Nothing stands before `=`.
    #[error("missing field key: expected a name before `=`")]
    MissingFieldKey,
    /// Nothing stands after `=`.
    #[error("missing field value: expected a number, a boolean or a quoted string after `=`")]
    MissingFieldValue,
    /// Not of the form `key=value,key=value`.
    #[error("invalid field format: expected key=value, with commas only between fields")]
    InvalidFieldFormat,
    /// All fields are called `time`, which is the name of the time column.
    #[error("invalid field name: input field \"time\" is the name of the time column")]
    OnlyTimeField,
    /// More than [`super::MAX_FIELDS`].
    #[error("too many fields: expected at most {}", super::MAX_FIELDS)]
    TooManyFields,
    /// Series key and field key together are longer than InfluxDB allows.
    #[error("max key length exceeded: expected at most {} bytes for series and field key", crate::key::MAX_KEY_LEN)]
    KeyTooLong,
    /// Begins like a number.
    #[error("invalid number: expected a finite decimal number, or digits followed by i or u")]
    InvalidNumber,
    /// A float beyond the largest.
    #[error("invalid float: the value is out of range of a 64-bit float")]
    FloatOutOfRange,
    /// An integer that does not fit.
    #[error("unable to parse integer: value out of range of 64 bits")]
    IntegerOutOfRange,
    /// Begins like a boolean, or like no value at all.
    #[error(
        "invalid boolean: expected t, T, true, True, TRUE, f, F, false, False or FALSE, or a number or quoted string"
    )]
    InvalidBoolean,
    /// A string does not end.
    #[error("unbalanced quotes: expected `\"` at the end of the string")]
    UnbalancedQuotes,
    /// A string is followed by something other than a separator.
    #[error("invalid field format: expected a comma, a space or the end of the line after the string")]
    TextAfterString,
    /// A name or string is no UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// The time is no integer.
    #[error("bad timestamp: expected an integer")]
    BadTimestamp,
    /// The time cannot be stored in any unit.
    #[error("time outside range -9223372036854775806 - 9223372036854775806")]
    TimeOutOfRange,
    /// A carriage return, as before the line break of a Windows file.
    #[error("bad timestamp: unexpected carriage return, expected lines to end in LF alone")]
    CarriageReturn,
    /// Something follows the time.
    #[error("point is invalid: expected the end of the line after the timestamp")]
    TextAfterTime,
}

impl LineError {
    pub(super) fn new(line: u64, column: u64, kind: LineErrorKind, text: &[u8]) -> Self {
        let mut shown = String::from_utf8_lossy(text.get(..MAX_TEXT).unwrap_or(text)).into_owned();
        if text.len() > MAX_TEXT {
            shown.push_str("...");
        }
        Self { line, column, kind, text: shown }
    }
}
