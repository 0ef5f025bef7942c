//! What a record changed, for those who keep something that is made of values.

use model::{ColumnId, TimeRange, TimestampNs};

/// Columns and times that records changed. Whoever fills it adds to what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Values taken in, in the order of the records.
    pub written: Vec<(ColumnId, TimestampNs)>,
    /// Columns of which everything inside a range was deleted.
    pub deleted: Vec<(Vec<ColumnId>, TimeRange)>,
}

impl Touched {
    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.written.clear();
        self.deleted.clear();
    }

    /// True when nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty() && self.deleted.is_empty()
    }
}

impl model::wire::BatchVisitor for Touched {
    fn value(&mut self, column: ColumnId, time: TimestampNs, _: model::FieldValue<'_>) {
        self.written.push((column, time));
    }

    fn delete(&mut self, columns: &[ColumnId], range: TimeRange) {
        self.deleted.push((columns.to_vec(), range));
    }
}
