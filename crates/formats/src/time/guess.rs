//! The format of times that nothing is said about, from some of them.

use model::Precision;

use super::civil::{Parts, Reader};
use super::pattern::Pattern;
use super::{TimeFormat, Unit, iso};

/// What some texts can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guess {
    /// Times of this format. `is_date` when none of them has a time of day.
    Times { format: TimeFormat, is_date: bool },
    /// Times of either format: it cannot be told day from month.
    Either([&'static str; 2]),
    /// No times.
    No,
}

/// Dates without their separators being ISO's. Those beside each other with day and month exchanged can be mistaken for one another.
const DATES: [(&str, &str); 4] =
    [("%d.%m.%Y", ""), ("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y"), ("%Y/%m/%d", "")];
/// Times of day behind a date.
const CLOCKS: [&str; 3] = ["", " %H:%M", " %H:%M:%S%.f"];

/// Numbers are times between 1990 and 2100 only: most numbers are something else.
const FIRST_SECOND: i64 = 631_152_000;
const LAST_SECOND: i64 = 4_102_444_800;

/// The format that fits all of the texts. Without a text there is none.
pub(crate) fn guess(texts: &[&[u8]]) -> Guess {
    if texts.is_empty() {
        return Guess::No;
    }
    if texts.iter().all(|text| iso::parse(text).is_some()) {
        let is_date = texts.iter().all(|text| text.len() == "2006-01-02".len());
        return Guess::Times { format: TimeFormat::Rfc3339, is_date };
    }
    if let Some(unit) = unit_of(texts) {
        return Guess::Times { format: TimeFormat::Epoch(unit), is_date: false };
    }
    guess_pattern(texts)
}

/// True when all texts are times of day, as beside a column of dates.
pub(crate) fn are_clocks(texts: &[&[u8]]) -> bool {
    let is_clock = |text: &&[u8]| {
        let mut reader = Reader(text);
        iso::clock(&mut reader, &mut Parts::default()).is_some() && reader.is_at_end()
    };
    !texts.is_empty() && texts.iter().all(is_clock)
}

/// The unit in which all texts are times of our days.
fn unit_of(texts: &[&[u8]]) -> Option<Unit> {
    let number = |text: &&[u8]| {
        let whole = text.split(|b| *b == b'.').next().unwrap_or_default();
        std::str::from_utf8(whole).ok()?.parse::<i64>().ok()
    };
    let first = number(texts.first()?)?;
    let unit = match Precision::guess(first) {
        Precision::Second => Unit::S,
        Precision::Millisecond => Unit::Ms,
        Precision::Microsecond => Unit::Us,
        _ => Unit::Ns,
    };
    let per_second = 1_000_000_000 / Precision::from(unit).ns();
    let is_time = |number: i64| (FIRST_SECOND..LAST_SECOND).contains(&(number / per_second));
    texts.iter().all(|text| number(text).is_some_and(is_time)).then_some(unit)
}

fn guess_pattern(texts: &[&[u8]]) -> Guess {
    let fits = |pattern: &str| {
        let Ok(pattern) = Pattern::new(pattern) else { return false };
        texts.iter().all(|text| pattern.parse(text).is_some())
    };
    for (date, other) in DATES {
        for clock in CLOCKS {
            let whole = |date: &str| format!("{date}{clock}");
            let found = match (fits(&whole(date)), !other.is_empty() && fits(&whole(other))) {
                (false, false) => continue,
                (true, true) => return Guess::Either([date, other]),
                (true, false) => date,
                (false, true) => other,
            };
            return Guess::Times { format: TimeFormat::Pattern(whole(found)), is_date: clock.is_empty() };
        }
    }
    Guess::No
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Guess {
        guess(&texts.iter().map(|t| t.as_bytes()).collect::<Vec<_>>())
    }

    fn times(format: &str, is_date: bool) -> Guess {
        Guess::Times { format: format.parse().unwrap(), is_date }
    }

    #[test]
    fn usual_formats_are_found() {
        assert_eq!(of(&["2024-01-01T00:00:00Z", "2024-01-01 00:00"]), times("rfc3339", false));
        assert_eq!(of(&["2024-01-01"]), times("rfc3339", true));
        assert_eq!(of(&["01.01.2016 00:00"]), times("%d.%m.%Y %H:%M", false));
        assert_eq!(of(&["1/2/2024", "13/2/2024"]), times("%d/%m/%Y", true));
        assert_eq!(of(&["1/2/2024 10:00:00.5", "1/13/2024 0:00:00"]), times("%m/%d/%Y %H:%M:%S%.f", false));
        assert_eq!(of(&["1700000000", "1700000001"]), times("s", false));
        assert_eq!(of(&["1700000000.5"]), times("s", false));
        assert_eq!(of(&["1700000000000"]), times("ms", false));
        assert_eq!(of(&["1700000000000000000"]), times("ns", false));
    }

    #[test]
    fn a_form_of_two_meanings_is_not_guessed() {
        assert_eq!(of(&["1/2/2024", "3/4/2024"]), Guess::Either(["%d/%m/%Y", "%m/%d/%Y"]));
    }

    #[test]
    fn other_texts_are_no_times() {
        for texts in [&["1", "2"][..], &["230.5"], &["a"], &[""], &[], &["1700000000", "x"], &["5", "1700000000"]] {
            assert_eq!(of(texts), Guess::No, "{texts:?}");
        }
        assert!(are_clocks(&[b"17:24:00", b"0:00"]) && !are_clocks(&[b"17.5"]) && !are_clocks(&[]));
    }
}
