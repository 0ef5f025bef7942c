//! The tags given to `top` and `bottom`: which values they have at a point picked, and the tables by them of rows that are
//! written back.

use std::collections::BTreeMap;

use model::TimestampNs;

use super::computed::Work;
use super::group::Meaning;
use super::sequence::Joined;
use crate::Table;
use crate::aggregate::Origin;
use crate::plan::expr::Reference;
use crate::result::Cell;

/// Times of rows, and their columns.
type TimesAndColumns = (Vec<TimestampNs>, Vec<Vec<Cell>>);

impl Work<'_, '_, '_> {
    /// Value of a tag at a point; empty for fields and missing tags.
    pub(super) fn tag(&self, leaf: Option<usize>, origin: Option<Origin>) -> String {
        let member = origin.and_then(|at| self.group.members.get(at.series.index()));
        let value =
            leaf.zip(member).and_then(|(leaf, member)| match self.views.get(member.view)?.meanings.get(leaf)? {
                Meaning::Tag(tag) => member.tags.get(*tag),
                _ => None,
            });
        if let Some(Cell::String(text)) = value { text.clone() } else { String::new() }
    }

    /// Rows that are to be written: the tags of `top` and `bottom` become tags of the series they are written to.
    pub(super) fn by_keys(&self, name: &str, rows: Joined) -> Vec<Table> {
        let keys: Vec<&Reference> = self.layout.calls.keys().collect();
        let leaf = |key: &&Reference| self.layout.leaves.iter().position(|leaf| leaf == *key);
        let mut tables: BTreeMap<Vec<String>, TimesAndColumns> = BTreeMap::new();
        for (row, &time) in rows.times.iter().enumerate() {
            let origin = rows.origins.get(row).copied().flatten();
            let values: Vec<String> = keys.iter().map(|key| self.tag(leaf(key), origin)).collect();
            let (times, columns) =
                tables.entry(values).or_insert_with(|| (Vec::new(), vec![Vec::new(); rows.columns.len()]));
            times.push(time);
            for (column, cells) in columns.iter_mut().zip(&rows.columns) {
                column.push(cells.get(row).cloned().unwrap_or_default());
            }
        }
        let table = |(values, (times, columns)): (Vec<String>, TimesAndColumns)| {
            let mut table = self.layout.table(name, self.group, times, columns);
            let tags = keys.iter().map(|key| key.name.clone()).zip(values).filter(|(_, value)| !value.is_empty());
            table.tags.extend(tags);
            table
        };
        tables.into_iter().map(table).collect()
    }
}
