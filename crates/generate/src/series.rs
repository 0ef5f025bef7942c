//! The series of a plan: their keys as they stand in lines, who they belong to, and what is random about each of them for good.

use std::sync::Arc;

use model::key::SeriesKeyBuf;

use crate::ems::{EmsOptions, FIRST_CHANNEL, PointType};
use crate::nodes::{Node, NodeOptions};
use crate::quantity::Quantity;
use crate::random::{Purpose, Stream, symmetric};

/// One series. What it gives depends on the seed and its key only, not on which other series there are.
#[derive(Debug, Clone)]
pub struct Series {
    key: Box<str>,
    owner: Arc<str>,
    point: Arc<str>,
    kind: PointType,
    quantity: &'static Quantity,
    /// True when its points have the field `unit`.
    has_unit: bool,
    pub(crate) base: f64,
    pub(crate) random: Stream,
}

impl Series {
    /// The canonical key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The channel or the id of the node.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The number of the data point or the name of the metric.
    pub fn point(&self) -> &str {
        &self.point
    }

    /// The type of the data point; metrics of nodes are telemetry.
    pub const fn kind(&self) -> PointType {
        self.kind
    }

    /// What it measures.
    pub const fn quantity(&self) -> &'static Quantity {
        self.quantity
    }

    /// The value of the field `unit`; `None` when its points have no such field.
    pub const fn unit_field(&self) -> Option<&'static str> {
        if self.has_unit { Some(self.quantity.unit) } else { None }
    }
}

/// The series of nodes, node by node.
pub(crate) fn of_nodes(options: NodeOptions, seed: u64) -> Vec<Series> {
    let mut key = SeriesKeyBuf::default();
    options.nodes().flat_map(|node| of_node(&node, seed, &mut key)).collect()
}

fn of_node(node: &Node, seed: u64, key: &mut SeriesKeyBuf) -> Vec<Series> {
    let one = |quantity: &'static Quantity| {
        key.start(node.kind.measurement());
        key.tag("metric", quantity.name);
        key.tag("node_id", &node.id);
        key.tag("node_type", node.kind.as_str());
        let place = Place { owner: Arc::clone(&node.id), point: quantity.name.into(), kind: PointType::Telemetry };
        Series { has_unit: true, ..series(key, place, quantity, seed) }
    };
    node.kind.metrics().iter().map(one).collect()
}

/// The series of a plant, channel by channel.
pub(crate) fn of_ems(options: &EmsOptions, seed: u64) -> Vec<Series> {
    let points: Vec<_> =
        options.data_points().map(|point| (Arc::<str>::from(point.number.to_string()), point)).collect();
    let mut key = SeriesKeyBuf::default();
    let mut all = Vec::with_capacity(points.len() * options.channels as usize);
    for channel in 0..options.channels {
        let owner: Arc<str> = (FIRST_CHANNEL + channel).to_string().into();
        for (number, point) in &points {
            key.start(point.kind.measurement());
            key.tag("channel", &owner);
            key.tag("point", number);
            key.tag("type", point.kind.letter());
            let place = Place { owner: Arc::clone(&owner), point: Arc::clone(number), kind: point.kind };
            all.push(series(&key, place, point.quantity, seed));
        }
    }
    all
}

struct Place {
    owner: Arc<str>,
    point: Arc<str>,
    kind: PointType,
}

fn series(key: &SeriesKeyBuf, place: Place, quantity: &'static Quantity, seed: u64) -> Series {
    let random = Stream::of_text(seed, key.as_bytes());
    let own = symmetric(random.branch(Purpose::Base).at(0) as u32);
    Series {
        key: String::from_utf8_lossy(key.as_bytes()).into(),
        owner: place.owner,
        point: place.point,
        kind: place.kind,
        quantity,
        has_unit: false,
        base: quantity.base * (1.0 + quantity.spread * own),
        random,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_canonical() {
        let nodes = of_nodes(NodeOptions { vm: 1, ..NodeOptions::NONE }, 1);
        assert_eq!(nodes[0].key(), "vm_metrics,metric=cpu_usage,node_id=vm-0001,node_type=VM");
        assert_eq!((nodes[0].owner(), nodes[0].point(), nodes[0].unit_field()), ("vm-0001", "cpu_usage", Some("%")));
        let plant = of_ems(&EmsOptions { channels: 2, data_points: 4, ..EmsOptions::default() }, 1);
        assert_eq!(plant[7].key(), "signal,channel=1002,point=20001,type=s");
        assert_eq!((plant[7].owner(), plant[7].point(), plant[7].unit_field()), ("1002", "20001", None));
    }

    #[test]
    fn a_series_does_not_depend_on_the_others() {
        let small = of_nodes(NodeOptions { host: 1, ..NodeOptions::NONE }, 1);
        let large = of_nodes(NodeOptions { vm: 9, host: 3, ..NodeOptions::NONE }, 1);
        let same = large.iter().find(|series| series.key() == small[0].key()).unwrap();
        assert_eq!((same.base, same.random), (small[0].base, small[0].random));
    }
}
