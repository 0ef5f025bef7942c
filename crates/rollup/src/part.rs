//! Parts of a summary as columns of the hidden bucket.
//!
//! A rollup keeps one row a window and source column, at the time at which the window starts. Each part is a field of its own,
//! `CODE.FIELD`, in the series of the same key (`CODEi.FIELD`, `CODEu.FIELD` for fields of integers and unsigned ones); the count is
//! always there and tells which rows there are. Times are kept as nanoseconds since the start of the window. A row of whole numbers
//! that may have been rounded has its count only.

use model::{FieldType, FieldValue, TimestampNs};
use query::{Parts, Summary};

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Count,
    Sum,
    Min,
    Max,
    First,
    Last,
    FirstTime,
    LastTime,
    MinTime,
    MaxTime,
    Squares,
    StepArea,
    LineArea,
    Increase,
}

/// Number of parts.
pub(crate) const PARTS: usize = 14;

impl Part {
    /// Every part; the count first.
    pub(crate) const ALL: [Self; PARTS] = [
        Self::Count,
        Self::Sum,
        Self::Min,
        Self::Max,
        Self::First,
        Self::Last,
        Self::FirstTime,
        Self::LastTime,
        Self::MinTime,
        Self::MaxTime,
        Self::Squares,
        Self::StepArea,
        Self::LineArea,
        Self::Increase,
    ];

    const fn code(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
            Self::FirstTime => "first_time",
            Self::LastTime => "last_time",
            Self::MinTime => "min_time",
            Self::MaxTime => "max_time",
            Self::Squares => "squares",
            Self::StepArea => "step_area",
            Self::LineArea => "line_area",
            Self::Increase => "increase",
        }
    }

    /// Name of its column for a field of numbers.
    pub(crate) fn field_name(self, field: &str, kind: FieldType) -> String {
        let mark = match kind {
            FieldType::Integer => "i",
            FieldType::Unsigned => "u",
            _ => "",
        };
        format!("{}{mark}.{field}", self.code())
    }

    /// The field, with its type, that a column of counts belongs to; `None` for columns of other parts.
    pub(crate) fn field_of_count(name: &str) -> Option<(&str, FieldType)> {
        let (mark, field) = name.strip_prefix(Self::Count.code())?.split_once('.')?;
        let kind = match mark {
            "" => FieldType::Float,
            "i" => FieldType::Integer,
            "u" => FieldType::Unsigned,
            _ => return None,
        };
        Some((field, kind))
    }

    /// Type of its column.
    pub(crate) const fn kind(self) -> FieldType {
        match self {
            Self::Count | Self::FirstTime | Self::LastTime | Self::MinTime | Self::MaxTime => FieldType::Integer,
            _ => FieldType::Float,
        }
    }

    /// True when it is of use where `wanted` are.
    pub(crate) fn is_among(self, wanted: Parts) -> bool {
        wanted.contain(match self {
            Self::Count => return true,
            Self::Sum => Parts::SUM,
            Self::Min => Parts::MIN,
            Self::Max => Parts::MAX,
            Self::First => Parts::FIRST,
            Self::Last => Parts::LAST,
            Self::FirstTime | Self::LastTime => Parts::ENDS,
            Self::MinTime | Self::MaxTime => Parts::EXTREMES,
            Self::Squares => Parts::SQUARES,
            Self::StepArea => Parts::STEP_AREA,
            Self::LineArea => Parts::LINE_AREA,
            Self::Increase => Parts::INCREASE,
        })
    }

    /// Its value in the row of a window that starts at `start`.
    pub(crate) fn value(self, summary: &Summary, start: TimestampNs) -> FieldValue<'static> {
        let since = |time: TimestampNs| FieldValue::Integer(time.0.saturating_sub(start.0));
        match self {
            Self::Count => FieldValue::Integer(summary.count.cast_signed()),
            Self::Sum => FieldValue::Float(summary.sum),
            Self::Min => FieldValue::Float(summary.min),
            Self::Max => FieldValue::Float(summary.max),
            Self::First => FieldValue::Float(summary.first),
            Self::Last => FieldValue::Float(summary.last),
            Self::FirstTime => since(summary.first_time),
            Self::LastTime => since(summary.last_time),
            Self::MinTime => since(summary.min_time),
            Self::MaxTime => since(summary.max_time),
            Self::Squares => FieldValue::Float(summary.squares),
            Self::StepArea => FieldValue::Float(summary.step_area),
            Self::LineArea => FieldValue::Float(summary.line_area),
            Self::Increase => FieldValue::Float(summary.increase),
        }
    }

    /// Puts a value of its column into the summary of a window that starts at `start`.
    pub(crate) fn set(self, summary: &mut Summary, start: TimestampNs, value: FieldValue<'_>) {
        match value {
            FieldValue::Integer(value) => self.set_integer(summary, start, value),
            FieldValue::Float(value) => self.set_float(summary, value),
            _ => {}
        }
    }

    fn set_integer(self, summary: &mut Summary, start: TimestampNs, value: i64) {
        let time = start.saturating_add(value);
        match self {
            Self::Count => summary.count = value.cast_unsigned(),
            Self::FirstTime => summary.first_time = time,
            Self::LastTime => summary.last_time = time,
            Self::MinTime => summary.min_time = time,
            Self::MaxTime => summary.max_time = time,
            _ => {}
        }
    }

    fn set_float(self, summary: &mut Summary, value: f64) {
        match self {
            Self::Sum => summary.sum = value,
            Self::Min => summary.min = value,
            Self::Max => summary.max = value,
            Self::First => summary.first = value,
            Self::Last => summary.last = value,
            Self::Squares => summary.squares = value,
            Self::StepArea => summary.step_area = value,
            Self::LineArea => summary.line_area = value,
            Self::Increase => summary.increase = value,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_what_its_parts_were() {
        let start = TimestampNs(1_000);
        let summary = Summary {
            count: 3,
            first_time: TimestampNs(1_001),
            last_time: TimestampNs(1_009),
            sum: 6.0,
            min: -1.0,
            max: 5.0,
            first: 2.0,
            last: 5.0,
            min_time: TimestampNs(1_004),
            max_time: TimestampNs(1_009),
            squares: 18.0,
            step_area: 7.0,
            line_area: 8.0,
            increase: 9.0,
        };
        let mut again = Summary::default();
        Part::ALL.into_iter().for_each(|part| part.set(&mut again, start, part.value(&summary, start)));
        assert_eq!(again, summary);
    }

    #[test]
    fn names_of_columns_tell_part_and_field() {
        assert_eq!(Part::Sum.field_name("value", FieldType::Float), "sum.value");
        for kind in [FieldType::Float, FieldType::Integer, FieldType::Unsigned] {
            assert_eq!(Part::field_of_count(&Part::Count.field_name("a.b", kind)), Some(("a.b", kind)));
            assert_eq!(Part::field_of_count(&Part::Sum.field_name("count", kind)), None);
        }
        assert!(Part::ALL.iter().all(|part| part.is_among(Parts::ALL)));
        let of_means: Vec<_> = Part::ALL.into_iter().filter(|p| p.is_among(Parts::COUNT.and(Parts::SUM))).collect();
        assert_eq!(of_means, [Part::Count, Part::Sum]);
    }
}
