//! Values of one column side by side: what the engine stores and hands to queries.

use crate::{FieldType, FieldValue};

/// Values of one type, in the order of their times.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Floats.
    Float(Vec<f64>),
    /// Integers.
    Integer(Vec<i64>),
    /// Unsigned integers.
    Unsigned(Vec<u64>),
    /// Booleans.
    Boolean(Vec<bool>),
    /// Texts.
    String(Strings),
}

/// Texts kept in one run of bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    ends: Vec<usize>,
    text: String,
}

impl Strings {
    /// Appends one text. Room grows by a quarter, not to the double: there may be many such columns, all of about one length.
    pub fn push(&mut self, text: &str) {
        if self.text.capacity() - self.text.len() < text.len() {
            self.text.reserve_exact(text.len().max(self.text.len() / 4));
        }
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at `index`; `None` past the end.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|i| self.ends.get(i)).copied().unwrap_or(0);
        self.text.get(start..end)
    }

    /// All texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    /// Makes room for exactly so many more texts; for what they say there is none yet.
    pub fn reserve_exact(&mut self, additional: usize) {
        self.ends.reserve_exact(additional);
    }

    /// Bytes of all texts.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    fn end_within(&self, from: usize, to: usize, bytes: usize) -> usize {
        let start = from.checked_sub(1).and_then(|i| self.ends.get(i)).copied().unwrap_or(0);
        let ends = self.ends.get(from..to).unwrap_or_default();
        (from + ends.partition_point(|end| end - start <= bytes)).max(from + 1).min(to)
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        self.ends.capacity() * size_of::<usize>() + self.text.capacity()
    }
}

/// Runs one expression for whatever the type is, with `$v` bound to the inner vector.
macro_rules! each_type {
    ($values:expr, $v:ident => $body:expr) => {
        match $values {
            Values::Float($v) => $body,
            Values::Integer($v) => $body,
            Values::Unsigned($v) => $body,
            Values::Boolean($v) => $body,
            Values::String($v) => $body,
        }
    };
}

impl Values {
    /// An empty column of the given type.
    pub fn new(kind: FieldType) -> Self {
        match kind {
            FieldType::Float => Self::Float(Vec::new()),
            FieldType::Integer => Self::Integer(Vec::new()),
            FieldType::Unsigned => Self::Unsigned(Vec::new()),
            FieldType::Boolean => Self::Boolean(Vec::new()),
            FieldType::String => Self::String(Strings::default()),
        }
    }

    /// Type of every value inside.
    pub const fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::Boolean(_) => FieldType::Boolean,
            Self::String(_) => FieldType::String,
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        each_type!(self, v => v.len())
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`; `None` past the end.
    #[inline]
    pub fn get(&self, index: usize) -> Option<FieldValue<'_>> {
        Some(match self {
            Self::Float(v) => FieldValue::Float(*v.get(index)?),
            Self::Integer(v) => FieldValue::Integer(*v.get(index)?),
            Self::Unsigned(v) => FieldValue::Unsigned(*v.get(index)?),
            Self::Boolean(v) => FieldValue::Boolean(*v.get(index)?),
            Self::String(v) => FieldValue::String(v.get(index)?),
        })
    }

    /// Appends a value; `false`, and nothing is changed, when its type is another one.
    #[inline]
    pub fn push(&mut self, value: FieldValue<'_>) -> bool {
        match (self, value) {
            (Self::Float(v), FieldValue::Float(x)) => v.push(x),
            (Self::Integer(v), FieldValue::Integer(x)) => v.push(x),
            (Self::Unsigned(v), FieldValue::Unsigned(x)) => v.push(x),
            (Self::Boolean(v), FieldValue::Boolean(x)) => v.push(x),
            (Self::String(v), FieldValue::String(x)) => v.push(x),
            _ => return false,
        }
        true
    }

    /// Makes room for exactly so many more values, but not for what texts say.
    pub fn reserve_exact(&mut self, additional: usize) {
        each_type!(self, v => v.reserve_exact(additional));
    }

    /// Bytes of all texts; 0 for other types.
    pub fn text_len(&self) -> usize {
        if let Self::String(texts) = self { texts.text_len() } else { 0 }
    }

    /// Where the longest stretch from `from` on ends, at most at `to`, whose texts are not longer than `bytes` together; it has one text at least.
    /// Other types have no texts.
    pub fn end_within(&self, from: usize, to: usize, bytes: usize) -> usize {
        if let Self::String(texts) = self { texts.end_within(from, to, bytes) } else { to }
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Float(v) => v.capacity() * size_of::<f64>(),
            Self::Integer(v) => v.capacity() * size_of::<i64>(),
            Self::Unsigned(v) => v.capacity() * size_of::<u64>(),
            Self::Boolean(v) => v.capacity(),
            Self::String(v) => v.bytes(),
        }
    }

    /// The values at `indexes`, in that order. Indexes past the end are left out.
    pub fn gather(&self, indexes: &[u32]) -> Self {
        let mut out = Self::new(self.field_type());
        out.reserve_exact(indexes.len());
        for &index in indexes {
            if let Some(value) = self.get(index as usize) {
                out.push(value);
            }
        }
        out
    }

    /// A copy of the values from `from` up to, not including, `to` (held inside the length).
    pub fn slice(&self, from: usize, to: usize) -> Self {
        fn cut<T: Copy>(v: &[T], from: usize, to: usize) -> Vec<T> {
            v.get(from.min(to)..to.min(v.len())).unwrap_or_default().to_vec()
        }
        match self {
            Self::Float(v) => Self::Float(cut(v, from, to)),
            Self::Integer(v) => Self::Integer(cut(v, from, to)),
            Self::Unsigned(v) => Self::Unsigned(cut(v, from, to)),
            Self::Boolean(v) => Self::Boolean(cut(v, from, to)),
            Self::String(v) => {
                let mut out = Strings::default();
                (from..to.min(v.len())).filter_map(|i| v.get(i)).for_each(|s| out.push(s));
                Self::String(out)
            }
        }
    }

    /// Appends all of `other`; `false`, and nothing is changed, when its type is another one.
    pub fn append(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.extend_from_slice(b),
            (Self::Integer(a), Self::Integer(b)) => a.extend_from_slice(b),
            (Self::Unsigned(a), Self::Unsigned(b)) => a.extend_from_slice(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.extend_from_slice(b),
            (Self::String(a), Self::String(b)) => b.iter().for_each(|s| a.push(s)),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_found_by_index() {
        let mut s = Strings::default();
        for text in ["", "a", "", "bcd"] {
            s.push(text);
        }
        assert_eq!(s.iter().collect::<Vec<_>>(), ["", "a", "", "bcd"]);
        assert_eq!(s.get(4), None);
    }

    #[test]
    fn texts_take_a_quarter_more_room_than_they_need_at_most() {
        let mut s = Strings::default();
        let mut moves = 0;
        for _ in 0..100_000 {
            let before = s.text.capacity();
            s.push("some text");
            moves += usize::from(s.text.capacity() != before);
            assert!(s.text.capacity() <= (s.text.len() + 9) * 5 / 4);
        }
        assert!(moves < 100, "{moves}");
    }

    #[test]
    fn texts_are_counted_up_to_a_length() {
        let mut s = Values::new(FieldType::String);
        ["abc", "", "de", "fghij", "k"].iter().for_each(|text| assert!(s.push(FieldValue::String(text))));
        let ends = |from, to| [0, 2, 3, 5, 7, 100].map(|bytes| s.end_within(from, to, bytes));
        assert_eq!(ends(0, 5), [1, 1, 2, 3, 3, 5]);
        assert_eq!(ends(1, 4), [2, 3, 3, 3, 4, 4]);
        assert_eq!(ends(4, 5), [5; 6]);
        assert_eq!(Values::Integer(vec![1, 2]).end_within(0, 2, 0), 2);
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        let mut v = Values::new(FieldType::Integer);
        assert!(v.push(FieldValue::Integer(1)));
        assert!(!v.push(FieldValue::Float(1.0)));
        assert_eq!(v, Values::Integer(vec![1]));
    }

    #[test]
    fn slices_are_held_inside_the_length() {
        let v = Values::Integer(vec![1, 2, 3]);
        assert_eq!(v.slice(1, 9), Values::Integer(vec![2, 3]));
        assert_eq!(v.slice(7, 9), Values::Integer(vec![]));
        assert_eq!(v.gather(&[2, 0, 8]), Values::Integer(vec![3, 1]));
    }
}
