//! Which series of the store go into which series of the answer.

use std::collections::BTreeMap;

use crate::{GroupBy, SeriesColumns};

/// Series of the store that make one series of the answer.
pub(super) struct Group {
    /// Tags that were grouped by.
    pub(super) tags: Vec<(String, String)>,
    /// In the order of their tags.
    pub(super) members: Vec<SeriesColumns>,
}

/// Groups in the order of their tags' values. A series without a tag that is grouped by has the empty value.
pub(super) fn groups(series: Vec<SeriesColumns>, by: &GroupBy) -> Vec<Group> {
    let mut groups: BTreeMap<Vec<(String, String)>, Vec<SeriesColumns>> = BTreeMap::new();
    for member in series {
        groups.entry(key(&member, by)).or_default().push(member);
    }
    groups.into_iter().map(|(tags, members)| Group { tags, members }).collect()
}

fn key(series: &SeriesColumns, by: &GroupBy) -> Vec<(String, String)> {
    match by {
        GroupBy::All => series.tags.clone(),
        GroupBy::Nothing => Vec::new(),
        GroupBy::Tags(keys) => {
            keys.iter().map(|key| (key.clone(), tag(series, key).unwrap_or_default().to_owned())).collect()
        }
    }
}

/// Value of a tag of a series.
pub(super) fn tag<'a>(series: &'a SeriesColumns, key: &str) -> Option<&'a str> {
    series.tags.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
}
