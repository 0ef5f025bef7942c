//! Values as keys of maps.

use model::FieldValue;

/// A value that can be compared for equality, among values of one type: -0.0 is 0.0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ValueKey {
    /// A number or boolean by its bits.
    Number(u64),
    /// A text.
    Text(Box<str>),
}

impl ValueKey {
    /// The key of `value`.
    pub(crate) fn of(value: FieldValue<'_>) -> Self {
        match value {
            FieldValue::Float(v) => Self::Number((v + 0.0).to_bits()),
            FieldValue::Integer(v) => Self::Number(v.cast_unsigned()),
            FieldValue::Unsigned(v) => Self::Number(v),
            FieldValue::Boolean(v) => Self::Number(u64::from(v)),
            FieldValue::String(v) => Self::Text(v.into()),
        }
    }

    /// Bytes held besides the key itself.
    pub(crate) fn text_len(&self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::Text(text) => text.len(),
        }
    }
}
