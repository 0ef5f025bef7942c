//! Any bytes are decoded or refused without a panic, and points that were decoded stay the same when encoded again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::wire::{BatchEncoder, BatchVisitor, decode};
use model::{ColumnId, FieldValue, TimeRange, TimestampNs};

/// Encodes every value again.
#[derive(Default)]
struct Copy(BatchEncoder);

impl BatchVisitor for Copy {
    fn value(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'_>) {
        self.0.push(column, time, value);
    }

    fn delete(&mut self, columns: &[ColumnId], _range: TimeRange) {
        assert!(columns.is_sorted());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut first = Copy::default();
    if decode(bytes, &mut first).is_err() {
        return;
    }
    let once = first.0.finish();
    let mut second = Copy::default();
    decode(&once, &mut second).expect("what was encoded is decoded");
    assert_eq!(second.0.finish(), once);
});
