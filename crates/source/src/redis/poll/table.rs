//! A hash as it was read: the reply of `HGETALL` and where its fields are in it. Remembered from one poll to the next, it costs the
//! reply's bytes and 16 more a field.

use std::cell::OnceCell;

use crate::redis::resp::{Frame, Item, Span};

/// Fields and values of one hash.
#[derive(Debug, Default)]
pub(crate) struct Table {
    bytes: Box<[u8]>,
    fields: Box<[(Span, Span)]>,
    /// Field numbers in the order of their names; made when a field is not where it was expected.
    by_name: OnceCell<Box<[u32]>>,
}

impl Table {
    /// Copies the reply of `HGETALL`; `None` when it is something else.
    pub(crate) fn read(frame: Frame<'_>) -> Option<Self> {
        let Item::Array(_) = frame.root() else { return None };
        let mut spans = frame.spans();
        let mut fields = Vec::new();
        while let Some(name) = spans.next() {
            fields.push((name?, spans.next()??));
        }
        Some(Self { bytes: frame.as_bytes().into(), fields: fields.into(), by_name: OnceCell::new() })
    }

    /// True when the reply is the one this table was read from.
    pub(crate) fn is_same(&self, frame: Frame<'_>) -> bool {
        *self.bytes == *frame.as_bytes()
    }

    /// Number of fields.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Names and values in the order of the reply.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|(name, value)| (name.of(&self.bytes), value.of(&self.bytes)))
    }

    /// The value of a field. `hint` is where it probably is: Redis lists a hash in the same order until it changes shape, and
    /// sibling hashes were filled in the same order.
    pub(crate) fn get(&self, name: &[u8], hint: usize) -> Option<&[u8]> {
        if let Some((found, value)) = self.fields.get(hint)
            && found.of(&self.bytes) == name
        {
            return Some(value.of(&self.bytes));
        }
        let order = self.by_name.get_or_init(|| self.sort());
        let at = order.binary_search_by(|field| self.name(*field).cmp(name)).ok()?;
        let (_, value) = self.fields.get(*order.get(at)? as usize)?;
        Some(value.of(&self.bytes))
    }

    fn sort(&self) -> Box<[u32]> {
        let mut order: Vec<u32> = (0..self.fields.len() as u32).collect();
        order.sort_unstable_by(|a, b| self.name(*a).cmp(self.name(*b)));
        order.into()
    }

    fn name(&self, field: u32) -> &[u8] {
        self.fields.get(field as usize).map_or(&[], |(name, _)| name.of(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::resp::{Reader, write_command};

    fn table(items: &[&str]) -> Table {
        let mut bytes = Vec::new();
        write_command(&mut bytes, &items.iter().map(|item| item.as_bytes()).collect::<Vec<_>>());
        let mut reader = Reader::default();
        reader.fill(&mut &bytes[..]).unwrap();
        Table::read(reader.frame().unwrap().unwrap()).unwrap()
    }

    #[test]
    fn fields_are_found_where_expected_and_elsewhere() {
        let table = table(&["b", "1", "a", "2", "c", "3"]);
        assert_eq!(table.get(b"a", 1), Some(&b"2"[..]));
        assert_eq!(table.get(b"c", 0), Some(&b"3"[..]));
        assert_eq!(table.get(b"x", 7), None);
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn a_reply_of_another_shape_is_no_table() {
        for bytes in [&b"*1\r\n$1\r\na\r\n"[..], b"*2\r\n$1\r\na\r\n:1\r\n", b"+OK\r\n"] {
            let mut reader = Reader::default();
            reader.fill(&mut &*bytes).unwrap();
            assert!(Table::read(reader.frame().unwrap().unwrap()).is_none());
        }
    }
}
