//! Which nodes are meant.

use std::collections::HashSet;

use crate::node::eventing::columns::Node;

/// Nodes by patterns; of ids without wildcards there may be many.
pub(super) struct Wanted<'a> {
    ids: HashSet<&'a str>,
    patterns: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(nodes: &'a [String]) -> Self {
        let (patterns, ids): (Vec<&str>, Vec<&str>) =
            nodes.iter().map(String::as_str).partition(|node| node.contains(['*', '?', '[', '\\']));
        Self { ids: ids.into_iter().collect(), patterns }
    }

    pub(super) fn holds(&self, (node_id, _): &Node) -> bool {
        let fits = |pattern: &&str| model::glob::matches(pattern.as_bytes(), node_id.as_bytes());
        let are_all = self.ids.is_empty() && self.patterns.is_empty();
        are_all || self.ids.contains(node_id.as_str()) || self.patterns.iter().any(fits)
    }
}
