//! Points as line protocol with times in nanoseconds: what most stores take. Adjacent points of one series and time become one
//! line, as they were most likely one before.

use std::ops::Range;

use model::FieldValue;
use model::line::LinePrinter;

use crate::{Points, Written};

/// As what a value is written; `None` leaves its point out.
pub(crate) type Convert = fn(FieldValue<'_>) -> Option<FieldValue<'_>>;

/// For stores that have all types.
pub(crate) fn as_it_is(value: FieldValue<'_>) -> Option<FieldValue<'_>> {
    Some(value)
}

/// Appends the points of `range` to `out`; those that `convert` leaves out are counted as filtered.
pub(crate) fn render(points: &dyn Points, range: Range<usize>, out: &mut Vec<u8>, convert: Convert) -> Written {
    let mut printer = LinePrinter::new(out);
    let mut written = Written::default();
    points.visit(range, &mut |point| match convert(point.value) {
        Some(value) => printer.point(point.series, point.field, value, point.time),
        None => written.filtered += 1,
    });
    printer.finish();
    written
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
        assert_eq!(render(&list, 0..3, &mut out, no_texts), Written { filtered: 1 });
        assert_eq!(render(&list, 1..2, &mut out, as_it_is), Written::default());
        assert_eq!(String::from_utf8(out).unwrap(), "m,t=1 a=1,c=2i 7\nm,t=1 b=\"x\" 7\n");
    }
}
