//! Functions of a rollup's visible fields: those that can be told from a summary, so that they stay right when rollups are made
//! of rollups. Functions that look beyond their window (`increase`, `integral`, time-weighted means) are not among them: queries of the
//! source compute them from rows all the same.

use model::FieldType;
use query::{Cell, Summary};

use crate::row::Row;

/// Below it every whole number is a float of its own.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// A function of the values of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Number of values.
    Count,
    /// Mean of all values, however many windows they came through.
    Mean,
    /// Sum of all values.
    Sum,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Largest minus smallest.
    Spread,
    /// First value.
    First,
    /// Last value.
    Last,
    /// Standard deviation of the values as a sample, as in InfluxQL: nothing for a single value.
    Stddev,
}

impl Function {
    /// Every function with its name in configurations.
    pub const ALL: [(&'static str, Self); 9] = [
        ("count", Self::Count),
        ("mean", Self::Mean),
        ("sum", Self::Sum),
        ("min", Self::Min),
        ("max", Self::Max),
        ("spread", Self::Spread),
        ("first", Self::First),
        ("last", Self::Last),
        ("stddev", Self::Stddev),
    ];

    /// The function with this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        let wanted = name.to_ascii_lowercase();
        Self::ALL.into_iter().find(|(known, _)| *known == wanted).map(|(_, function)| function)
    }

    /// Type of its values over a field of this type.
    pub const fn kind(self, field: FieldType) -> FieldType {
        match self {
            Self::Count => FieldType::Integer,
            Self::Sum | Self::Min | Self::Max | Self::Spread | Self::First | Self::Last => field,
            Self::Mean | Self::Stddev => FieldType::Float,
        }
    }

    /// Its value in a row; of one that knows its count only, that.
    pub(crate) fn of_row(self, row: &Row, field: FieldType) -> Option<Cell> {
        match (self, row) {
            (_, Row::Full(summary)) => self.of(summary, field),
            (Self::Count, Row::Count(count)) => Some(Cell::Integer(count.cast_signed())),
            (_, Row::Count(_)) => None,
        }
    }

    /// Its value over a window of a field of type `field`; `None` where there is none, or where it may have been rounded although the type
    /// is one of whole numbers.
    pub(crate) fn of(self, summary: &Summary, field: FieldType) -> Option<Cell> {
        let value = match self {
            Self::Count => return Some(Cell::Integer(summary.count.cast_signed())),
            Self::Mean => summary.sum / summary.count as f64,
            Self::Sum => summary.sum,
            Self::Min => summary.min,
            Self::Max => summary.max,
            Self::Spread => summary.max - summary.min,
            Self::First => summary.first,
            Self::Last => summary.last,
            Self::Stddev if summary.count < 2 => return None,
            Self::Stddev => (summary.squares / (summary.count - 1) as f64).sqrt(),
        };
        match self.kind(field) {
            FieldType::Integer => is_exact(value).then_some(Cell::Integer(value as i64)),
            FieldType::Unsigned => is_exact(value).then_some(Cell::Unsigned(value as u64)),
            _ => value.is_finite().then_some(Cell::Float(value)),
        }
    }
}

fn is_exact(value: f64) -> bool {
    value.abs() < LARGEST_WHOLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;

    fn summary() -> Summary {
        Summary {
            count: 2,
            first_time: TimestampNs(0),
            last_time: TimestampNs(5_000_000_000),
            sum: 4.0,
            min: 1.0,
            max: 3.0,
            first: 1.0,
            last: 3.0,
            squares: 2.0,
            step_area: 5.0,
            line_area: 10.0,
            increase: 2.0,
            ..Summary::default()
        }
    }

    #[test]
    fn every_function_has_its_value() {
        let value = |name: &str| Function::named(name).unwrap().of(&summary(), FieldType::Float).unwrap();
        assert_eq!(value("COUNT"), Cell::Integer(2));
        let floats = [
            ("mean", 2.0),
            ("sum", 4.0),
            ("min", 1.0),
            ("max", 3.0),
            ("spread", 2.0),
            ("first", 1.0),
            ("last", 3.0),
            ("stddev", 2f64.sqrt()),
        ];
        for (name, expected) in floats {
            assert_eq!(value(name), Cell::Float(expected), "{name}");
        }
        assert_eq!(Function::named("median"), None);
    }

    #[test]
    fn whole_numbers_stay_whole_unless_they_may_have_been_rounded() {
        assert_eq!(Function::Sum.of(&summary(), FieldType::Integer), Some(Cell::Integer(4)));
        let large = Summary { sum: 1e17, ..summary() };
        assert_eq!(Function::Sum.of(&large, FieldType::Unsigned), None);
    }
}
