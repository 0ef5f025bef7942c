//! Lines found by their ends alone, for whoever has them checked by somebody else.

use memchr::{memchr_iter, memchr2};

/// Whole lines at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Their length, with line breaks.
    pub bytes: usize,
    /// How many they are.
    pub lines: usize,
}

impl Run {
    /// At most `most` lines of a text, if all of them seem to be points with times, by their ends. `None` where there is more to do, such as
    /// quotes, comments, blank lines, lines without a time, or a last one without a line break.
    pub fn of_points(text: &[u8], most: usize) -> Option<Self> {
        let (mut run, mut last_time): (_, &[u8]) = (Self { bytes: 0, lines: 0 }, b"\n");
        for end in memchr_iter(b'\n', text).take(most) {
            let line = text.get(run.bytes..end)?;
            // Mostly that of the line before.
            if !line.ends_with(last_time) {
                last_time = time_of(line)?;
            }
            run = Self { bytes: end + 1, lines: run.lines + 1 };
        }
        let is_cut = run.lines < most && run.bytes < text.len();
        (!is_cut && memchr2(b'"', b'#', text.get(..run.bytes)?).is_none()).then_some(run)
    }
}

/// The digits behind a blank that a line ends in, with the blank. What can be read at all, and ends so, has a time: values are behind equals signs.
fn time_of(line: &[u8]) -> Option<&[u8]> {
    let before = line.iter().rposition(|byte| !byte.is_ascii_digit())?;
    let blank = if line.get(before) == Some(&b'-') { before.checked_sub(1)? } else { before };
    (line.get(blank) == Some(&b' ') && before + 1 < line.len()).then_some(line.get(blank..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_ends() {
        let text = b"m,t=a v=1 5\nm v=2i -6\nm v=3 7\n";
        let run = |bytes, lines| Some(Run { bytes, lines });
        assert_eq!(Run::of_points(text, 100), run(30, 3));
        assert_eq!(Run::of_points(text, 3), run(30, 3));
        assert_eq!(Run::of_points(text, 2), run(22, 2));
        assert_eq!(Run::of_points(b"m v=1 5\nm s=\"a 5\" 6\n", 1), run(8, 1));
        assert_eq!(Run::of_points(b"", 1), run(0, 0));
    }

    #[test]
    fn what_there_is_more_to_do_with_is_told() {
        let lines =
            ["m v=1", "m v=1 5\n\nm v=1 6", "m s=\"a 5\" 6", "# 5", "m v=1 5\r", "m v=1i", "m v=-1", "-5", "5", "-"];
        for text in lines.map(|line| format!("{line}\n")).into_iter().chain(["m v=1 5".to_owned()]) {
            assert_eq!(Run::of_points(text.as_bytes(), 10), None, "{text:?}");
        }
        assert_eq!(Run::of_points(b"m v=1 5\nm v=1 6", 2), None);
    }
}
