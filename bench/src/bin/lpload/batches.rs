//! A file of lines, cut into batches of whole lines without copying.

/// Some whole lines.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) lines: u64,
}

/// The batches of a file, in its order.
pub(crate) struct Batches<'a>(Vec<Batch<'a>>);

impl<'a> Batches<'a> {
    /// Cuts the first `max_lines` lines into batches of `size` lines; the last may be smaller.
    pub(crate) fn cut(data: &'a [u8], size: u64, max_lines: u64) -> Self {
        let mut batches = Vec::new();
        let (mut rest, mut lines_left) = (data, max_lines);
        while !rest.is_empty() && lines_left > 0 {
            let batch = first_lines(rest, size.max(1).min(lines_left));
            rest = rest.get(batch.text.len()..).unwrap_or_default();
            lines_left -= batch.lines;
            batches.push(batch);
        }
        Self(batches)
    }

    /// The batch at a position, none behind the last.
    pub(crate) fn get(&self, at: usize) -> Option<Batch<'a>> {
        self.0.get(at).copied()
    }

    /// Lines in the batches before `at`, which are all full.
    pub(crate) fn lines_before(&self, at: usize) -> u64 {
        at as u64 * self.0.first().map_or(0, |batch| batch.lines)
    }
}

fn first_lines(data: &[u8], max: u64) -> Batch<'_> {
    let mut ends = data.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let (mut len, mut lines) = (0, 0);
    while lines < max && len < data.len() {
        len = ends.next().unwrap_or(data.len());
        lines += 1;
    }
    Batch { text: data.get(..len).unwrap_or_default(), lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, size: u64, max_lines: u64) -> Vec<(String, u64)> {
        let batches = Batches::cut(text.as_bytes(), size, max_lines);
        (0..).map_while(|at| batches.get(at)).map(|b| (String::from_utf8_lossy(b.text).into_owned(), b.lines)).collect()
    }

    #[test]
    fn batches_hold_whole_lines_and_all_of_them() {
        let expected = [("a\nb\n".to_owned(), 2), ("c\n".to_owned(), 1)];
        assert_eq!(cut("a\nb\nc\n", 2, u64::MAX), expected);
        assert_eq!(cut("a\nb", 5, u64::MAX), [("a\nb".to_owned(), 2)]);
        assert!(cut("", 5, u64::MAX).is_empty());
    }

    #[test]
    fn a_limit_of_lines_is_exact() {
        assert_eq!(cut("a\nb\nc\nd\n", 2, 3), [("a\nb\n".to_owned(), 2), ("c\n".to_owned(), 1)]);
    }
}
