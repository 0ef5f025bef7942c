//! Points put together to rows.

use model::{FieldType, FieldValue, TimestampNs};

use crate::error::Error;

/// A field, by name and type: one that had another type before it was dropped is another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: FieldType,
}

/// Rows one after another: one a series and time, ascending by the bytes of the series' key, then by time.
pub(crate) trait Rows {
    /// Keys of all tags that may occur, ascending.
    fn tags(&self) -> &[String];

    /// All fields that may occur, ascending.
    fn fields(&self) -> &[Field];

    /// Goes to the next row, at first to the first one; false when there is none.
    fn advance(&mut self) -> Result<bool, Error>;

    /// Canonical key of the row's series.
    fn series(&self) -> &[u8];

    /// Time of the row.
    fn time(&self) -> TimestampNs;

    /// The row's values with the positions of their fields. Of several for one field the last counts.
    fn values(&self, visit: &mut dyn FnMut(usize, FieldValue<'_>));
}
