//! Random bodies against a map that holds what should be stored.

use std::collections::BTreeMap;

use journal::JournalConfig;
use pipeline::Origin;
use proptest::prelude::*;
use vfs::FaultFs;

use crate::support::{Plant, assert_accounted};

/// One line: series, field, type and number of the value, time.
#[derive(Debug, Clone)]
struct Sample {
    series: usize,
    field: usize,
    kind: usize,
    number: i32,
    time: i64,
}

/// Canonical keys, each with another way to write it.
const SERIES: [(&str, &str); 4] = [("m", "m"), ("m,a=1,b=2", "m,b=2,a=1"), ("m,a=2", "m,a=2"), ("n,b=1", "n,b=1")];
const FIELDS: [&str; 3] = ["x", "y", "z"];

impl Sample {
    fn line(&self) -> String {
        let (canonical, other) = SERIES[self.series];
        let key = if self.number % 2 == 0 { canonical } else { other };
        format!("{key} {}={} {}\n", FIELDS[self.field], self.written(), self.time)
    }

    fn written(&self) -> String {
        match self.kind {
            0 => format!("{}.5", self.number),
            1 => format!("{}i", self.number),
            _ => format!("\"{}\"", self.number),
        }
    }

    fn stored(&self) -> String {
        match self.kind {
            0 => format!("Float({}.5)", self.number),
            1 => format!("Integer({})", self.number),
            _ => format!("String(\"{}\")", self.number),
        }
    }

    fn measurement(&self) -> &'static str {
        if self.series == 3 { "n" } else { "m" }
    }
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let kind = prop_oneof![6 => Just(0usize), 1 => Just(1usize), 1 => Just(2usize)];
    (0..SERIES.len(), 0..FIELDS.len(), kind, 0i32..1000, -5i64..5)
        .prop_map(|(series, field, kind, number, time)| Sample { series, field, kind, number, time })
}

/// What should be stored: the first type of a field stands, the last value of a time counts.
#[derive(Default)]
struct Model {
    types: BTreeMap<(&'static str, usize), usize>,
    values: BTreeMap<(usize, usize), BTreeMap<i64, String>>,
}

impl Model {
    /// False when the line is to be refused.
    fn write(&mut self, sample: &Sample) -> bool {
        let stands = *self.types.entry((sample.measurement(), sample.field)).or_insert(sample.kind);
        if stands == sample.kind {
            self.values.entry((sample.series, sample.field)).or_default().insert(sample.time, sample.stored());
        }
        stands == sample.kind
    }

    fn check(&self, plant: &Plant) {
        for (series, (key, _)) in SERIES.iter().enumerate() {
            for (field, name) in FIELDS.iter().enumerate() {
                let expected = self.values.get(&(series, field)).cloned().unwrap_or_default();
                assert_eq!(plant.read(key, name), expected.into_iter().collect::<Vec<_>>(), "{key} {name}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_was_written_is_read_back(
        bodies in prop::collection::vec(prop::collection::vec(any_sample(), 0..40), 1..6),
        flush_after in 0usize..6,
    ) {
        let fs = FaultFs::new();
        let plant = Plant::open(&fs, JournalConfig::default());
        let applier = plant.start_applier();
        let mut model = Model::default();
        for (index, body) in bodies.iter().enumerate() {
            let text: String = body.iter().map(Sample::line).collect();
            let refused: Vec<u64> = body.iter().zip(1u64..).filter(|(s, _)| !model.write(s)).map(|(_, n)| n).collect();
            let outcome = plant.write(&text).unwrap();
            prop_assert_eq!(outcome.rejected.iter().map(|r| r.line).collect::<Vec<_>>(), refused);
            if index == flush_after {
                plant.engine.flush().unwrap();
            }
        }
        model.check(&plant);
        assert_accounted(plant.counts(Origin::Http));
        applier.abandon();
        let reopened = Plant::open(&fs.crash(1), JournalConfig::default());
        let _applier = reopened.start_applier();
        reopened.settle();
        model.check(&reopened);
    }
}
