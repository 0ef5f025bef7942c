//! Points as line protocol with times in nanoseconds: what most stores take. Adjacent points of one series and time become one
//! line, as they were most likely one before.

use std::ops::Range;

use model::FieldValue;
use model::line::LinePrinter;

use crate::{Points, WriteError, Written};

/// What a store makes of points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// As what a value is written; `None` leaves its point out.
    pub(crate) convert: fn(FieldValue<'_>) -> Option<FieldValue<'_>>,
    /// Why a series, given by its key, would be stored as another one; such points are refused.
    pub(crate) misread: fn(&[u8]) -> Option<String>,
}

/// For stores that have all types and take all names.
pub(crate) const ALL_AS_IT_IS: Rules = Rules { convert: as_it_is, misread: |_| None };

fn as_it_is(value: FieldValue<'_>) -> Option<FieldValue<'_>> {
    Some(value)
}

/// Appends the points of `range` to `out`; those that the rules leave out are counted as filtered.
///
/// # Errors
/// [`WriteError::Points`] when there is one that the rules refuse.
pub(crate) fn render(
    points: &dyn Points,
    range: Range<usize>,
    out: &mut Vec<u8>,
    rules: Rules,
) -> Result<Written, WriteError> {
    let mut printer = LinePrinter::new(out);
    let mut written = Written::default();
    let mut refused = None;
    points.visit(range, &mut |point| match (rules.convert)(point.value) {
        Some(value) => {
            refused = refused.take().or_else(|| (rules.misread)(point.series));
            printer.point(point.series, point.field, value, point.time);
        }
        None => written.filtered += 1,
    });
    printer.finish();
    refused.map_or(Ok(written), |message| Err(WriteError::points(message)))
}

#[cfg(test)]
mod tests {
    use model::TimestampNs;

    use super::*;
    use crate::{Destination, Point, PointList};

    fn no_texts(value: FieldValue<'_>) -> Option<FieldValue<'_>> {
        (!matches!(value, FieldValue::String(_))).then_some(value)
    }

    #[test]
    fn a_range_is_rendered_without_what_the_store_has_no_type_for() {
        let place = Destination { database: "d".to_owned(), policy: "p".to_owned(), is_default: true };
        let mut list = PointList::new(place);
        for (field, value) in
            [("a", FieldValue::Float(1.0)), ("b", FieldValue::String("x")), ("c", FieldValue::Integer(2))]
        {
            list.push(Point { series: b"m,t=1", field, value, time: TimestampNs(7) });
        }
        let mut out = Vec::new();
        let rules = Rules { convert: no_texts, ..ALL_AS_IT_IS };
        assert_eq!(render(&list, 0..3, &mut out, rules), Ok(Written { filtered: 1 }));
        assert_eq!(render(&list, 1..2, &mut out, ALL_AS_IT_IS), Ok(Written::default()));
        assert_eq!(String::from_utf8(out).unwrap(), "m,t=1 a=1,c=2i 7\nm,t=1 b=\"x\" 7\n");
    }
    #[test]
    fn a_point_that_would_be_read_as_another_is_refused() {
        let place = Destination { database: "d".to_owned(), policy: "p".to_owned(), is_default: true };
        let mut list = PointList::new(place);
        for series in [&b"m"[..], b"bad"] {
            list.push(Point { series, field: "v", value: FieldValue::Integer(1), time: TimestampNs(7) });
        }
        let rules = Rules { misread: |series| (series == b"bad").then(|| "it is bad".to_owned()), ..ALL_AS_IT_IS };
        let refused = Err(WriteError::points("it is bad"));
        assert_eq!(render(&list, 0..2, &mut Vec::new(), rules), refused);
        assert!(render(&list, 0..1, &mut Vec::new(), rules).is_ok());
    }
}
