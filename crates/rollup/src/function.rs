//! Functions of a rollup's visible fields: those that can be told from a summary, so that they stay right when rollups are made
//! of rollups.

use model::{FieldType, TimeRange};
use query::{Cell, Summary};

const NS_PER_S: f64 = 1e9;
/// Up to here every whole number is a float.
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
    /// What a counter has counted from the first to the last value, resets included.
    Increase,
    /// Area below straight lines from value to value, in value times seconds.
    Integral,
    /// Mean in which every value counts as long as it stood; the last one until the end of the window.
    TimeWeightedMean,
}

impl Function {
    /// Every function with its name in configurations.
    pub const ALL: [(&'static str, Self); 12] = [
        ("count", Self::Count),
        ("mean", Self::Mean),
        ("sum", Self::Sum),
        ("min", Self::Min),
        ("max", Self::Max),
        ("spread", Self::Spread),
        ("first", Self::First),
        ("last", Self::Last),
        ("stddev", Self::Stddev),
        ("increase", Self::Increase),
        ("integral", Self::Integral),
        ("time_weighted_mean", Self::TimeWeightedMean),
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
            Self::Mean | Self::Stddev | Self::Increase | Self::Integral | Self::TimeWeightedMean => FieldType::Float,
        }
    }

    /// Its value over a window of a field of type `field`; `None` where there is none, or where it may have been rounded although the type
    /// is one of whole numbers.
    pub(crate) fn of(self, summary: &Summary, window: TimeRange, field: FieldType) -> Option<Cell> {
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
            Self::Increase => summary.increase,
            Self::Integral => summary.line_area,
            Self::TimeWeightedMean => time_weighted_mean(summary, window),
        };
        match self.kind(field) {
            FieldType::Integer => is_exact(value).then_some(Cell::Integer(value as i64)),
            FieldType::Unsigned => is_exact(value).then_some(Cell::Unsigned(value as u64)),
            _ => value.is_finite().then_some(Cell::Float(value)),
        }
    }
}

fn is_exact(value: f64) -> bool {
    value.abs() <= LARGEST_WHOLE
}

fn time_weighted_mean(summary: &Summary, window: TimeRange) -> f64 {
    let seconds = |from: model::TimestampNs, to: model::TimestampNs| to.0.abs_diff(from.0) as f64 / NS_PER_S;
    let area = summary.step_area + summary.last * seconds(summary.last_time, window.end);
    area / seconds(summary.first_time, window.end)
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
        let window = TimeRange::new(TimestampNs(0), TimestampNs(10_000_000_000));
        let value = |name: &str| Function::named(name).unwrap().of(&summary(), window, FieldType::Float).unwrap();
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
            ("increase", 2.0),
            ("integral", 10.0),
            ("time_weighted_mean", 2.0),
        ];
        for (name, expected) in floats {
            assert_eq!(value(name), Cell::Float(expected), "{name}");
        }
        assert_eq!(Function::named("median"), None);
    }

    #[test]
    fn whole_numbers_stay_whole_unless_they_may_have_been_rounded() {
        let window = TimeRange::new(TimestampNs(0), TimestampNs(10));
        assert_eq!(Function::Sum.of(&summary(), window, FieldType::Integer), Some(Cell::Integer(4)));
        let large = Summary { sum: 1e17, ..summary() };
        assert_eq!(Function::Sum.of(&large, window, FieldType::Unsigned), None);
    }
}
