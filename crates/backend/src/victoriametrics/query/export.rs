//! Lines of `/api/v1/export`: `{"metric":{...},"values":[1,2.5],"timestamps":[1000,2000]}`, which are JSON but for values such as `+Inf`.

use std::io::{BufRead, Read};

use query::QueryError;

use super::api::Labels;

/// Points a line has at most.
pub(super) const ROWS: usize = 4096;

/// Longest line taken: a float has up to 330 digits.
const MAX_LINE: usize = 4 << 20;

/// A line.
pub(super) struct Line<'l> {
    labels: &'l str,
    values: &'l str,
    times: &'l str,
}

/// Hands every line to `each` until that has enough.
pub(super) fn read_lines(
    mut stream: impl BufRead,
    each: &mut dyn FnMut(&Line<'_>) -> Result<bool, QueryError>,
) -> Result<(), QueryError> {
    let mut text = Vec::new();
    loop {
        text.clear();
        let read = stream.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut text);
        if read.map_err(|error| wrong(&error.to_string()))? == 0 {
            return Ok(());
        }
        if text.len() == MAX_LINE {
            return Err(wrong("an exported line is too long"));
        }
        let line = std::str::from_utf8(&text).map_err(|_| wrong("an exported line is not UTF-8"))?.trim_end();
        if !line.is_empty() && !each(&Line::parse(line)?)? {
            return Ok(());
        }
    }
}

fn wrong(reason: &str) -> QueryError {
    QueryError::Store(format!("VictoriaMetrics: {reason}"))
}

impl<'l> Line<'l> {
    fn parse(line: &'l str) -> Result<Self, QueryError> {
        // Quotes inside of labels are escaped, so none of these can stand there.
        let parts = line.strip_prefix("{\"metric\":").and_then(|rest| {
            let (labels, rest) = rest.split_once(",\"values\":[")?;
            let (values, rest) = rest.split_once("],\"timestamps\":[")?;
            Some(Self { labels, values, times: rest.strip_suffix("]}")? })
        });
        parts.ok_or_else(|| wrong("an exported line has another form"))
    }

    /// The labels as they stand there: those of one series are the same in each of its lines.
    pub(super) fn raw_labels(&self) -> &'l str {
        self.labels
    }

    pub(super) fn labels(&self) -> Result<Labels, QueryError> {
        serde_json::from_str(self.labels).map_err(|error| wrong(&format!("labels of an exported line: {error}")))
    }

    /// Times in milliseconds and values; what is no finite number is left out.
    pub(super) fn points(&self) -> impl Iterator<Item = Result<(i64, f64), QueryError>> {
        let pairs = self.times.split(',').zip(self.values.split(','));
        pairs.filter(|(time, _)| !time.is_empty()).filter_map(|(time, value)| {
            let value = value.parse::<f64>().ok().filter(|value| value.is_finite())?;
            let time = time.parse::<i64>().map_err(|_| wrong("an exported line has a time that is no number"));
            Some(time.map(|time| (time, value)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Named = (String, Vec<(i64, f64)>);

    fn points(text: &str) -> Result<Vec<Named>, QueryError> {
        let mut found = Vec::new();
        read_lines(text.as_bytes(), &mut |line| {
            let name = line.labels()?.remove("__name__").unwrap_or_default();
            found.push((name, line.points().collect::<Result<_, _>>()?));
            Ok(found.len() < 2)
        })?;
        Ok(found)
    }

    #[test]
    fn lines_are_read_until_it_is_enough_without_what_is_no_number() {
        let text = "{\"metric\":{\"__name__\":\"a\\\",\\\"values\\\":[\"},\"values\":[1,+Inf,null,NaN,-2.5e3],\"timestamps\":[1,2,3,4,5]}\n\n\
            {\"metric\":{\"__name__\":\"b\"},\"values\":[],\"timestamps\":[]}\nnot read\n";
        let expected =
            vec![("a\",\"values\":[".to_owned(), vec![(1, 1.0), (5, -2500.0)]), ("b".to_owned(), Vec::new())];
        assert_eq!(points(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_such_line_is_told() {
        for text in [
            "<html>",
            "{\"metric\":{},\"values\":[1],\"timestamps\":[1",
            "{\"metric\":{},\"values\":[1],\"timestamps\":[x]}",
        ] {
            assert!(matches!(points(text), Err(QueryError::Store(_))), "{text}");
        }
        assert!(points(&"x".repeat(MAX_LINE + 1)).unwrap_err().to_string().contains("too long"));
    }
}
