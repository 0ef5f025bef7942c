//! Line protocol as points, for stores that do not take it as it is.

use std::ops::Range;

use model::TimestampNs;
use model::key::canonicalize;
use model::line::LineParser;

use super::{Destination, Point, Points};

/// The values of a text of line protocol, whose times are nanoseconds. Lines are read when they are visited.
#[derive(Debug)]
pub struct LinePoints<'a> {
    place: Destination,
    text: &'a [u8],
    /// For each line with points: the number of values before it, and where it begins in the text.
    lines: Vec<(usize, usize)>,
    len: usize,
}

impl<'a> LinePoints<'a> {
    /// The values of the lines that can be read and have a time; others are passed over.
    pub fn new(place: Destination, text: &'a [u8]) -> Self {
        let (mut parser, mut lines, mut len) = (LineParser::new(text), Vec::new(), 0);
        while let Some(line) = parser.next_line() {
            if let Ok(line) = line
                && line.time.is_some()
            {
                lines.push((len, line.text.as_ptr() as usize - text.as_ptr() as usize));
                len += line.fields.len();
            }
        }
        Self { place, text, lines, len }
    }
}

impl Points for LinePoints<'_> {
    fn place(&self) -> &Destination {
        &self.place
    }

    fn len(&self) -> usize {
        self.len
    }

    fn visit(&self, range: Range<usize>, each: &mut dyn FnMut(Point<'_>)) {
        let first = self.lines.partition_point(|(before, _)| *before <= range.start).saturating_sub(1);
        let mut key = Vec::new();
        for (before, start) in self.lines.get(first..).unwrap_or_default() {
            if *before >= range.end {
                return;
            }
            let mut parser = LineParser::new(self.text.get(*start..).unwrap_or_default());
            let Some(Ok(line)) = parser.next_line() else { continue };
            let Some(time) = line.time.map(TimestampNs) else { continue };
            // A key that is none is handed on as it stands: the store says what is wrong with it.
            let series = if canonicalize(line.series, &mut key).is_ok() { key.as_slice() } else { line.series };
            for (number, field) in (*before..).zip(line.fields) {
                if range.contains(&number) {
                    each(Point { series, field: &field.key, value: field.value.as_field_value(), time });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str, range: Range<usize>) -> Vec<String> {
        let place = Destination { database: "d".to_owned(), policy: "p".to_owned(), is_default: true };
        let (points, mut seen) = (LinePoints::new(place, text.as_bytes()), Vec::new());
        points.visit(range, &mut |p| {
            let series = String::from_utf8_lossy(p.series).into_owned();
            seen.push(format!("{series} {} {:?} {}", p.field, p.value, p.time.0));
        });
        seen
    }

    #[test]
    fn values_are_counted_through_all_lines_that_can_be_stored() {
        let text = "m,b=1,a=2 x=1,y=2i 5\nbad\nm x=3\nm s=\"a\nb\",t=true 6\n";
        let all =
            ["m,a=2,b=1 x Float(1.0) 5", "m,a=2,b=1 y Integer(2) 5", "m s String(\"a\\nb\") 6", "m t Boolean(true) 6"];
        assert_eq!(seen(text, 0..4), all);
        for start in 0..4 {
            for end in start..=4 {
                assert_eq!(seen(text, start..end), all[start..end], "{start}..{end}");
            }
        }
    }
}
