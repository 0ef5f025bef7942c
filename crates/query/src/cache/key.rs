//! What results are results of: everything that they depend on besides the points.
//!
//! Columns stand for database, retention policy, measurement, tags and field at once: their ids are those of the whole store, and one
//! that was dropped and made again has another. A new series in a group makes another key.

use model::{ColumnId, FieldType, TimeRange};

use crate::aggregate::Wants;
use crate::plan::Windowing;

/// What results are results of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Columns of the group: the fields of its first member, of the second, ... Points chosen tell their series by that order.
    pub(crate) columns: Vec<Option<ColumnId>>,
    /// What is computed.
    pub(crate) functions: Vec<Function>,
    /// Of what windows.
    pub(crate) windows: WindowsOf,
    /// Whether rollups might be asked: they round sums of floats otherwise than points.
    pub(crate) rollups: bool,
}

/// A function of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: &'static str,
    /// Bits of its arguments.
    pub(crate) arguments: Vec<u64>,
    /// The field, as its number among those of a member.
    pub(crate) field: usize,
    /// Type of the field; `None` where the group has it not.
    pub(crate) kind: Option<FieldType>,
    pub(crate) wants: Wants,
}

/// Windows by what they are made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum WindowsOf {
    /// This range is the only one.
    Whole(TimeRange),
    /// Windows on the clocks of a zone.
    Divided(Windowing, Option<String>),
}

impl Key {
    /// Memory held besides the key itself.
    pub(super) fn bytes(&self) -> usize {
        let zone = match &self.windows {
            WindowsOf::Divided(_, Some(zone)) => zone.capacity(),
            _ => 0,
        };
        let arguments = self.functions.iter().map(|function| function.arguments.capacity() * size_of::<u64>());
        self.columns.capacity() * size_of::<Option<ColumnId>>()
            + self.functions.capacity() * size_of::<Function>()
            + arguments.sum::<usize>()
            + zone
    }

    /// Its columns, each once.
    pub(super) fn distinct_columns(&self) -> Vec<ColumnId> {
        let mut columns: Vec<ColumnId> = self.columns.iter().flatten().copied().collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}
