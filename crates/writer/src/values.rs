//! Values in memory between the journal and a request: 24 bytes each besides texts, found by their index at once, which
//! isolating a bad one needs. Names are not kept: they are looked up when the values are sent.

use std::ops::Range;

use model::{ColumnId, FieldType, FieldValue, TimestampNs};

/// Values in the order of the journal.
#[derive(Debug, Default)]
pub(crate) struct Values {
    entries: Vec<Entry>,
    /// All texts, one after another.
    texts: String,
    /// Entries that are sent once more.
    again: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    time: TimestampNs,
    /// Of a number or boolean its bits; of a text where it begins (upper half) and its length.
    bits: u64,
    column: ColumnId,
    kind: FieldType,
    again: bool,
}

const _: () = assert!(size_of::<Entry>() == 24);

/// One of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Item<'a> {
    pub(crate) column: ColumnId,
    pub(crate) time: TimestampNs,
    pub(crate) value: FieldValue<'a>,
    /// Its fate was counted already; it is sent once more.
    pub(crate) again: bool,
}

impl Values {
    /// Adds one.
    #[inline]
    pub(crate) fn push(&mut self, item: Item<'_>) {
        let bits = match item.value {
            FieldValue::Float(v) => v.to_bits(),
            FieldValue::Integer(v) => v.cast_unsigned(),
            FieldValue::Unsigned(v) => v,
            FieldValue::Boolean(v) => u64::from(v),
            FieldValue::String(v) => {
                let start = self.texts.len() as u64;
                self.texts.push_str(v);
                start << 32 | v.len() as u64
            }
        };
        let Item { column, time, again, .. } = item;
        self.again += usize::from(again);
        self.entries.push(Entry { time, bits, column, kind: item.value.field_type(), again });
    }

    /// Forgets all of them and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.texts.clear();
        self.again = 0;
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them are sent for the first time.
    pub(crate) fn first_time(&self) -> usize {
        self.entries.len() - self.again
    }

    /// Bytes they take.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>() + self.texts.len()
    }

    /// The one at `index`.
    pub(crate) fn get(&self, index: usize) -> Option<Item<'_>> {
        self.entries.get(index).map(|entry| self.item(entry))
    }

    /// Those of `range`, in order.
    pub(crate) fn iter(&self, range: Range<usize>) -> impl Iterator<Item = Item<'_>> {
        self.entries.get(range).unwrap_or_default().iter().map(|entry| self.item(entry))
    }

    /// How many of `range` are sent once more.
    pub(crate) fn again_in(&self, range: Range<usize>) -> usize {
        if self.again == 0 {
            return 0;
        }
        self.entries.get(range).unwrap_or_default().iter().filter(|entry| entry.again).count()
    }

    /// Puts values of one series next to each other; those of one series keep their order.
    pub(crate) fn group(&mut self, series_of: impl Fn(ColumnId) -> u32) {
        self.entries.sort_by_cached_key(|entry| series_of(entry.column));
    }

    /// Adds all of `other` behind its own.
    pub(crate) fn append(&mut self, other: &Self) {
        let shift = (self.texts.len() as u64) << 32;
        self.texts.push_str(&other.texts);
        self.again += other.again;
        let moved = |entry: &Entry| match entry.kind {
            FieldType::String => Entry { bits: entry.bits + shift, ..*entry },
            _ => *entry,
        };
        self.entries.extend(other.entries.iter().map(moved));
    }

    /// Keeps only those for which `stays` says so; asks in order. The memory of texts stays.
    pub(crate) fn retain(&mut self, mut stays: impl FnMut(Item<'_>) -> bool) {
        let Self { entries, texts, again } = self;
        entries.retain(|entry| {
            let stays = stays(item(entry, texts));
            *again -= usize::from(entry.again && !stays);
            stays
        });
    }

    fn item(&self, entry: &Entry) -> Item<'_> {
        item(entry, &self.texts)
    }
}

#[inline]
fn item<'a>(entry: &Entry, texts: &'a str) -> Item<'a> {
    let value = match entry.kind {
        FieldType::Float => FieldValue::Float(f64::from_bits(entry.bits)),
        FieldType::Integer => FieldValue::Integer(entry.bits.cast_signed()),
        FieldType::Unsigned => FieldValue::Unsigned(entry.bits),
        FieldType::Boolean => FieldValue::Boolean(entry.bits != 0),
        FieldType::String => {
            let (start, len) = ((entry.bits >> 32) as usize, entry.bits as u32 as usize);
            FieldValue::String(texts.get(start..start + len).unwrap_or_default())
        }
    };
    Item { column: entry.column, time: entry.time, value, again: entry.again }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(column: u32, time: i64, value: FieldValue<'_>) -> Item<'_> {
        Item { column: ColumnId(column), time: TimestampNs(time), value, again: column.is_multiple_of(2) }
    }

    fn some() -> Vec<Item<'static>> {
        vec![
            item(1, -5, FieldValue::Float(-0.5)),
            item(2, 6, FieldValue::Integer(i64::MIN)),
            item(3, 7, FieldValue::String("grün")),
            item(4, 8, FieldValue::Unsigned(u64::MAX)),
            item(5, 9, FieldValue::Boolean(true)),
            item(6, 9, FieldValue::String("")),
            item(7, 10, FieldValue::String("off")),
        ]
    }

    fn filled(items: &[Item<'_>]) -> Values {
        let mut values = Values::default();
        items.iter().for_each(|item| values.push(*item));
        values
    }

    fn all(values: &Values) -> Vec<Item<'_>> {
        values.iter(0..values.len()).collect()
    }

    #[test]
    fn values_of_every_type_come_back_as_they_were() {
        let values = filled(&some());
        assert_eq!(all(&values), some());
        assert_eq!((values.len(), values.first_time()), (7, 4));
        assert_eq!(values.get(2), Some(some()[2]));
        assert_eq!(values.get(7), None);
    }

    #[test]
    fn what_is_appended_keeps_its_texts() {
        let mut values = filled(&some());
        values.append(&filled(&some()));
        assert_eq!(all(&values), [some(), some()].concat());
        assert_eq!(values.first_time(), 8);
        assert_eq!(values.again_in(1..4), 2);
    }

    #[test]
    fn what_is_taken_out_is_gone_and_the_rest_unharmed() {
        let mut values = filled(&some());
        values.retain(|item| item.column.0 != 3 && item.column.0 != 4);
        let left: Vec<_> = some().into_iter().filter(|item| item.column.0 != 3 && item.column.0 != 4).collect();
        assert_eq!(all(&values), left);
        assert_eq!(values.first_time(), 3);
    }
}
