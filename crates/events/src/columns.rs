//! The watched columns by their keys, in the order in which they were added: a record's columns mostly come in that order, too, so that what is
//! needed next is near. A table says where each key's column is, so keys are best small numbers without large gaps.

use crate::column::Column;

/// No column.
const NONE: u32 = u32::MAX;

/// Columns by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    /// Place of each key's column.
    places: Vec<u32>,
    all: Vec<(u32, Column)>,
}

impl Columns {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn place(&self, key: u32) -> Option<usize> {
        let place = *self.places.get(key as usize)?;
        (place != NONE).then_some(place as usize)
    }

    pub(crate) fn get(&self, key: u32) -> Option<&Column> {
        self.all.get(self.place(key)?).map(|(_, column)| column)
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut Column> {
        let place = self.place(key)?;
        self.all.get_mut(place).map(|(_, column)| column)
    }

    /// Takes the place of one with the same key. There are fewer than 2^32 columns, as their keys differ.
    pub(crate) fn insert(&mut self, key: u32, column: Column) {
        if let Some(known) = self.get_mut(key) {
            *known = column;
            return;
        }
        self.put(key, self.all.len() as u32);
        self.all.push((key, column));
    }

    /// Takes it out, if there is one. The last one takes its place.
    pub(crate) fn remove(&mut self, key: u32) -> Option<Column> {
        let place = self.place(key)?;
        self.put(key, NONE);
        let (_, removed) = self.all.swap_remove(place);
        if let Some(&(moved, _)) = self.all.get(place) {
            self.put(moved, place as u32);
        }
        Some(removed)
    }

    /// By ascending key.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = (u32, &Column)> {
        let present = self.places.iter().filter(|place| **place != NONE);
        present.filter_map(|place| self.all.get(*place as usize)).map(|(key, column)| (*key, column))
    }

    fn put(&mut self, key: u32, place: u32) {
        let at = key as usize;
        if self.places.len() <= at {
            self.places.resize(at + 1, NONE);
        }
        if let Some(slot) = self.places.get_mut(at) {
            *slot = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Rules};

    #[test]
    fn columns_are_found_by_their_keys_whatever_was_removed() {
        let rules = Rules::new(&Config::default()).unwrap();
        let column = |node: u32| {
            let key = format!("vm_metrics,metric=cpu_usage,node_id={node}");
            Column::new(rules.watch(&model::key::SeriesKey::parse(key.as_bytes()).unwrap(), "value").unwrap())
        };
        let mut columns = Columns::default();
        for key in [7, 3, 900, 0] {
            columns.insert(key, column(key));
        }
        assert_eq!([7, 7, 5000].map(|key| columns.remove(key).is_some()), [true, false, false]);
        columns.insert(3, column(33));
        let node = |(key, column): (u32, &Column)| (key, column.watch.node_id().to_owned());
        let expected = [(0, "0"), (3, "33"), (900, "900")].map(|(key, node)| (key, node.to_owned()));
        assert_eq!(columns.sorted().map(node).collect::<Vec<_>>(), expected);
        assert!(columns.get(7).is_none() && columns.len() == 3 && !columns.is_empty());
        assert!([0, 3, 900].iter().all(|key| columns.remove(*key).is_some()) && columns.is_empty());
    }
}
