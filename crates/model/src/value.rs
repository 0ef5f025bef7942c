//! The five field types of InfluxDB and a value of any of them.

use std::fmt;

/// Type of a field. One field of one measurement has one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum FieldType {
    /// IEEE 754 double, finite (line protocol has no spelling for the others).
    Float = 0,
    /// Signed 64-bit.
    Integer = 1,
    /// Unsigned 64-bit.
    Unsigned = 2,
    /// `true` or `false`.
    Boolean = 3,
    /// UTF-8 text. Line protocol bounds it by the size of a request, other sources by [`MAX_STRING_LEN`].
    String = 4,
}

/// Longest text value that is taken from a source other than line protocol, in bytes.
pub const MAX_STRING_LEN: usize = 64 * 1024;

impl FieldType {
    /// Every type, in the order of their codes.
    pub const ALL: [Self; 5] = [Self::Float, Self::Integer, Self::Unsigned, Self::Boolean, Self::String];

    /// The code that stands for this type in stored formats.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The type with this stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::Boolean => "boolean",
            Self::String => "string",
        })
    }
}

/// One value; text is borrowed from where it was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'a> {
    /// A [`FieldType::Float`].
    Float(f64),
    /// A [`FieldType::Integer`].
    Integer(i64),
    /// A [`FieldType::Unsigned`].
    Unsigned(u64),
    /// A [`FieldType::Boolean`].
    Boolean(bool),
    /// A [`FieldType::String`].
    String(&'a str),
}

impl FieldValue<'_> {
    /// The type of this value.
    pub const fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::Boolean(_) => FieldType::Boolean,
            Self::String(_) => FieldType::String,
        }
    }
}
