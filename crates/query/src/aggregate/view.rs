//! Borrowed parts of columns, so that a piece can be cut into windows without copying.

use std::ops::Range;

use model::{FieldType, FieldValue, Strings, Values};

use crate::result::Cell;

/// Some neighbouring values of one column.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// Floats.
    Float(&'a [f64]),
    /// Integers.
    Integer(&'a [i64]),
    /// Unsigned integers.
    Unsigned(&'a [u64]),
    /// Booleans.
    Boolean(&'a [bool]),
    /// Texts.
    String(Texts<'a>),
}

/// Some neighbouring texts of one column.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    all: &'a Strings,
    from: usize,
    to: usize,
}

impl<'a> Texts<'a> {
    /// The texts in order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        (self.from..self.to).filter_map(move |i| self.all.get(i))
    }
}

impl<'a> View<'a> {
    /// The values at `range`, which is held inside the column.
    pub fn of(values: &'a Values, range: Range<usize>) -> Self {
        fn cut<T>(all: &[T], range: Range<usize>) -> &[T] {
            let to = range.end.min(all.len());
            all.get(range.start.min(to)..to).unwrap_or_default()
        }
        match values {
            Values::Float(v) => Self::Float(cut(v, range)),
            Values::Integer(v) => Self::Integer(cut(v, range)),
            Values::Unsigned(v) => Self::Unsigned(cut(v, range)),
            Values::Boolean(v) => Self::Boolean(cut(v, range)),
            Values::String(all) => Self::String(Texts { all, from: range.start, to: range.end.min(all.len()) }),
        }
    }

    /// Type of the values.
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
    pub const fn len(&self) -> usize {
        match self {
            Self::Float(v) => v.len(),
            Self::Integer(v) => v.len(),
            Self::Unsigned(v) => v.len(),
            Self::Boolean(v) => v.len(),
            Self::String(v) => v.to.saturating_sub(v.from),
        }
    }

    /// True when there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`; `None` past the end.
    pub fn get(&self, index: usize) -> Option<FieldValue<'a>> {
        Some(match self {
            Self::Float(v) => FieldValue::Float(*v.get(index)?),
            Self::Integer(v) => FieldValue::Integer(*v.get(index)?),
            Self::Unsigned(v) => FieldValue::Unsigned(*v.get(index)?),
            Self::Boolean(v) => FieldValue::Boolean(*v.get(index)?),
            Self::String(v) => FieldValue::String(v.all.get(v.from + index).filter(|_| index < self.len())?),
        })
    }

    /// The number at `index` as a float; `None` for booleans, texts and past the end.
    pub fn float(&self, index: usize) -> Option<f64> {
        match self {
            Self::Float(v) => v.get(index).copied(),
            Self::Integer(v) => v.get(index).map(|&v| v as f64),
            Self::Unsigned(v) => v.get(index).map(|&v| v as f64),
            Self::Boolean(_) | Self::String(_) => None,
        }
    }

    /// The numbers as floats; nothing for booleans and texts.
    pub fn floats(&self) -> impl Iterator<Item = f64> {
        let (floats, integers, unsigned): (&[f64], &[i64], &[u64]) = match self {
            Self::Float(v) => (v, &[], &[]),
            Self::Integer(v) => (&[], v, &[]),
            Self::Unsigned(v) => (&[], &[], v),
            Self::Boolean(_) | Self::String(_) => (&[], &[], &[]),
        };
        floats.iter().copied().chain(integers.iter().map(|&v| v as f64)).chain(unsigned.iter().map(|&v| v as f64))
    }
}

impl From<FieldValue<'_>> for Cell {
    fn from(value: FieldValue<'_>) -> Self {
        match value {
            FieldValue::Float(v) => Self::Float(v),
            FieldValue::Integer(v) => Self::Integer(v),
            FieldValue::Unsigned(v) => Self::Unsigned(v),
            FieldValue::Boolean(v) => Self::Boolean(v),
            FieldValue::String(v) => Self::String(v.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_held_inside_the_column() {
        let numbers = Values::Integer(vec![1, 2, 3]);
        assert_eq!(View::of(&numbers, 1..9).len(), 2);
        assert!(View::of(&numbers, 7..9).is_empty());
        let mut texts = Strings::default();
        ["a", "b", "c"].iter().for_each(|t| texts.push(t));
        let texts = Values::String(texts);
        let view = View::of(&texts, 1..2);
        assert_eq!((view.len(), view.get(0)), (1, Some(FieldValue::String("b"))));
        assert_eq!(view.get(1), None);
    }
}
